"""What folding batch-norm changes: which sums, by how much, and which levels M.

Folding is an equality over the reals and seldom one in floating point, so two questions are kept apart.
*Is it bit-equal?* Both networks run on the data by themselves, and every current of every site is compared;
differences travel, so a site shows those of all sites before it. *Is it folding at all?* Each folded layer
runs in float64 on the original's own input, where nothing is left but the one rounding of W' and b'; a sum
that is further off than that rounding explains is a fault.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify.exits import InputError
from qvm_verify.folding.fold import BATCH_NORMS, foldable, scale_and_shift
from qvm_verify.snn import QuantizedActivation
from qvm_verify.verdict import Evidence, Verdict

Batch = Tensor | tuple[Tensor, Tensor] | list[Tensor]

FLOAT64_SLACK = 2.0**-40
"""Far above the rounding of float64 sums, far below that of float32 weights; relative."""


@dataclass(frozen=True, kw_only=True)
class SiteFolding:
    """What became of the input of one site; `name` is "(scores)" for the output of the network."""

    name: str
    sums: int
    sums_differing: int
    max_difference: float
    levels_differing: int  # for the scores: images whose highest score is another one
    first_image: int | None  # number of the first image with a sum that differs


@dataclass(frozen=True, kw_only=True)
class FoldingCheck:
    """The comparison of a network with its folded copy on some images."""

    images: int
    dtype: str
    folded: Mapping[str, str]  # {batch-norm: layer}
    left: tuple[str, ...]  # batch-norms that follow no layer alone, and were not folded
    sites: tuple[SiteFolding, ...]
    scores: SiteFolding
    beyond_rounding: Mapping[str, int]  # {layer: sums that the rounding of W' and b' does not explain}

    @property
    def bit_equal(self) -> bool:
        """Whether no sum and no score differs in a bit."""
        return not any(part.sums_differing for part in (*self.sites, self.scores))

    @property
    def evidence(self) -> Evidence:
        """The verdict on "the folded network has the same currents and scores, bit for bit".

        TESTED on these images, REFUTED by one of them, ERROR where a layer was folded wrongly, UNKNOWN
        where nothing was folded.
        """
        verdict = Verdict.TESTED if self.bit_equal else Verdict.REFUTED
        if not self.folded:
            verdict = Verdict.UNKNOWN
        if self.beyond_rounding:
            verdict = Verdict.ERROR
        return Evidence(
            claim="batch-norm folding is exact",
            arithmetic=self.dtype,
            verdict=verdict,
            detail=self.sentence,
            inputs=self.images,
        )

    @property
    def sentence(self) -> str:
        """What was found, in one sentence."""
        if self.beyond_rounding:
            layer, sums = next(iter(self.beyond_rounding.items()))
            return f"{layer} was folded wrongly: rounding explains the difference at all but {sums} sums"
        if not self.folded:
            return "no batch-norm was folded"
        if self.bit_equal:
            return f"{len(self.folded)} batch-norms folded; every sum is the same to the bit"
        sums = sum(site.sums for site in self.sites)
        differing = sum(site.sums_differing for site in self.sites)
        levels = sum(site.levels_differing for site in self.sites)
        worst = max(part.max_difference for part in (*self.sites, self.scores))
        return (
            f"{len(self.folded)} batch-norms folded; not bit-equal: {differing} of {sums} sums "
            f"differ, by at most {worst:.3g}, and {levels} levels M"
        )


@torch.no_grad()
def check_folding(network: nn.Module, folded: nn.Module, batches: Iterable[Batch]) -> FoldingCheck:
    """Compare `network` with `folded`, what `fold_batch_norm` made of it, on batches of images.

    Both run in evaluation mode, as copies. Raises InputError where the data holds no image, the networks
    have different sites, or a batch-norm of `foldable` is not folded into a layer with a bias.
    """
    pairs = foldable(network)
    check = _Check(copy.deepcopy(network).eval(), copy.deepcopy(folded).eval(), pairs)
    for batch in batches:
        images = batch if isinstance(batch, Tensor) else batch[0]
        if len(images):
            check.add(images)
    if not check.images:
        raise InputError("the data holds no image to check the folding on")
    norms = {name for name, module in network.named_modules() if isinstance(module, BATCH_NORMS)}
    return FoldingCheck(
        images=check.images,
        dtype=check.dtype,
        folded=pairs,
        left=tuple(sorted(norms - pairs.keys())),
        sites=tuple(difference.result() for difference in check.sites.values()),
        scores=check.scores.result(),
        beyond_rounding={name: sums for name, sums in check.beyond_rounding.items() if sums},
    )


class _Check:
    """One comparison in progress."""

    def __init__(self, network: nn.Module, folded: nn.Module, pairs: Mapping[str, str]) -> None:
        self.network, self.folded = network, folded
        sites = [name for name, module in network.named_modules() if isinstance(module, QuantizedActivation)]
        if sites != [n for n, module in folded.named_modules() if isinstance(module, QuantizedActivation)]:
            raise InputError("the folded network has other sites than the original")
        self.layers = {layer: _InDouble(network, folded, norm, layer) for norm, layer in pairs.items()}
        self.sites = {name: _Difference(name) for name in sites}
        self.scores = _Difference("(scores)")
        self.beyond_rounding = dict.fromkeys(self.layers, 0)
        self.images = 0
        self.dtype = "float32"

    def add(self, images: Tensor) -> None:
        """Compare the two networks on one batch."""
        self.dtype = str(images.dtype).removeprefix("torch.")
        mine, scores = _run(self.network, [*self.sites, *self.layers], images)
        theirs, folded_scores = _run(self.folded, list(self.sites), images)
        for name, difference in self.sites.items():
            a, b = self.network.get_submodule(name), self.folded.get_submodule(name)
            assert isinstance(a, QuantizedActivation)
            assert isinstance(b, QuantizedActivation)
            for x, y in zip(mine[name], theirs[name], strict=True):
                difference.add(x, y, int((a.level(x) != b.level(y)).sum()), self.images)
        moved = int((scores.argmax(1) != folded_scores.argmax(1)).sum())
        self.scores.add(scores, folded_scores, moved, self.images)
        for name, layer in self.layers.items():
            self.beyond_rounding[name] += sum(layer.beyond_rounding(x) for x in mine[name])
        self.images += len(images)


class _Difference:
    """The differences of one site, or of the scores, as they add up."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sums = self.sums_differing = self.levels_differing = 0
        self.max_difference = 0.0
        self.first_image: int | None = None

    def add(self, x: Tensor, y: Tensor, levels_differing: int, images_before: int) -> None:
        differs = x != y
        self.sums += x.numel()
        self.levels_differing += levels_differing
        if differs.any():
            self.sums_differing += int(differs.sum())
            self.max_difference = max(self.max_difference, float((x.double() - y.double()).abs().max()))
            if self.first_image is None:
                self.first_image = images_before + int(differs.flatten(1).any(1).nonzero()[0])

    def result(self) -> SiteFolding:
        return SiteFolding(
            name=self.name,
            sums=self.sums,
            sums_differing=self.sums_differing,
            max_difference=self.max_difference,
            levels_differing=self.levels_differing,
            first_image=self.first_image,
        )


