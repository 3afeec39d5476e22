"""The networks in which faults are planted, each with data on which its faithful conversion is lossless.

*tiny*: dyadic weights, so that no sum rounds, and currents that often hit ties. *digits*: weights of no
special form, real images, measured statistics and thresholds. *ladder*: two sites whose currents are the
pixels, so that a batch can hold every float around every decision boundary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify import datasets, reference
from qvm_verify.snn import QuantizedActivation, convert
from qvm_verify.snn.ordinals import to_floats, to_ordinals
from tests.audit.foreign import Chain, ForeignActivation, ForeignNeuron
from tests.small_networks import TinyNetwork, column, dyadic_images

Batches = list[Tensor]


@dataclass(frozen=True)
class Subject:
    """An ANN, how it is converted faithfully, and data."""

    ann: nn.Module
    batches: Batches
    spiking: Callable[[nn.Module], nn.Module] = convert
    options: dict[str, Any] = field(default_factory=dict)  # of `verify`


class Digits(nn.Module):
    """Two convolutions, one with batch-norm, and two linear layers: three sites, for images [1, 8, 8]."""

    def __init__(self, quantizer: str, levels: int) -> None:
        super().__init__()

        def activation() -> QuantizedActivation:
            return QuantizedActivation(levels, quantizer, threshold=1.0)

        self.conv1, self.norm, self.act1 = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), activation()
        self.conv2, self.act2 = nn.Conv2d(4, 4, 3, padding=1), activation()
        self.pool, self.flatten = nn.AvgPool2d(2), nn.Flatten()
        self.fc, self.act3 = nn.Linear(64, 16), activation()
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.norm(self.conv1(x)))
        x = self.flatten(self.pool(self.act2(self.conv2(x))))
        out: Tensor = self.head(self.act3(self.fc(x)))
        return out


class Ladder(nn.Module):
    """Two sites on two pixels: the second receives the first one's output and a pixel of its own."""

    def __init__(self, quantizer: str, levels: int, threshold: float) -> None:
        super().__init__()
        self.first, self.second = (QuantizedActivation(levels, quantizer, threshold) for _ in range(2))
        self.between, self.head = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        for layer in (self.between, self.head):
            layer.weight.data.fill_(1.0)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.second(self.between(self.first(x[:, :1])) + x[:, 1:]))
        return out


def tiny(quantizer: str) -> Subject:
    """Return a small residual network with a max-pool."""
    return Subject(TinyNetwork(quantizer), list(dyadic_images(12).split(5)))


def digits(quantizer: str, levels: int, *, images: int = 24, seed: int = 0) -> Subject:
    """Return a convolutional network whose statistics and thresholds were measured on real images."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        ann = Digits(quantizer, levels)
    x = datasets.digits("train").tensors[0][: images + 64]
    _calibrate(ann, x[images:])
    return Subject(ann, list(x[:images].split(images // 2)))


@torch.no_grad()
def _calibrate(ann: Digits, x: Tensor) -> None:
    """Let the batch-norm see some images; set each threshold to a power of two near the largest current."""
    ann.train()
    for _ in range(20):
        ann(x)
    ann.eval()

    def measure(site: nn.Module, inputs: tuple[Tensor]) -> None:
        site.threshold.copy_(2.0 ** inputs[0].quantile(0.99).log2().round())

    for name in ("act1", "act2", "act3"):
        handle = ann.get_submodule(name).register_forward_pre_hook(measure)
        ann(x)
        handle.remove()


def ladder(quantizer: str, levels: int = 4, threshold: float = 1.5, *, firing: str = ">=") -> Subject:
    """Return two sites, and every current around their decision boundaries that is no failure already."""
    ann = Ladder(quantizer, levels, threshold)

    def spiking(ann: nn.Module) -> nn.Module:
        return convert(ann, firing=firing)

    neuron = spiking(ann).first
    currents = around_boundaries(quantizer, levels, threshold)
    with torch.no_grad():
        currents = currents[ann.first.level(currents) == neuron.spike_count(currents)]
    first = torch.stack([currents, torch.zeros_like(currents)], 1)
    second = torch.stack([torch.full_like(currents, -1.0), currents], 1)  # the first site is silent
    images = torch.cat([first, second])
    return Subject(ann, list(images.split(50)), spiking)


def around_boundaries(quantizer: str, levels: int, threshold: float, ulps: int = 12) -> Tensor:
    """Return the floats around each decision boundary, and some far from all."""
    boundaries = reference.decision_boundaries(
        threshold=threshold,
        levels=levels,
        quantizer=quantizer,
        dtype="float32",
    )
    places = to_ordinals(torch.from_numpy(boundaries))[:, None] + torch.arange(-ulps, ulps + 1)
    ulp = threshold * 2.0**-23
    far = torch.tensor([-1.0, -0.0, 0.0, ulp, 0.3, 0.9, threshold, 2 * threshold, 100.0])
    return torch.cat([to_floats(places.flatten(), torch.float32), far])


@cache
def tiny_floor() -> Subject:
    return tiny("floor")


@cache
def tiny_round() -> Subject:
    return tiny("round")


@cache
def digits_floor() -> Subject:
    return digits("floor", 8)


@cache
def digits_round() -> Subject:
    """Return one without certificates: looking for what would mend its sites takes longer than the audit."""
    return replace(digits("round", 4, seed=1), options={"certify": "off"})


@cache
def digits_of_one_level() -> Subject:
    return digits("floor", 1)


@cache
def digits_of_half_even() -> Subject:
    return replace(digits("round_half_even", 6, seed=2), options={"certify": "off"})


@cache
def ladder_of_three_levels() -> Subject:
    return ladder("floor", levels=3, threshold=0.7)


@cache
def ladder_of_sixteen_levels() -> Subject:
    return ladder("floor", levels=16, threshold=3.0)


@cache
def digits_of_many_levels() -> Subject:
    return digits("floor", 32, images=240)


@cache
def ladder_floor() -> Subject:
    return ladder("floor")


@cache
def ladder_round() -> Subject:
    return ladder("round")


@cache
def ladder_ceil() -> Subject:
    return ladder("ceil", firing=">")


@cache
def ladder_ceil_of_one_level() -> Subject:
    return ladder("ceil", levels=1, firing=">")


@cache
def foreign() -> Subject:
    """Return two modules of another project, which share nothing with ours but names of attributes."""
    ann = Chain(ForeignActivation(), ForeignActivation())
    return Subject(
        ann,
        [column(0.1, 0.25, 0.3, 0.99), column(1.5, -1.0, 0.2, 0.23)],
        lambda ann: Chain(ForeignNeuron(), ForeignNeuron()),
    )
