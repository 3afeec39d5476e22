"""The published structure of every network: sites, parameters, shapes."""

import inspect

import pytest
import torch
from torch import nn

from qvm_verify import networks
from qvm_verify.networks.architectures import BUILDERS
from qvm_verify.snn import QuantizedActivation

CIFAR, IMAGENET = {"variant": "cifar"}, {"variant": "imagenet"}

# name, keywords, classes, sites, parameters without the thresholds, images, their size after the stem
# Parameters are published numbers (torchvision's documentation, He et al.), or sums by hand:
# VGG-16 for CIFAR: 14723136 of convolutions and batch-norm, 512 * 4096 + 4096 * 4096 + 4096 * 100 + biases
# ResNet-20: option A's 269722, and two 1x1 shortcuts with batch-norm, 16 * 32 + 64 and 32 * 64 + 128
# the other variant: the stem's 3 * width * 9 or 49 weights, and the classes' share of the last layer
# two channels: 64 * 9 weights fewer in the stem than the 11173962 of three channels and ten classes
STRUCTURES = [
    ("vgg16", CIFAR, 100, 15, 34_015_396, (3, 32, 32)),
    ("vgg16", IMAGENET, 1000, 15, 138_365_992, (3, 224, 224)),
    ("resnet18", CIFAR, 10, 17, 11_173_962, (3, 32, 32)),
    ("resnet18", IMAGENET, 1000, 17, 11_689_512, (3, 224, 224)),
    ("resnet18", {"channels": 2}, 10, 17, 11_173_962 - 64 * 9, (2, 128, 128)),
    ("resnet20", CIFAR, 10, 19, 269_722 + 576 + 2176, (3, 32, 32)),
    ("resnet20", IMAGENET, 1000, 19, 272_474 - 432 + 2352 - 650 + 65_000, (3, 224, 224)),
    ("resnet34", CIFAR, 100, 33, 21_797_672 - 9408 + 1728 - 513_000 + 51_300, (3, 32, 32)),
    ("resnet34", IMAGENET, 1000, 33, 21_797_672, (3, 224, 224)),
    ("resnet20_option_a", {}, 10, 19, 269_722, (3, 32, 32)),
    ("resnet32_option_a", {}, 10, 31, 464_154, (3, 32, 32)),
]


def sites_of(network):
    return [module for module in network.modules() if isinstance(module, QuantizedActivation)]


@pytest.mark.parametrize(("name", "keywords", "classes", "sites", "parameters", "images"), STRUCTURES)
def test_a_network_has_the_published_sites_parameters_and_scores(
    name, keywords, classes, sites, parameters, images
):
    with torch.device("meta"):
        network = getattr(networks, name)(levels=6, quantizer="ceil", classes=classes, **keywords)
        scores = network(torch.zeros(2, *images))
    assert [(site.levels, site.quantizer) for site in sites_of(network)] == [(6, "ceil")] * sites
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters + sites
    assert scores.shape == (2, classes)


def shapes_at_sites(network, images):
    """Return the size of the image at every site that sees one, without repetitions."""
    seen = {}
    for site in sites_of(network):
        site.register_forward_hook(lambda module, x, out: seen.setdefault(tuple(out.shape[2:])))
    with torch.device("meta"):
        network(torch.zeros(1, *images))
    return [size[0] for size in seen if size]


@pytest.mark.parametrize(
    ("name", "keywords", "size", "sizes"),
    [
        ("vgg16", CIFAR, 32, [32, 16, 8, 4, 2]),
        ("vgg16", IMAGENET, 224, [224, 112, 56, 28, 14]),
        ("resnet18", CIFAR, 32, [32, 16, 8, 4]),
        ("resnet34", IMAGENET, 224, [112, 56, 28, 14, 7]),
        ("resnet20", CIFAR, 32, [32, 16, 8]),
        ("resnet20_option_a", {}, 32, [32, 16, 8]),
    ],
)
def test_images_shrink_where_the_papers_have_them_shrink(name, keywords, size, sizes):
    with torch.device("meta"):
        network = getattr(networks, name)(**keywords)
    assert shapes_at_sites(network, (3, size, size)) == sizes


@pytest.mark.parametrize("name", ["vgg16", "resnet34"])
@pytest.mark.parametrize(
    ("pooling", "wanted", "other"),
    [("average", nn.AvgPool2d, nn.MaxPool2d), ("max", nn.MaxPool2d, nn.AvgPool2d)],
)
def test_pooling_is_average_or_max_as_asked_and_follows_the_activation(name, pooling, wanted, other):
    with torch.device("meta"):
        network = getattr(networks, name)(variant="imagenet", pooling=pooling)
    modules = [module for module in network.modules() if not list(module.children())]
    places = [place for place, module in enumerate(modules) if isinstance(module, wanted)]
    assert places
    assert all(isinstance(modules[place - 1], QuantizedActivation) for place in places)
    assert not any(isinstance(module, other) for module in modules)


@pytest.mark.parametrize("padded", [False, True])
def test_the_last_activation_of_a_block_sees_the_sum_of_both_streams(padded):
    block = networks.resnet.BasicBlock(4, 8, stride=2, activation=nn.ReLU, padded=padded).eval()
    x = torch.rand(2, 4, 6, 6)
    expected = torch.relu(block.conv2(torch.relu(block.conv1(x))) + block.shortcut(x))
    assert torch.equal(block(x), expected)
    if padded:
        assert torch.equal(block.shortcut(x)[:, 2:6], x[:, :, ::2, ::2])
        assert not block.shortcut(x)[:, [0, 1, 6, 7]].any()


@pytest.mark.parametrize("name", BUILDERS)
def test_every_network_has_a_function_of_its_name(name):
    assert name in networks.__all__
    with torch.device("meta"):
        network = getattr(networks, name)(levels=3, quantizer="floor", classes=7)
    architecture = networks.architecture_of(network)
    assert (architecture.name, architecture.levels, architecture.quantizer) == (name, 3, "floor")
    defaults = inspect.signature(getattr(networks, name)).parameters
    assert {"levels", "quantizer", "classes"} <= set(defaults)


@pytest.mark.parametrize(
    ("keywords", "reason"),
    [({"variant": "mnist"}, "variant 'mnist'"), ({"pooling": "median"}, "pooling 'median'")],
)
@pytest.mark.parametrize("name", ["vgg16", "resnet18"])
def test_a_choice_that_no_network_has_is_refused(name, keywords, reason):
    with pytest.raises(ValueError, match=reason), torch.device("meta"):
        getattr(networks, name)(**keywords)


def test_a_choice_that_this_network_does_not_offer_is_refused():
    with pytest.raises(TypeError, match="variant"):
        networks.build(
            networks.Architecture(name="digits_cnn", levels=4, quantizer="floor", classes=10, variant="cifar")
        )