class _InDouble:
    """One layer with its batch-norm, its folded form, and what the rounding of W' and b' can do, in float64.

    A rounded weight is off by at most u |w'|, or by half the smallest subnormal number; so the sums are off
    by at most Σ u |w'| |x| + u |b'|, which is the layer itself with those numbers for weights, run on |x|.
    """

    def __init__(self, network: nn.Module, folded: nn.Module, norm: str, layer: str) -> None:
        replaced: Any = folded.get_submodule(layer)
        if not isinstance(folded.get_submodule(norm), nn.Identity) or replaced.bias is None:
            raise InputError(f"{norm!r} is not folded into {layer!r}")
        batch_norm: Any = copy.deepcopy(network.get_submodule(norm)).double()
        self.original = nn.Sequential(copy.deepcopy(network.get_submodule(layer)).double(), batch_norm)
        self.folded = copy.deepcopy(replaced).double()
        self.bound: Any = copy.deepcopy(self.folded)
        kind = torch.finfo(replaced.weight.dtype)
        half_subnormal = kind.smallest_normal * kind.eps / 2

        def rounding(values: Tensor) -> Tensor:
            return (values.abs() * (kind.eps / 2)).clamp(min=half_subnormal) + values.abs() * FLOAT64_SLACK

        self.bound.weight.copy_(rounding(self.bound.weight))
        cancelling = FLOAT64_SLACK * _addends(batch_norm, self.original[0])
        self.bound.bias.copy_(rounding(self.bound.bias) + cancelling)

    def beyond_rounding(self, x: Tensor) -> int:
        """Return how many sums differ by more than rounding explains."""
        x = x.double()
        return int(((self.original(x) - self.folded(x)).abs() > self.bound(x.abs())).sum())


def _addends(norm: Any, layer: Any) -> Tensor:
    """Return |s b| + |s μ| + |β|, [channels]: they may cancel in b', but not in the rounding of their sum."""
    scale, _ = scale_and_shift(norm)
    b = torch.zeros_like(scale) if layer.bias is None else layer.bias
    beta = norm.bias if norm.affine else torch.zeros_like(scale)
    addends: Tensor = (scale * b).abs() + (scale * norm.running_mean).abs() + beta.abs()
    return addends


def _run(network: nn.Module, names: Iterable[str], images: Tensor) -> tuple[dict[str, list[Tensor]], Tensor]:
    """Return the inputs of the named modules, one a call, and the scores."""
    inputs: dict[str, list[Tensor]] = {name: [] for name in names}

    def hook_for(name: str) -> Any:
        return lambda module, given: inputs[name].append(given[0])

    with ExitStack() as stack:
        for name in inputs:
            stack.callback(network.get_submodule(name).register_forward_pre_hook(hook_for(name)).remove)
        scores: Tensor = network(images)
    return inputs, scores
