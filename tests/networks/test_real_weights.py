"""The weights that people published, loaded and run as the ReLU networks that they are."""

import pytest
import torch
from torch.nn import functional as F

from qvm_verify import datasets, networks
from qvm_verify.snn import QuantizedActivation
from tests.datasets.files import needs_real_data, real

pytestmark = needs_real_data
GIVEN = {"levels": 8, "quantizer": "round"}


def images_and_labels(specification, count):
    dataset = datasets.open_dataset(specification)
    images, labels = zip(*(dataset[k] for k in range(count)), strict=True)
    return torch.stack(images), torch.tensor(labels)


def cifar10(count):
    folder = real("cifar-10-batches-bin")
    return images_and_labels(f"cifar10:{folder}?split=test&normalize=imagenet", count)


@torch.no_grad()
def relu_scores(network, images):
    """Run a network whose every activation is a ReLU."""
    for site in network.modules():
        if isinstance(site, QuantizedActivation):
            site.register_forward_hook(lambda module, inputs, output: torch.relu(inputs[0]))
    return network(images)


@pytest.mark.parametrize(
    ("file", "name", "parameters", "count", "right"),
    [  # 406 of the 446 images, and 56 of the first 64, give or take what another machine rounds
        ("resnet20-12fca82f.th", "resnet20_option_a", 269_722, 446, 404),
        ("resnet32-d509ac18.th", "resnet32_option_a", 464_154, 64, 54),
    ],
)
def test_akamasters_networks_are_recognised_and_score_the_lossless_test_images(
    file, name, parameters, count, right
):
    network = networks.load(real("weights") / file, **GIVEN)
    assert networks.architecture_of(network).name == name
    sites = networks.uncalibrated(network)
    assert len(sites) == sum(isinstance(module, QuantizedActivation) for module in network.modules())
    assert sum(p.numel() for p in network.parameters()) == parameters + len(sites)
    images, labels = cifar10(count)
    assert int((relu_scores(network, images).argmax(1) == labels).sum()) >= right


def resnet20_by_formula(state, x):
    """Return the scores of akamaster's ResNet-20, written down from the file's own names."""

    def conv_bn(x, conv, norm, stride=1):
        y = F.conv2d(x, state[f"{conv}.weight"], stride=stride, padding=1)
        mean, var, weight, bias = (
            state[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(y, mean, var, weight, bias)

    x = torch.relu(conv_bn(x, "conv1", "bn1"))
    for layer in (1, 2, 3):
        for k in range(3):
            block, stride = f"layer{layer}.{k}", 2 if layer > 1 and k == 0 else 1
            y = torch.relu(conv_bn(x, f"{block}.conv1", f"{block}.bn1", stride))
            y = conv_bn(y, f"{block}.conv2", f"{block}.bn2")
            more = y.shape[1] - x.shape[1]
            x = torch.relu(y + F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, more // 2, more // 2)))
    return F.linear(x.mean((2, 3)), state["linear.weight"], state["linear.bias"])


def test_resnet_20_computes_what_its_file_means():
    path = real("weights") / "resnet20-12fca82f.th"
    content = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    state = {name.removeprefix("module."): tensor for name, tensor in content.items()}
    images, _ = cifar10(8)
    expected = resnet20_by_formula(state, images)
    scores = relu_scores(networks.load(path, **GIVEN), images)
    torch.testing.assert_close(scores, expected, rtol=1e-5, atol=1e-5)


def test_the_sinabs_weights_read_handwritten_digits():
    network = networks.load(real("weights") / "sinabs_mnist_params.pt", **GIVEN)
    assert networks.architecture_of(network).name == "mnist_cnn"
    assert len(networks.uncalibrated(network)) == 4
    images, labels = images_and_labels(f"mnist:{real('mnist')}", 200)
    assert int((relu_scores(network, images).argmax(1) == labels).sum()) >= 196
