import pytest
import torch
from torch import nn

from qvm_verify import networks
from qvm_verify.snn import QuantizedActivation


def test_the_digits_network_has_five_sites_and_scores_every_class():
    network = networks.digits_cnn(levels=6, quantizer="ceil", classes=7)
    sites = [module for module in network.modules() if isinstance(module, QuantizedActivation)]
    assert [(site.levels, site.quantizer) for site in sites] == [(6, "ceil")] * 5
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 7)


def test_a_network_remembers_what_it_was_built_from():
    network = networks.digits_cnn(levels=6, quantizer="ceil")
    assert networks.architecture_of(network) == networks.Architecture(
        name="digits_cnn", levels=6, quantizer="ceil", classes=10
    )
    assert networks.architecture_of(nn.Identity()) is None


def test_an_unknown_architecture_is_refused_and_the_known_ones_are_named():
    with pytest.raises(ValueError, match=r"'vgg99'; one of .*digits_cnn"):
        networks.build(networks.Architecture(name="vgg99", levels=4, quantizer="floor", classes=10))
