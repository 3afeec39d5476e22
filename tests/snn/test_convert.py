import copy

import pytest
import torch
from torch import nn

from qvm_verify.snn import IFNeuron, QuantizedActivation, StreamingNetwork, convert
from tests.small_networks import TinyNetwork, dyadic_images


def neurons(network):
    return [module for module in network.modules() if isinstance(module, IFNeuron)]


@pytest.mark.parametrize(
    ("quantizer", "v_init"), [("floor", 0.0), ("round", 1.0), ("round_half_even", 1.0), ("ceil", 2.0)]
)
def test_algorithm_1_sets_theta_to_gamma_t_to_l_and_v_init_to_the_quantizers_match(quantizer, v_init):
    (site,) = neurons(convert(nn.Sequential(QuantizedActivation(6, quantizer, threshold=2.0))))
    assert (site.threshold, site.time_steps, site.v_init) == (2.0, 6, v_init)
    assert (site.firing, site.reset, site.currents) == (">=", "reset_by_subtraction", "constant")


def test_every_deviation_is_made_and_v_init_is_a_fraction_of_the_scaled_threshold():
    ann = nn.Sequential(QuantizedActivation(6, "floor", threshold=2.0))
    (site,) = neurons(
        convert(ann, time_steps=3, v_init=0.25, firing=">", reset="reset_to_zero", threshold_scale=2.0)
    )
    assert (site.threshold, site.time_steps, site.v_init) == (4.0, 3, 1.0)
    assert (site.firing, site.reset) == (">", "reset_to_zero")


def test_the_ann_is_left_exactly_as_it_was():
    ann = TinyNetwork().train()
    before = copy.deepcopy(ann.state_dict())
    snn = convert(ann)
    for parameter in snn.parameters():
        parameter.fill_(7.0)
    assert ann.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in ann.state_dict().items())
    assert all(module.training for module in ann.modules())
    assert all(parameter.requires_grad for parameter in ann.parameters())
    assert not neurons(ann)


def test_the_spiking_network_is_in_evaluation_mode_and_needs_no_gradient():
    snn = convert(TinyNetwork().train())
    assert not any(module.training for module in snn.modules())
    assert not any(parameter.requires_grad for parameter in snn.parameters())


def test_every_activation_is_replaced_and_nothing_else():
    ann = TinyNetwork()
    snn = convert(ann)
    for (name, old), (same, new) in zip(ann.named_modules(), snn.named_modules(), strict=True):
        assert name == same
        expected = IFNeuron if isinstance(old, QuantizedActivation) else type(old)
        assert type(new) is expected


def test_a_network_that_is_an_activation_becomes_a_neuron():
    assert isinstance(convert(QuantizedActivation(4, "floor")), IFNeuron)


def test_an_activation_shared_under_two_names_stays_shared_and_no_name_is_missed():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = self.second = QuantizedActivation(4, "floor")
            self.inner = nn.Sequential(self.first, nn.Identity(), self.first)

    snn = convert(Shared())
    assert isinstance(snn.first, IFNeuron)
    assert snn.first is snn.second is snn.inner[0] is snn.inner[2]


def test_a_network_without_activations_comes_back_unchanged_under_either_kind_of_currents():
    for currents in ("constant", "streaming"):
        assert isinstance(convert(nn.Sequential(nn.Identity()), currents=currents), nn.Sequential)


def test_streaming_presents_the_image_at_every_step_and_returns_the_mean():
    # θ = 1, T = 2, x = 1/2: a spike at the second step only, so the mean output is 1/2
    snn = convert(nn.Sequential(QuantizedActivation(2, "floor")), currents="streaming")
    assert isinstance(snn, StreamingNetwork)
    assert snn(torch.tensor([[0.5], [1.0]])).tolist() == [[0.5], [1.0]]


def test_streaming_refuses_sites_with_different_time_steps():
    ann = nn.Sequential(QuantizedActivation(2, "floor"), QuantizedActivation(4, "floor"))
    with pytest.raises(ValueError, match=r"\[2, 4\]"):
        convert(ann, currents="streaming")


@pytest.mark.parametrize("wrong", [{"time_steps": 0}, {"firing": "<"}, {"reset": "none"}, {"currents": "ac"}])
def test_a_setting_that_no_neuron_can_have_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)) if "time_steps" in wrong else "none of"):
        convert(TinyNetwork(), **wrong)


def test_a_matched_conversion_of_the_tiny_network_gives_the_same_scores():
    for quantizer in ("floor", "round"):
        ann, images = TinyNetwork(quantizer), dyadic_images()
        assert torch.equal(ann(images), convert(ann)(images))
        assert not torch.equal(ann(images), convert(ann, reset="reset_to_zero")(images))
