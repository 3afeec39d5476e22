"""Faults in the numbers of a conversion: where a neuron starts, how long it runs, at what it fires."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qvm_verify.snn import convert
from tests.mutants.dynamics import Pair, settings_at
from tests.mutants.neurons import PlainNeuron, neurons_of, put_at
from tests.mutants.registry import UNSEEN, fault, faulty_neuron
from tests.mutants.subjects import (
    digits_floor,
    digits_round,
    ladder_ceil,
    ladder_ceil_of_one_level,
    ladder_floor,
    ladder_round,
    tiny_floor,
    tiny_round,
)


def moved(x: Tensor, ulps: int) -> Tensor:
    """Return a positive float as many floats further."""
    return (x.view(torch.int32) + ulps).view(torch.float32)


# V0, from 1 ulp off to θ off


@fault("v_init", ladder_floor, "second")
def starts_one_ulp_of_the_threshold_above_zero(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.second.v_init.copy_(moved(snn.second.threshold, 1) - snn.second.threshold)
    return ann, snn


@fault("v_init", ladder_round, "first")
def starts_one_ulp_above_half(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.first.v_init.copy_(moved(snn.first.v_init, 1))
    return ann, snn


@fault("v_init", ladder_round, "second")
def starts_one_ulp_below_half(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.second.v_init.copy_(moved(snn.second.v_init, -1))
    return ann, snn


@fault("v_init", ladder_ceil_of_one_level, "second")
def starts_one_ulp_below_the_threshold(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.second.v_init.copy_(moved(snn.second.v_init, -1))
    return ann, snn


@fault("v_init", ladder_ceil, "first")
def starts_one_ulp_above_the_threshold(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.first.v_init.copy_(moved(snn.first.v_init, 1))
    return ann, snn


@fault("v_init", tiny_floor, "act")
def starts_at_a_quarter(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, convert(ann, v_init=0.25)


@fault("v_init", digits_floor, "act1")
def starts_at_half_under_floor(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, convert(ann, v_init=0.5)


@fault("v_init", digits_round, "act1")
def starts_at_zero_under_round(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, convert(ann, v_init=0.0)


@fault("v_init", tiny_floor, "block.act2")
def starts_at_the_threshold_at_one_site(ann: nn.Module, snn: nn.Module) -> Pair:
    neuron = neurons_of(snn)["block.act2"]
    neuron.v_init.copy_(neuron.threshold)
    return ann, snn


@fault("v_init", tiny_round, "act")
def starts_at_one_half_whatever_the_threshold(ann: nn.Module, snn: nn.Module) -> Pair:
    for neuron in neurons_of(snn).values():
        neuron.v_init.fill_(0.5)  # where θ = 3/2 it should be 3/4
    return ann, snn


@faulty_neuron("v_init", digits_floor, "act2")
class StartsElsewhereThanItSays(PlainNeuron):
    def start(self, x: Tensor) -> Tensor:
        return super().start(x) + self.threshold / 2


# T other than L


def _with_steps(ann: nn.Module, time_steps: int) -> Pair:
    return ann, convert(ann, time_steps=time_steps)


@fault("time-steps other than levels", digits_floor, "act1")
def one_step_less(ann: nn.Module, snn: nn.Module) -> Pair:
    return _with_steps(ann, 7)


@fault("time-steps other than levels", tiny_floor, "act")
def half_as_many_steps(ann: nn.Module, snn: nn.Module) -> Pair:
    return _with_steps(ann, 2)


@fault("time-steps other than levels", tiny_round, "act")
def twice_as_many_steps(ann: nn.Module, snn: nn.Module) -> Pair:
    return _with_steps(ann, 8)


@fault("time-steps other than levels", digits_round, "act1")
def a_single_step(ann: nn.Module, snn: nn.Module) -> Pair:
    return _with_steps(ann, 1)


@fault("time-steps other than levels", digits_floor, "act3")
def one_step_more_at_one_site(ann: nn.Module, snn: nn.Module) -> Pair:
    settings_at(snn, "act3", time_steps=9)
    return ann, snn


# Threshold scale per layer


def _scale(snn: nn.Module, name: str, factor: float) -> None:
    neuron = neurons_of(snn)[name]
    neuron.threshold.mul_(factor)
    neuron.v_init.mul_(factor)


@fault("threshold scale per layer", digits_floor, "act1")
def thresholds_one_percent_too_high(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, convert(ann, threshold_scale=1.01)


@fault("threshold scale per layer", digits_round, "act2")
def one_threshold_halved(ann: nn.Module, snn: nn.Module) -> Pair:
    _scale(snn, "act2", 0.5)
    return ann, snn


@fault("threshold scale per layer", ladder_floor, "first")
def one_threshold_an_ulp_higher(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.first.threshold.copy_(moved(snn.first.threshold, 1))
    return ann, snn


@fault("threshold scale per layer", ladder_round, "second")
def one_threshold_an_ulp_lower(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.second.threshold.copy_(moved(snn.second.threshold, -1))
    return ann, snn


@fault("threshold scale per layer", tiny_floor, "act")
def every_threshold_one(ann: nn.Module, snn: nn.Module) -> Pair:
    for name in neurons_of(snn):
        _scale(snn, name, 1 / 1.5)
    return ann, snn


# Threshold scale per channel


class _ScalesOneChannel(PlainNeuron):
    def fires(self, u: Tensor) -> Tensor:
        return u >= self.threshold * self.scale(u)

    def after_spike(self, u: Tensor) -> Tensor:
        return u - self.threshold * self.scale(u)

    def scale(self, u: Tensor) -> Tensor:
        scale = torch.ones(u.shape[1], *[1] * (u.dim() - 2))
        scale[1] = 0.75
        return scale


class _ScalesOneColumn(_ScalesOneChannel):
    def scale(self, u: Tensor) -> Tensor:
        return super().scale(u.transpose(1, -1)).flatten()


@fault("threshold scale per channel", digits_floor, "act1", replays="UNSEEN", why=UNSEEN)
def one_channel_fires_early(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, put_at(snn, "act1", _ScalesOneChannel)


@fault("threshold scale per channel", digits_round, "act2", replays="UNSEEN", why=UNSEEN)
def thresholds_along_the_wrong_axis(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, put_at(snn, "act2", _ScalesOneColumn)


@fault("threshold scale per channel", digits_floor, "act2", shows="end-to-end")
def one_channel_normalized_and_the_next_layer_not(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.conv2.weight[2] *= 0.9
    snn.conv2.bias[2] *= 0.9
    return ann, snn


@fault(
    "threshold scale per channel",
    tiny_floor,
    "block.act1",
    shows="refusal",
    replays="none",
    why="one threshold a site is supported: the audit refuses the pair and names the site",
)
def a_threshold_for_each_channel(ann: nn.Module, snn: nn.Module) -> Pair:
    neuron = neurons_of(snn)["block.act1"]
    neuron.threshold = neuron.threshold * torch.tensor([1.0, 0.9]).reshape(2, 1, 1)
    return ann, snn


# Threshold sign


@fault(
    "threshold sign",
    digits_floor,
    "act2",
    shows="finding",
)
def a_negative_threshold(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.act2.threshold.neg_()
    return ann, snn


@faulty_neuron("threshold sign", digits_floor, "act3")
class AddsTheThresholdAfterASpike(PlainNeuron):
    def after_spike(self, u: Tensor) -> Tensor:
        return u + self.threshold


@faulty_neuron("threshold sign", digits_round, "act3")
class FiresBelowTheNegativeThreshold(PlainNeuron):
    def fires(self, u: Tensor) -> Tensor:
        return u <= -self.threshold
