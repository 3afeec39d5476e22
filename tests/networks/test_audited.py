"""Every network, converted and audited end to end, and its certificates composed; small images."""

import pytest
import torch
from torch import nn

import qvm_verify as qvm
from qvm_verify import networks
from qvm_verify.certificate import certify, compose
from qvm_verify.snn import QuantizedActivation

NETWORKS = [
    ("vgg16", {}, (3, 32, 32)),
    ("resnet18", {"channels": 2}, (2, 8, 8)),
    ("resnet20", {}, (3, 8, 8)),
    ("resnet20", {"variant": "imagenet", "pooling": "max"}, (3, 16, 16)),
    ("resnet34", {"variant": "imagenet"}, (3, 32, 32)),
    ("resnet20_option_a", {}, (3, 8, 8)),
]


@pytest.fixture(autouse=True)
def few_exact_sums(monkeypatch):
    """Sum exactly at one neuron a layer: a sum of 4608 fractions takes its time."""
    monkeypatch.setattr("qvm_verify.audit.reference_check.SUMS_PER_LAYER", 1)


def alive(name, keywords, images):
    """Return a network whose batch-norms know these images, so that no layer is silent."""
    network = getattr(networks, name)(levels=4, quantizer="floor", classes=10, **keywords)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the statistics of this very batch
        if isinstance(module, QuantizedActivation):
            module.threshold.data.fill_(2.0)  # a power of two: no quotient is rounded
    with torch.no_grad():
        network.train()(images)
    return network.eval()


@pytest.mark.parametrize(("name", "keywords", "shape"), NETWORKS)
def test_a_network_is_lossless_at_every_site_and_for_every_image(name, keywords, shape):
    torch.manual_seed(0)
    images = torch.randn(2, *shape)
    ann = alive(name, keywords, images)
    spiking = qvm.convert(ann)
    report = qvm.verify(ann, spiking, [images], certify="off")
    assert report.findings == ()
    assert report.verdict == "lossless"
    sites = {name: m for name, m in ann.named_modules() if isinstance(m, QuantizedActivation)}
    assert [row.site for row in report.layers if row.mode == "shadow"] == list(sites)
    first = next(iter(sites))  # levels, quantizer and threshold are those of all
    certificate = certify(
        sites[first], spiking.get_submodule(first), threshold=2.0, levels=4, time_steps=4, method="boundary"
    )
    composition = compose(ann, spiking, dict.fromkeys(sites, certificate))
    assert composition.obstacles == ()
    assert composition.sites == len(sites)


def test_a_wrong_conversion_is_refuted_at_the_first_site():
    torch.manual_seed(0)
    images = torch.randn(2, 3, 8, 8)
    ann = alive("resnet20_option_a", {}, images)
    report = qvm.verify(ann, qvm.convert(ann, v_init=0.5), [images], certify="off")
    assert report.verdict == "not-lossless"
    assert report.first_divergence["end-to-end"] == "act"
    alive_sites = [row.spike_count_mismatches > 0 for row in report.layers if row.mode == "shadow"]
    assert alive_sites == [True] * 19
