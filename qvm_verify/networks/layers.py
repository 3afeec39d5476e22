"""A state dict as layers: what each tensor is for is read off its shape and its neighbours, not its path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from qvm_verify.exits import InputError

NORM = frozenset({"weight", "bias", "running_mean", "running_var"})
COUNTER = "num_batches_tracked"  # of a batch-norm; older files have none
THRESHOLDS = frozenset({"thresh", "threshold", "up"})
"""The last part of a threshold's name in this project and in the QCFS family."""

_ACTIVATION_NAMES = frozenset({"act", "activation", "relu"})
_STEM_NAMES = frozenset({"conv1", "bn1", "stem"})
_HEAD_NAMES = frozenset({"classifier", "fc", "head", "linear"})


@dataclass(frozen=True)
class Layers:
    """The layers of a network by kind, each as the name before ".weight", in the order of definition."""

    convolutions: list[str] = field(default_factory=list)
    shortcuts: list[str] = field(default_factory=list)  # convolutions of 1x1 pixel
    linears: list[str] = field(default_factory=list)
    norms: list[str] = field(default_factory=list)  # behind `convolutions`
    shortcut_norms: list[str] = field(default_factory=list)
    thresholds: list[str] = field(default_factory=list)  # the tensor's whole name
    main: list[str] = field(default_factory=list)  # convolutions, linear layers and thresholds, together

    def counts(self) -> str:
        """Return how many there are of each."""
        return (
            f"{len(self.convolutions)} convolutions, {len(self.shortcuts)} of 1x1, "
            f"{len(self.norms + self.shortcut_norms)} batch-norms, {len(self.linears)} linear layers"
        )


def layers_of(state: Mapping[str, Tensor], *, ordered: bool = True) -> Layers:
    """Return the layers of a state dict; where the file has lost the order, names must tell it.

    The k-th batch-norm is taken to follow the k-th convolution, shortcuts included, wherever a block defines
    its shortcut.

    Raises InputError, naming it, for a tensor that belongs to no layer known here.
    """
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        prefix, _, leaf = name.rpartition(".")
        groups.setdefault(prefix, {})[leaf] = tensor
    layers = Layers()
    names = list(groups) if ordered else sorted(groups, key=_place)
    for prefix in names:
        _add(layers, prefix, groups[prefix])
    return _with_norms_sorted(layers, names)


def _with_norms_sorted(layers: Layers, names: list[str]) -> Layers:
    """Return the layers with the batch-norms of shortcuts apart."""
    shortcuts = set(layers.shortcuts)
    convolutions = {*layers.convolutions, *shortcuts}
    in_order = [name for name in names if name in convolutions]
    of_shortcut = [norm for name, norm in zip(in_order, layers.norms, strict=False) if name in shortcuts]
    others = set(layers.norms) - set(of_shortcut)
    norms = [norm for norm in layers.norms if norm in others]
    return replace(layers, norms=norms, shortcut_norms=of_shortcut)


def _add(layers: Layers, prefix: str, tensors: Mapping[str, Tensor]) -> None:
    weight = tensors.get("weight")
    dimensions = None if weight is None else weight.dim()
    if prefix and weight is not None and dimensions in (2, 4) and tensors.keys() <= {"weight", "bias"}:
        if dimensions == 2:
            layers.linears.append(prefix)
        elif weight.shape[2:] == (1, 1):
            layers.shortcuts.append(prefix)
            return
        else:
            layers.convolutions.append(prefix)
        layers.main.append(prefix)
    elif prefix and dimensions == 1 and tensors.keys() - {COUNTER} == NORM:
        layers.norms.append(prefix)
    else:
        for leaf, tensor in tensors.items():
            name = f"{prefix}.{leaf}".removeprefix(".")
            if leaf not in THRESHOLDS or len(tensors) > 1:
                raise InputError(f"{name!r} belongs to no layer that is known here")
            if tensor.numel() != 1:
                raise InputError(
                    f"{name!r} has shape {list(tensor.shape)}; one threshold a site is supported"
                )
            layers.thresholds.append(name)
            layers.main.append(name)


def threshold_out_of_order(layers: Layers) -> str | None:
    """Return the first threshold that may not be the activation's behind its layer; None if all are.

    In these networks the k-th activation follows the k-th layer, shortcuts apart. A file whose thresholds
    come otherwise may have been defined in another order than it runs, and the k-th threshold may then not
    be that of the k-th activation. Neighbours that are numbered (act1, act2) are in the order of numbers.
    """
    before = index = 0
    thresholds = set(layers.thresholds)
    for place, name in enumerate(layers.main):
        if name not in thresholds:
            before += 1
            continue
        index += 1
        earlier, later = layers.main[max(place - 1, 0) : place], layers.main[place + 1 : place + 2]
        numbered = any(_follows(name, other) for other in earlier) or any(
            _follows(other, name) for other in later
        )
        if before != index and not numbered:
            return name
    return None


def _follows(name: str, other: str) -> bool:
    """Tell whether two thresholds differ by the number of their module only, and `name` has the higher."""
    (stem, number), (other_stem, other_number) = _numbered(name), _numbered(other)
    return stem == other_stem and number > other_number >= 0


def _numbered(name: str) -> tuple[str, int]:
    """Return a name without the number at the end of its module, and the number: a.act1.up has 1."""
    module, _, leaf = name.rpartition(".")
    match = re.fullmatch(r"(.*[^\d.])(\d+)", module)
    return (f"{match[1]}.{leaf}", int(match[2])) if match else (name, -1)


def _place(prefix: str) -> tuple[Any, ...]:
    """Return a key that sorts module names into the order in which networks define them."""
    return tuple(_part_place(part, depth) for depth, part in enumerate(prefix.split(".")))


def _part_place(part: str, depth: int) -> tuple[Any, ...]:
    is_activation = part.rstrip("0123456789") in _ACTIVATION_NAMES
    if depth == 0:
        kinds: Iterable[bool] = (part in _STEM_NAMES, is_activation, part not in _HEAD_NAMES, True)
        rank = list(kinds).index(True)
    else:
        rank = int(part in _ACTIVATION_NAMES)  # a block's last activation; act1 and act2 know their place
    return rank, tuple((0, int(piece)) if piece.isdigit() else (1, piece) for piece in _pieces(part))


def _pieces(part: str) -> list[str]:
    return [piece for piece in re.split(r"(\d+)", part) if piece]
