"""Faults in what a neuron does at a time-step: when it fires, how it is reset, how often it runs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qvm_verify.snn import IFSettings
from tests.mutants.neurons import PlainNeuron, neurons_of, put_at
from tests.mutants.registry import UNSEEN, fault, faulty_neuron
from tests.mutants.subjects import (
    digits_floor,
    digits_round,
    foreign,
    ladder_ceil,
    ladder_floor,
    tiny_floor,
    tiny_round,
)

Pair = tuple[nn.Module, nn.Module]


def settings_at(network: nn.Module, name: str, **changes: object) -> None:
    """Change how a neuron runs."""
    neuron = neurons_of(network)[name]
    neuron.settings = IFSettings(**{**neuron.settings._asdict(), **changes})


# Firing rule


@fault("firing rule", tiny_floor, "act")
def fires_strictly_above_the_threshold(ann: nn.Module, snn: nn.Module) -> Pair:
    for name in neurons_of(snn):
        settings_at(snn, name, firing=">")
    return ann, snn


@fault("firing rule", ladder_floor, "second")
def fires_strictly_above_the_threshold_at_the_last_site(ann: nn.Module, snn: nn.Module) -> Pair:
    settings_at(snn, "second", firing=">")
    return ann, snn


@fault("firing rule", ladder_ceil, "first")
def fires_at_the_threshold_where_ceil_must_not(ann: nn.Module, snn: nn.Module) -> Pair:
    settings_at(snn, "first", firing=">=")
    return ann, snn


@faulty_neuron("firing rule", ladder_floor, "first")
class FiresStrictlyAndSaysOtherwise(PlainNeuron):
    def fires(self, u: Tensor) -> Tensor:
        return u > self.threshold


@faulty_neuron("firing rule", digits_floor, "act2")
class FiresOnTheMagnitude(PlainNeuron):
    def fires(self, u: Tensor) -> Tensor:
        return u.abs() >= self.threshold


@faulty_neuron("firing rule", tiny_round, "block.act2")
class FiresWithATolerance(PlainNeuron):
    def fires(self, u: Tensor) -> Tensor:
        return u >= self.threshold - 0.1


@faulty_neuron("firing rule", digits_round, "act3")
class FiresEveryOtherStepAtMost(PlainNeuron):
    def start(self, x: Tensor) -> Tensor:
        self.silent = torch.ones_like(x, dtype=torch.bool)
        return super().start(x)

    def fires(self, u: Tensor) -> Tensor:
        spikes = super().fires(u) & self.silent
        self.silent = ~spikes
        return spikes


# Reset rule


@fault("reset rule", tiny_floor, "act")
def resets_to_zero(ann: nn.Module, snn: nn.Module) -> Pair:
    for name in neurons_of(snn):
        settings_at(snn, name, reset="reset_to_zero")
    return ann, snn


@fault("reset rule", digits_floor, "act3")
def resets_to_zero_at_one_site(ann: nn.Module, snn: nn.Module) -> Pair:
    settings_at(snn, "act3", reset="reset_to_zero")
    return ann, snn


@faulty_neuron("reset rule", digits_floor, "act1")
class ResetsToZeroAndSaysOtherwise(PlainNeuron):
    def after_spike(self, u: Tensor) -> Tensor:
        return torch.zeros_like(u)


@faulty_neuron("reset rule", digits_round, "act2")
class ResetsToItsStart(PlainNeuron):
    def after_spike(self, u: Tensor) -> Tensor:
        return self.start(u)


@faulty_neuron("reset rule", tiny_floor, "block.act1")
class ResetsTwice(PlainNeuron):
    def after_spike(self, u: Tensor) -> Tensor:
        return u - 2 * self.threshold


@faulty_neuron("reset rule", digits_floor, "act2")
class NeverResets(PlainNeuron):
    def after_spike(self, u: Tensor) -> Tensor:
        return u


@faulty_neuron("reset rule", digits_round, "act1")
class Leaks(PlainNeuron):
    def integrate(self, v: Tensor, current: Tensor) -> Tensor:
        return 0.99 * v + current


# Off-by-one time-steps


@faulty_neuron("off-by-one time-steps", digits_floor, "act1")
class RunsOneStepLess(PlainNeuron):
    def steps(self) -> int:
        return self.time_steps - 1


@faulty_neuron("off-by-one time-steps", tiny_floor, "block.act2")
class RunsOneStepMore(PlainNeuron):
    def steps(self) -> int:
        return self.time_steps + 1


@faulty_neuron("off-by-one time-steps", digits_round, "act2")
class HasNoCurrentAtFirst(PlainNeuron):
    def current(self, x: Tensor, t: int) -> Tensor:
        return x if t else torch.zeros_like(x)


@faulty_neuron("off-by-one time-steps", tiny_round, "act")
class FiresOnThePotentialOfTheStepBefore(PlainNeuron):
    def integrate(self, v: Tensor, current: Tensor) -> Tensor:
        self.before = v
        return super().integrate(v, current)

    def fires(self, u: Tensor) -> Tensor:
        return self.before >= self.threshold


@faulty_neuron("off-by-one time-steps", digits_floor, "act3")
class DividesByOneStepMore(PlainNeuron):
    def rate(self, count: Tensor) -> Tensor:
        return self.threshold / (self.time_steps + 1) * count


# Spike not scaled by θ


@faulty_neuron("spike not scaled by threshold", tiny_floor, "act")
class ReturnsTheShareOfSpikes(PlainNeuron):
    def rate(self, count: Tensor) -> Tensor:
        return count / self.time_steps


@faulty_neuron("spike not scaled by threshold", tiny_round, "block.act1")
class ReturnsTheCount(PlainNeuron):
    def rate(self, count: Tensor) -> Tensor:
        return count


@faulty_neuron("spike not scaled by threshold", tiny_floor, "block.act2")
class SubtractsOneInsteadOfTheThreshold(PlainNeuron):
    def after_spike(self, u: Tensor) -> Tensor:
        return u - 1


@faulty_neuron("spike not scaled by threshold", digits_floor, "act2")
class ScalesByTheThresholdTwice(PlainNeuron):
    def rate(self, count: Tensor) -> Tensor:
        return self.threshold * super().rate(count)


# State that outlives a call


STATE = "a fresh copy on the same currents does otherwise: what it does depends on the batch before"


class _KeepsItsPotential(PlainNeuron):
    left: Tensor | None = None

    def start(self, x: Tensor) -> Tensor:
        fits = self.left is not None and self.left.shape == x.shape
        return self.left if fits else super().start(x)

    def finish(self, v: Tensor) -> None:
        self.left = v


class _StartsAtTheMeanOfWhatWasLeft(PlainNeuron):
    left = 0.0

    def start(self, x: Tensor) -> Tensor:
        return super().start(x) + self.left

    def finish(self, v: Tensor) -> None:
        self.left = float(v.detach().clamp(0, float(self.threshold)).mean())


class _KeepsItsPotentialBetweenImages(PlainNeuron):
    """Each image of a batch starts where the one before it ended."""

    def forward(self, x: Tensor) -> Tensor:
        rates, self.left = [], self.v_init.expand_as(x[:1])
        for image in x.split(1):
            rates.append(super().forward(image))
        return torch.cat(rates)

    def start(self, x: Tensor) -> Tensor:
        return self.left

    def finish(self, v: Tensor) -> None:
        self.left = v


@fault("state kept between batches", digits_floor, "act1", shows="end-to-end", replays="none", why=STATE)
def keeps_its_potential(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, put_at(snn, "act1", _KeepsItsPotential)


@fault("state kept between batches", tiny_floor, "block.act2", shows="end-to-end", replays="none", why=STATE)
def starts_at_the_mean_of_what_was_left(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, put_at(snn, "block.act2", _StartsAtTheMeanOfWhatWasLeft)


@fault("state kept between batches", digits_round, "act2", replays="none", why=STATE)
def keeps_its_potential_between_images(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, put_at(snn, "act2", _KeepsItsPotentialBetweenImages)


@fault("firing rule", foreign, "sites.0", replays="UNSEEN", why=UNSEEN)
def fires_below_the_threshold_it_declares(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.sites[0].fires_at = 0.9
    return ann, snn
