import pytest
import torch
from torch import nn

from qvm_verify import datasets, networks
from qvm_verify.calibration import METHODS, calibrate, squared_error
from qvm_verify.calibration.histogram import CurrentHistogram
from qvm_verify.exits import InputError
from qvm_verify.snn import QUANTIZERS, QuantizedActivation, convert
from tests.small_networks import OneSite, TinyNetwork, column, dyadic_images


def currents(count=20000, seed=0):
    return torch.randn(count, generator=torch.Generator().manual_seed(seed))


def one_site(levels=4, quantizer="round", threshold=0.3):
    return OneSite(QuantizedActivation(levels, quantizer, threshold))


class ReLUOf(nn.Module):
    """Remembers the largest input of a site and is a ReLU."""

    def __init__(self):
        super().__init__()
        self.largest = -float("inf")

    def forward(self, x):
        self.largest = max(self.largest, x.max().item())
        return torch.relu(x)


def test_the_maximum_is_that_of_the_relu_network_at_every_site():
    network, oracle = TinyNetwork(), TinyNetwork()
    for parent in list(oracle.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, QuantizedActivation):
                setattr(parent, name, ReLUOf())
    images = dyadic_images(20)
    with torch.no_grad():
        oracle(images)
    thresholds = calibrate(network, images.split(7))
    wanted = {name: module.largest for name, module in oracle.named_modules() if isinstance(module, ReLUOf)}
    assert thresholds == wanted
    assert {name: network.get_submodule(name).threshold.item() for name in wanted} == wanted


def test_quantizing_while_measuring_would_find_other_thresholds():
    network = TinyNetwork()
    images = dyadic_images(20)
    seen = {}
    network.block.act2.register_forward_pre_hook(
        lambda m, inputs: seen.update(largest=inputs[0].max().item())
    )
    with torch.no_grad():
        network(images)
    assert seen["largest"] != calibrate(network, [images])["block.act2"]


def test_zeros_of_either_sign_are_no_positive_currents():
    histogram = CurrentHistogram()
    histogram.add(torch.tensor([0.0, -0.0, -1.0, 2.0, 2.0**-120]))
    assert (histogram.total, histogram.maximum) == (2, 2.0)
    assert histogram.percentile(50.0) <= 2.0**-119


@pytest.mark.parametrize("percent", [50.0, 99.0, 99.9, 100.0])
def test_a_percentile_is_exact_to_a_bin(percent):
    x = currents()
    histogram = CurrentHistogram()
    for part in x.split(777):
        histogram.add(part)
    positive = x[x > 0]
    exact = positive.sort().values[int(torch.tensor(percent / 100 * len(positive)).ceil()) - 1].item()
    assert exact <= histogram.percentile(percent) <= exact * (1 + 2**-10)
    assert (positive <= histogram.percentile(percent)).sum() >= percent / 100 * len(positive)
    assert histogram.percentile(100.0) == positive.max().item()


@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_the_least_squares_threshold_beats_its_neighbours_on_the_currents_themselves(quantizer):
    x = currents().unsqueeze(1)
    threshold = calibrate(one_site(quantizer=quantizer), [x], method="mse")["site"]

    def error(threshold):
        with torch.no_grad():
            return float((torch.relu(x) - QuantizedActivation(4, quantizer, threshold)(x)).pow(2).mean())

    for factor in (0.5, 0.8, 0.95, 1.05, 1.25, 2.0):
        assert error(threshold) < error(threshold * factor)


def test_a_search_with_another_quantizer_is_caught(monkeypatch):
    x = currents().unsqueeze(1)
    right = calibrate(one_site(quantizer="floor"), [x], method="mse")
    monkeypatch.setattr(
        squared_error, "QuantizedActivation", lambda L, quantizer, th: QuantizedActivation(L, "ceil", th)
    )
    assert calibrate(one_site(quantizer="floor"), [x], method="mse") != right


@pytest.mark.parametrize("method", METHODS)
def test_neither_the_order_of_the_images_nor_the_batch_size_matters(method):
    images = dyadic_images(20)
    shuffled = images[torch.randperm(20, generator=torch.Generator().manual_seed(1))]
    first = calibrate(TinyNetwork(), images.split(3), method=method)
    assert calibrate(TinyNetwork(), [(part, None) for part in shuffled.split(20)], method=method) == first


def test_calibration_leaves_everything_but_the_thresholds_as_it_was():
    network = TinyNetwork()
    network.block.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    calibrate(network, [dyadic_images()])
    for name, value in network.state_dict().items():
        assert name.endswith("threshold") != torch.equal(value, before[name])
    assert [module.training for module in network.modules()] == modes
    network.eval()
    site = network.act(torch.tensor([0.3]))
    assert site.item() != 0.3  # quantized again


def test_calibrated_digits_keep_what_the_relu_network_knows(trained, held_out):
    network = networks.load(trained("floor").path)
    accuracies = {}
    for method in METHODS:
        calibrate(network, [x for x, _ in held_out], method=method)
        with torch.no_grad():
            right = sum(int((network(x).argmax(1) == y).sum()) for x, y in held_out)
        accuracies[method] = right / len(datasets.digits("test"))
        assert torch.isfinite(convert(network.eval())(held_out[0][0])).all()
    assert min(accuracies["percentile"], accuracies["mse"]) > 0.8, accuracies


def test_what_cannot_be_calibrated_is_named():
    with pytest.raises(InputError, match="no image"):
        calibrate(one_site(), [])
    with pytest.raises(InputError, match="no image"):
        calibrate(one_site(), [column()])
    with pytest.raises(InputError, match="'site' saw no positive current in 2 images"):
        calibrate(one_site(), [column(-1.0, 0.0)])
    with pytest.raises(InputError, match="'site' received a current that is not finite"):
        calibrate(one_site(), [column(1.0, float("nan"))])
    with pytest.raises(InputError, match="Linear has no QuantizedActivation"):
        calibrate(nn.Linear(1, 1), [column(1.0)])
    with pytest.raises(InputError, match="'median'"):
        calibrate(one_site(), [column(1.0)], method="median")
    for wrong in (0.0, 100.1, float("nan")):
        with pytest.raises(InputError, match="percentile"):
            calibrate(one_site(), [column(1.0)], method="percentile", percentile=wrong)


def test_a_failure_changes_no_threshold():
    network = TinyNetwork()
    network.block.conv2[1].weight.data.zero_()
    network.block.conv2[1].bias.data.fill_(-1e6)
    with pytest.raises(InputError, match=r"block\.act2"):
        calibrate(network, [dyadic_images()])
    assert network.act.threshold.item() == 1.5
    assert not network.act._forward_hooks
