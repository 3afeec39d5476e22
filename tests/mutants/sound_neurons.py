"""Sound variations of the neurons: tables, other loops, other homes for their numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qvm_verify.snn import IFNeuron, fuse
from tests.audit.foreign import Chain, ForeignNeuron
from tests.mutants.neurons import PlainNeuron, neurons_of, put_at, replace_module
from tests.mutants.registry import variation, words
from tests.mutants.sound_running import Audited
from tests.mutants.subjects import (
    Batches,
    digits_floor,
    digits_of_half_even,
    digits_of_one_level,
    digits_round,
    foreign,
    ladder_ceil,
    ladder_floor,
    ladder_of_sixteen_levels,
    ladder_of_three_levels,
    ladder_round,
    tiny_floor,
    tiny_round,
)


@variation(
    "fused neurons",
    digits_floor,
    digits_round,
    tiny_floor,
    ladder_round,
    ladder_floor,
    ladder_of_three_levels,
    digits_of_half_even,
    digits_of_one_level,
)
def neurons_as_tables(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, fuse(snn), batches


def other_loop(*subjects: object):
    """Enter a neuron that does the same in another way, put at every site."""

    def enter(kind: type[IFNeuron]) -> type[IFNeuron]:
        def vary(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
            for name in neurons_of(snn):
                put_at(snn, name, kind)
            return ann, snn, batches

        vary.__name__ = words(kind.__name__).replace(" ", "_")
        variation("refactored neuron", *subjects)(vary)
        return kind

    return enter


@other_loop(tiny_floor, digits_round, ladder_ceil, ladder_of_sixteen_levels, digits_of_half_even)
class WrittenOut(PlainNeuron):
    def fires(self, u: Tensor) -> Tensor:
        return u >= self.threshold if self.firing == ">=" else u > self.threshold


@other_loop(digits_floor, ladder_round, ladder_of_three_levels, digits_of_one_level)
class InPlace(IFNeuron):
    """Keeps one buffer for the potential and one for the count."""

    def forward(self, x: Tensor) -> Tensor:
        v, count = self.v_init.expand_as(x).clone(), torch.zeros_like(x)
        for _ in range(self.time_steps):
            v += x
            spikes = v >= self.threshold
            count += spikes
            v -= spikes * self.threshold
        return count.mul_(self.threshold / self.time_steps)


@other_loop(tiny_round, ladder_floor, digits_of_half_even)
class CountsInIntegers(PlainNeuron):
    def forward(self, x: Tensor) -> Tensor:
        v, spikes = self.start(x), []
        for _ in range(self.time_steps):
            u = v + x
            spikes.append(u >= self.threshold)
            v = torch.where(spikes[-1], u - self.threshold, u)
        return self.rate(torch.stack(spikes).sum(0).to(x.dtype))


@other_loop(digits_floor)
class RectifiesItsCurrent(PlainNeuron):
    """Under floor V0 is 0, and a negative current never makes a spike."""

    def current(self, x: Tensor, t: int) -> Tensor:
        return torch.relu(x)


@other_loop(digits_round)
class ResetsItsStateAtEveryCall(PlainNeuron):
    """Keeps its potential in an attribute, as many libraries do, and resets it before each image."""

    left: Tensor | None = None

    def start(self, x: Tensor) -> Tensor:
        self.left = super().start(x).clone()
        return self.left

    def finish(self, v: Tensor) -> None:
        self.left = v


@other_loop(tiny_floor)
class StopsWhereNothingCanFire(PlainNeuron):
    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x) if bool((x <= 0).all()) else super().forward(x)


@other_loop(tiny_round)
class IntegratesInFloat64(PlainNeuron):
    """The currents of this network are so short that float64 makes the same of them."""

    def start(self, x: Tensor) -> Tensor:
        return super().start(x).double()

    def fires(self, u: Tensor) -> Tensor:
        return u >= self.threshold.double()


@variation("buffers and parameters", tiny_floor, digits_round)
def thresholds_as_parameters(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    for neuron in neurons_of(snn).values():
        threshold = neuron.threshold
        del neuron.threshold
        neuron.register_parameter("threshold", nn.Parameter(threshold, requires_grad=False))
    return ann, snn, batches


@variation("buffers and parameters", digits_floor, ladder_ceil)
def thresholds_as_buffers_that_are_not_saved(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    for neuron in neurons_of(snn).values():
        threshold = neuron.threshold
        del neuron.threshold
        neuron.register_buffer("threshold", threshold, persistent=False)
    return ann, snn, batches


@variation("buffers and parameters", digits_round)
def thresholds_of_the_ann_as_buffers(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    for name in ("act1", "act2", "act3"):
        site = ann.get_submodule(name)
        threshold = site.threshold
        del site.threshold
        site.register_buffer("threshold", threshold.detach())
    return ann, snn, batches


@variation("shared neuron", tiny_floor, tiny_round)
def one_neuron_for_all_sites_of_one_threshold(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    (first, *_) = neurons_of(snn).values()
    for name in neurons_of(snn):
        replace_module(snn, name, first)
    return ann, snn, batches


@variation("another project's neuron", foreign)
def ours_for_one_of_theirs(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    class Sum(ForeignNeuron):
        def forward(self, x: Tensor) -> Tensor:
            fired = torch.floor(x * 4).clamp(0, 4)  # exact: a product by 4 rounds nothing
            return fired / 4

    return ann, Chain(ForeignNeuron(), Sum()), batches


@variation("another project's neuron", ladder_floor)
def thresholds_as_plain_numbers(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    class Plain(nn.Module):
        time_steps, threshold, v_init = 4, 1.5, 0.0

        def forward(self, x: Tensor) -> Tensor:
            v, count = torch.zeros_like(x), torch.zeros_like(x)
            for _ in range(4):
                v = v + x
                spikes = (v >= 1.5).to(x.dtype)
                v, count = v - spikes * 1.5, count + spikes
            return count * 0.375

    return ann, replace_module(snn, "second", Plain()), batches
