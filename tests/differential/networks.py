"""Small networks of every make-up, drawn by Hypothesis: what all implementations are run on.

A network is drawn as a `Plan`, which prints as what it is, and built from it. Its weights are either short
binary fractions, so that no sum is rounded in float32 and every arithmetic must give the same numbers, or
any floats, on which only what rounds alike can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from qvm_verify import snn
from qvm_verify.snn import QuantizedActivation

Weights = Literal["dyadic", "float"]
Shape = tuple[int, int]
"""Channels and side of images; features and 0 of vectors."""
AWKWARD = (0.7, 1 / 3, 1.0000001192092896, 3.1, 2.0**-120, 1e30)
"""Thresholds whose every multiple rounds, the float above 1, and both ends of what is normal."""
MOST_SITES = 3
CLASSES = 3


class Residual(nn.Module):
    """Body(x) + shortcut(x)."""

    def __init__(self, body: nn.Sequential, shortcut: nn.Sequential) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Add the two branches."""
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


@dataclass(frozen=True)
class Stage:
    """One layer with weights, its site, and the pool behind it."""

    kind: Literal["convolution", "residual", "linear"]
    width: int
    quantizer: Any
    threshold: float | int  # in sixteenths of L where the weights are dyadic: θ / L is then dyadic
    kernel: int = 1
    stride: int = 1
    batch_norm: bool = False
    pool: Literal["none", "average", "max"] = "none"

    @property
    def sites(self) -> int:
        """How many sites it has."""
        return 2 if self.kind == "residual" else 1


@dataclass(frozen=True)
class Plan:
    """A whole network and its conversion."""

    weights: Weights
    channels: int
    side: int
    levels: int
    stages: tuple[Stage, ...]
    changes: tuple[tuple[str, Any], ...]  # what the conversion does otherwise than Algorithm 1
    seed: int

    @property
    def time_steps(self) -> int:
        """T of the conversion."""
        return int(dict(self.changes).get("time_steps", self.levels))

    def images(self, count: int = 4) -> Tensor:
        """Return images [count, channels, side, side]: eighths in [-1, 2], or any floats about there."""
        random = torch.Generator().manual_seed(self.seed + 1)
        shape = (count, self.channels, self.side, self.side)
        if self.weights == "dyadic":
            return torch.randint(-8, 17, shape, generator=random) / 8
        return torch.randn(shape, generator=random)

    def convert(self, ann: nn.Module, **changes: Any) -> nn.Module:
        """Return the spiking network of this plan."""
        return snn.convert(ann, **dict(self.changes), **changes)


def plans(weights: Weights, changes: tuple[dict[str, Any], ...] = ({},)) -> st.SearchStrategy[Plan]:
    """Draw plans; `changes` lists the conversions, with T in units of L."""
    return st.builds(
        _plan,
        st.just(weights),
        channels=st.integers(1, 2),
        side=st.integers(3, 6),
        levels=st.integers(1, 8),
        stages=st.lists(_stages(weights), min_size=1, max_size=MOST_SITES),
        changes=st.sampled_from(changes),
        seed=st.integers(0, 2**32 - 1),
    )


def _stages(weights: Weights) -> st.SearchStrategy[Stage]:
    return st.builds(
        Stage,
        kind=st.sampled_from(("convolution", "residual", "linear")),
        width=st.integers(1, 4),
        quantizer=st.sampled_from(snn.QUANTIZERS),
        threshold=st.integers(1, 12) if weights == "dyadic" else st.sampled_from(AWKWARD),
        kernel=st.sampled_from((1, 3)),
        stride=st.sampled_from((1, 2)),
        batch_norm=st.booleans(),
        pool=st.sampled_from(("none", "average", "max")),
    )


def _plan(
    weights: Weights, *, levels: int, stages: list[Stage], changes: dict[str, Any], **rest: Any
) -> Plan:
    kept: list[Stage] = []
    for stage in sorted(stages, key=lambda stage: stage.kind == "linear"):  # images first, then vectors
        if sum(one.sites for one in [*kept, stage]) <= MOST_SITES:
            kept.append(stage)
    settings = dict(changes)
    if "time_steps" in settings:
        settings["time_steps"] = max(1, int(settings["time_steps"] * levels))
    return Plan(weights=weights, levels=levels, stages=tuple(kept), changes=tuple(settings.items()), **rest)


def build(plan: Plan) -> nn.Sequential:
    """Return the ANN of a plan, in evaluation mode."""
    layers: list[nn.Module] = []
    shape = (plan.channels, plan.side)
    for stage in plan.stages:
        if stage.kind == "linear":
            shape = _linear(plan, stage, shape, layers)
        else:
            shape = _image_stage(plan, stage, shape, layers)
    layers += [*([nn.Flatten()] if shape[1] else []), nn.Linear(_features(shape), CLASSES)]
    network = nn.Sequential(*layers)
    _fill(network, plan)
    return network.eval()


def _features(shape: Shape) -> int:
    channels, side = shape
    return channels * side**2 if side else channels


def _linear(plan: Plan, stage: Stage, shape: Shape, layers: list[nn.Module]) -> Shape:
    """Add a linear stage; a vector has no side."""
    if shape[1]:
        layers.append(nn.Flatten())
    layers += [nn.Linear(_features(shape), stage.width), _site(plan, stage)]
    return stage.width, 0


def _image_stage(
    plan: Plan, stage: Stage, shape: tuple[int, int], layers: list[nn.Module]
) -> tuple[int, int]:
    channels, side = shape
    if stage.kind == "residual":
        inner = [*_convolution(channels, channels, stage, 1), _site(plan, stage)]
        body = nn.Sequential(*inner, *_convolution(channels, channels, stage, 1))
        layers.append(Residual(body, nn.Sequential()))
    else:
        layers += _convolution(channels, stage.width, stage, stage.stride)
        channels, side = stage.width, -(-side // stage.stride)
    layers.append(_site(plan, stage))
    if stage.pool != "none" and side >= 2:
        layers.append((nn.AvgPool2d if stage.pool == "average" else nn.MaxPool2d)(2))
        side //= 2
    return channels, side


def _convolution(inputs: int, outputs: int, stage: Stage, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, stage.kernel, stride=stride, padding=stage.kernel // 2)
    return [convolution, *([nn.BatchNorm2d(outputs)] if stage.batch_norm else [])]


def _site(plan: Plan, stage: Stage) -> QuantizedActivation:
    scale = plan.levels / 16 if plan.weights == "dyadic" else 1.0
    return QuantizedActivation(plan.levels, stage.quantizer, threshold=stage.threshold * scale)


def _fill(network: nn.Module, plan: Plan) -> None:
    """Give every weight its value; the roots that dyadic batch-norms take are exact."""
    random = torch.Generator().manual_seed(plan.seed)

    def numbers(shape: torch.Size) -> Tensor:
        if plan.weights == "dyadic":
            return torch.randint(-8, 9, shape, generator=random) / 8
        return torch.randn(shape, generator=random) / 2

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
            for parameter in module.parameters(recurse=False):
                parameter.data = numbers(parameter.shape)
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = numbers(module.bias.shape)
            module.running_var = 4.0 + torch.zeros_like(module.bias.data)
            if plan.weights == "dyadic":
                module.eps = 0.0
            else:
                module.running_var += numbers(module.bias.shape)
            module.weight.data = module.weight.abs() + 1
