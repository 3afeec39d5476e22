"""Whose weights a bare state dict holds, told by the shapes of its layers, and which weight is which.

The layers of a file and those of a network of ours are the same where their shapes are, kind by kind and in
order. So it does not matter what a repository calls its modules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from qvm_verify.exits import InputError
from qvm_verify.networks.architectures import BUILDERS, Architecture, build, choices_of
from qvm_verify.networks.blocks import VARIANTS, Pooling
from qvm_verify.networks.containers import Stored
from qvm_verify.networks.layers import COUNTER, NORM, Layers, layers_of, threshold_out_of_order
from qvm_verify.snn import Quantizer


class Given(NamedTuple):
    """What a state dict cannot hold, as far as it is known."""

    levels: int | None = None
    quantizer: Quantizer | None = None
    pooling: Pooling | None = None


class Recognised(NamedTuple):
    """A network of ours, without memory for its weights, and its state dict."""

    skeleton: nn.Module
    weights: dict[str, Tensor]


def recognise(stored: Stored, given: Given) -> Recognised:
    """Return the network whose weights a bare state dict holds; a ReLU network has no thresholds.

    Raises InputError where the layers are those of no network, a tensor has no place, the thresholds cannot
    be told apart or are not positive, or levels, quantizer or pooling are needed and not given.
    """
    state = _float32(stored.tensors)
    layers = layers_of(state, ordered=stored.ordered)
    architecture, skeleton = _matching(state, layers)
    pools = any(isinstance(module, nn.AvgPool2d) for module in skeleton.modules())
    needed: dict[str, Any] = {"levels": given.levels, "quantizer": given.quantizer}
    if pools and "pooling" in choices_of(architecture.name):
        needed["pooling"] = given.pooling
    elif given.pooling is not None:
        raise InputError(f"--pooling {given.pooling}: {architecture.name} has no pooling to choose here")
    for name, value in needed.items():
        if value is None:
            raise InputError(f"holds a {architecture.name} and not its {name}; give --{name}")
    header = {**architecture.header(), **needed}
    try:
        with torch.device("meta"):
            skeleton = build(Architecture(**header))
    except ValueError as error:
        raise InputError(str(error)) from error
    weights = dict(_renamed(state, layers, skeleton.state_dict(), architecture.name))
    return Recognised(skeleton, weights)


def _float32(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors with half precision widened, which changes no value."""
    halves = (torch.float16, torch.bfloat16)
    return {name: tensor.float() if tensor.dtype in halves else tensor for name, tensor in tensors.items()}


def _matching(state: Mapping[str, Tensor], layers: Layers) -> tuple[Architecture, nn.Module]:
    if layers.convolutions and layers.linears:
        classes = state[f"{layers.linears[-1]}.weight"].shape[0]
        channels = state[f"{layers.convolutions[0]}.weight"].shape[1]
        for architecture in _architectures(classes, channels) if classes and channels else ():
            with torch.device("meta"):
                skeleton = build(architecture)
            ours = skeleton.state_dict()
            if _shapes(ours, layers_of(ours)) == _shapes(state, layers):
                return architecture, skeleton
    names = ", ".join(sorted(BUILDERS))
    raise InputError(
        f"its layers ({layers.counts()}) are those of none of {names}; "
        "give the network's own code with --arch package.module:factory"
    )


def _architectures(classes: int, channels: int) -> Iterator[Architecture]:
    """Yield every network there is, with stand-ins for what no shape shows."""
    for name in BUILDERS:
        offers: list[dict[str, Any]] = [{}]
        if "variant" in choices_of(name):
            offers = [{"variant": variant, "channels": channels} for variant in VARIANTS]
        for offer in offers:
            yield Architecture(name=name, levels=1, quantizer="floor", classes=classes, **offer)


def _shapes(state: Mapping[str, Tensor], layers: Layers) -> tuple[list[torch.Size], ...]:
    norms = (layers.norms, layers.shortcut_norms)
    kinds = (layers.convolutions, layers.shortcuts, layers.linears, *norms)
    return tuple([state[f"{name}.weight"].shape for name in kind] for kind in kinds)


def _renamed(
    state: Mapping[str, Tensor], theirs: Layers, wanted: Mapping[str, Tensor], network: str
) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a file under our names."""
    ours = layers_of(wanted)
    convolutions = (theirs.convolutions + theirs.shortcuts, ours.convolutions + ours.shortcuts)
    for their, our in zip(*convolutions, strict=True):
        yield from _weight_and_bias(state, their, wanted, our)
    for their, our in zip(theirs.linears, ours.linears, strict=True):
        yield from _weight_and_bias(state, their, wanted, our)
    norms = (theirs.norms + theirs.shortcut_norms, ours.norms + ours.shortcut_norms)
    for their, our in zip(*norms, strict=True):
        for leaf in NORM:
            yield f"{our}.{leaf}", state[f"{their}.{leaf}"]
        yield f"{our}.{COUNTER}", state.get(f"{their}.{COUNTER}", torch.tensor(0))
    yield from _thresholds(state, theirs, ours, network)


def _weight_and_bias(
    state: Mapping[str, Tensor], their: str, wanted: Mapping[str, Tensor], our: str
) -> Iterator[tuple[str, Tensor]]:
    weight, bias = state[f"{their}.weight"], state.get(f"{their}.bias")
    yield f"{our}.weight", weight
    if f"{our}.bias" in wanted:
        yield f"{our}.bias", torch.zeros(len(weight), dtype=weight.dtype) if bias is None else bias
    elif bias is not None:
        raise InputError(f"{their!r} has a bias, which this network has not where batch-norm follows")


def _thresholds(
    state: Mapping[str, Tensor], theirs: Layers, ours: Layers, network: str
) -> Iterator[tuple[str, Tensor]]:
    if not theirs.thresholds:
        return  # a ReLU network
    if len(theirs.thresholds) != len(ours.thresholds):
        has = f"{len(theirs.thresholds)} thresholds, and {network} {len(ours.thresholds)} activations"
        raise InputError(f"holds {has}; a shared activation needs its own code, with --arch")
    stray = threshold_out_of_order(theirs)
    if stray is not None:
        raise InputError(
            f"{stray!r} is not where a threshold of {network} would be, so its activation is not certain; "
            "give the network's own code with --arch package.module:factory"
        )
    for their, our in zip(theirs.thresholds, ours.thresholds, strict=True):
        threshold = state[their]
        if threshold.dtype != torch.float32:
            raise InputError(f"{their!r} is {threshold.dtype}, and must be torch.float32")
        if not threshold.item() > 0:
            raise InputError(f"the threshold {their!r} is {threshold.item():.6g}, and must be positive")
        yield our, threshold.reshape(())
