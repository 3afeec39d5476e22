"""All statistics of a site in one pass over its currents.

Under constant currents everything that is counted at a site of the project's own modules depends on one
float, the current, and changes at a few hundred places among the floats in their order only. Between two
such places lies a *bin*. So a batch is reduced, in one pass over memory, to how often each bin occurs, and
the statistics are those of one representative a bin, each counted as often as its bin occurs.

Why a bin has one value: each quantity is a monotone step function of the current, found by bisection with
the very operations of the audit as judge (`x * L / γ` and the comparison with a float never fall; M and N do
not by the theorem that `why_not_monotone` checks for), or is a matter of counting floats (margins,
certificates). Nothing else is taken on trust: what the activation returned is compared with its bin bit for
bit, and images on which anything is unusual (NaN, M and N that differ, outputs not as expected) are left to
the plain operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from qvm_verify.audit import kernels
from qvm_verify.audit.certification import Reach, SiteCertificate
from qvm_verify.audit.kernels import Array
from qvm_verify.audit.margins import Margins
from qvm_verify.audit.setting import Setting, decode_counts, decode_levels
from qvm_verify.audit.sites import Pair
from qvm_verify.audit.statistics import Observation, SiteStatistics, site_statistics
from qvm_verify.certificate.boundary import why_not_monotone
from qvm_verify.report.model import Mode
from qvm_verify.snn import IFNeuron, QuantizedActivation, StepNeuron
from qvm_verify.snn.ordinals import first_holding, ordinal_range, to_floats, to_ordinals

DTYPE = torch.float32
LOWEST, HIGHEST = ordinal_range(DTYPE)
ENDS = -(1 << 31), 1 << 31
"""Of the ordinals, with all NaNs."""
MOST_BINS = 1 << 14
NONE = 2 * kernels.FAR
"""Before and after everything."""


class Binned(NamedTuple):
    """A site's currents on one batch, as counts."""

    x: Tensor  # [images, ...]
    counts: Tensor  # [images, bins]
    nearest: Tensor  # [images, 2], what was seen of distances to boundaries and to failing inputs
    usual: Tensor  # [images], whether M and N agree on all of it, and nothing is NaN


class SiteTable:
    """What happens at a site in each bin. Raises ValueError where there is no such table (`table_of`)."""

    def __init__(
        self,
        activation: QuantizedActivation,
        neuron: IFNeuron,
        setting: Setting,
        margins: Margins,
        certificate: SiteCertificate,
    ) -> None:
        self._setting, self._margins, self._certificate = setting, margins, certificate
        levels, table = setting.levels, StepNeuron(neuron)
        self._rises, self._rates = table.steps, table.rates
        steps = first_holding(
            lambda x: torch.cat(
                [
                    activation.level(x[:, :levels]) >= torch.arange(1, levels + 1),
                    *_integer_z(x[:, levels:-1], setting),
                    x[:, -1:] > setting.threshold,
                ],
                dim=1,
            ),
            levels + 2 * (levels + 1) + 1,
            DTYPE,
            torch.device("cpu"),
        )
        boundaries, failing = margins.places.tolist(), certificate.failing.tolist()
        edges = {ENDS[0], LOWEST, LOWEST + 1, -1, HIGHEST, HIGHEST + 1, *steps.tolist()}
        edges |= set(to_ordinals(self._rises).tolist())
        edges |= _margin_edges(boundaries) | {place for a, b in failing for place in (a, b + 1)}
        self._edges = torch.tensor(sorted(edges))
        if len(edges) > MOST_BINS:
            raise ValueError(f"{len(edges)} bins are too many")
        self._describe(activation, neuron)
        self._ends = np.array([*sorted(edges), ENDS[1]])
        self._cells = _cells(self._ends)
        self._near = np.stack(
            [
                *_neighbours(self._ends[:-1], [(place, place) for place in boundaries]),
                *_neighbours(self._ends[:-1], failing, apart=True),
            ],
            axis=1,
        )
        self._fails = torch.from_numpy((self._near[:, 2] == -NONE) & (self._near[:, 3] == NONE))
        self._fails &= bool(failing)

    def _describe(self, activation: QuantizedActivation, neuron: IFNeuron) -> None:
        """Observe both modules on the first float of each bin."""
        x = to_floats(self._edges, DTYPE)
        output, rate = activation(x), neuron(x)
        (level, off), (spike_count, neuron_off) = (
            decode_levels(output, self._setting),
            decode_counts(rate, self._setting),
        )
        if off or neuron_off:
            raise ValueError("outputs lie off the grid")
        self._seen = Observation(x, level, output, x, spike_count, rate)
        self._unusual = self._seen.mismatches(self._setting) | torch.isnan(x)

    def look(self, x: Tensor, output: Tensor) -> Binned | None:
        """Return what the ANN did at this site on one batch; None where `output` is not what it must be."""
        if (x.dtype, output.dtype, output.shape) != (DTYPE, DTYPE, x.shape):
            return None
        counts, nearest, as_expected = kernels.bin_images(
            _rows(x, like=output).view(np.int32),
            _rows(output, like=x).view(np.int32),
            self._cells,
            self._ends,
            self._near,
            self._seen.activation.numpy().view(np.int32),
        )
        if not as_expected.all():
            return None
        times = torch.from_numpy(counts)
        return Binned(x, times, torch.from_numpy(nearest), ~times[:, self._unusual].any(1))

    def statistics(self, binned: Binned, images: Tensor, mode: Mode) -> SiteStatistics:
        """Return the statistics of `images`, a mask; end to end where both networks received the same."""
        times = binned.counts[images].sum(0)
        occupied = times.nonzero().flatten()
        seen = Observation(*(values[occupied] for values in self._seen))
        found = site_statistics(seen, mode, self._setting, self._margins, times[occupied])
        return replace(
            found,
            neurons=binned.x[0].numel(),
            samples=int(images.sum()),
            margin=int(binned.nearest[images, 0].min()),
        )

    def reach(self, binned: Binned, images: Tensor) -> Reach:
        """Return how many of these inputs fail, and how near the others came."""
        nearest = int(binned.nearest[images, 1].min())
        hits = int(binned.counts[images].sum(0)[self._fails].sum())
        return Reach(hits, nearest if nearest < kernels.FAR else None)

    @contextmanager
    def spiking(self, neuron: nn.Module) -> Iterator[None]:
        """Let `neuron` take its φ = (θ / T) · N (Eq. 3) from the T places where N rises, for a while."""

        def forward(x: Tensor) -> Tensor:
            found = torch.empty_like(x)
            if x.dtype != DTYPE or found.stride() != x.stride() or len(x) * x.stride(0) != x.numel():
                return IFNeuron.forward(neuron, x)  # type: ignore[arg-type]  # `table_of` saw to it
            kernels.look_up(_rows(x, found), self._rises.numpy(), self._rates.numpy(), _rows(found, x))
            return found

        vars(neuron)["forward"] = forward
        try:
            yield
        finally:
            del vars(neuron)["forward"]


def same_images(a: Tensor, b: Tensor) -> Tensor:
    """Return which images of two float32 tensors of one shape have the same bits [images]."""
    a, b = a.view(torch.int32), b.view(torch.int32)
    if torch.equal(a, b):
        return torch.ones(len(a), dtype=torch.bool)
    # NumPy: PyTorch would start its threads for every image.
    pairs = zip(_rows(a, like=b), _rows(b, like=a), strict=True)
    return torch.tensor([np.array_equal(*pair) for pair in pairs])


@torch.no_grad()
def table_of(
    pair: Pair,
    setting: Setting,
    dtype: torch.dtype,
    device: torch.device,
    margins: Margins,
    certificate: SiteCertificate,
) -> SiteTable | None:
    """Return the table of a site; None where it has none, or nothing compiles loops over it."""
    activation, neuron = pair.activation, pair.neuron
    if dtype != DTYPE or device.type != "cpu" or setting.streaming or not kernels.available():
        return None
    if type(activation) is not QuantizedActivation or type(neuron) is not IFNeuron:
        return None
    own = all(_as_defined(module) for module in (activation, neuron))
    if not own or why_not_monotone(activation.level) or why_not_monotone(neuron.spike_count):
        return None
    try:
        return SiteTable(activation, neuron, setting, margins, certificate)
    except ValueError:
        return None


def _as_defined(module: nn.Module) -> bool:
    """Tell whether nobody hooked into a module or replaced a method, and all its numbers are float32."""
    hooked = module._forward_hooks or module._forward_pre_hooks
    tensors = [*module.parameters(), *module.buffers()]
    methods = any(callable(value) for value in vars(module).values())
    return not hooked and not methods and all(tensor.dtype == DTYPE for tensor in tensors)


def _integer_z(x: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
    """Return whether z = x L / γ reaches k, and whether it passes k, for k = 0 ... L: one column each."""
    z = x * setting.levels / setting.activation_threshold
    k = torch.arange(setting.levels + 1)
    return z[:, : len(k)] >= k, z[:, len(k) :] > k


def _margin_edges(boundaries: list[int]) -> set[int]:
    """Return where ⌊log2(d + 1)⌋ changes, d being the distance to the nearest boundary."""
    edges: set[int] = set()
    first, last = 2 * ENDS[0] - boundaries[0], 2 * ENDS[1] - boundaries[-1]
    for before, after in pairwise([first, *boundaries, last]):
        half = (after - before) // 2 + 1
        sizes = [1 << k for k in range(half.bit_length() + 1)]
        edges |= {before + size - 1 for size in sizes if size - 1 <= half}
        edges |= {after - size + 2 for size in sizes[1:] if size - 2 <= half}
    return {edge for edge in edges if ENDS[0] <= edge < ENDS[1]}


def _cells(ends: Array) -> Array:
    """Return the bin of each cell, or -1 - (the bin of its first float) where it holds several."""
    first = np.arange(*ENDS, 1 << kernels.CELL_BITS)
    last = first + (1 << kernels.CELL_BITS) - 1
    bins, last_bins = (np.searchsorted(ends, places, side="right") - 1 for places in (first, last))
    return np.where(bins == last_bins, bins, -1 - bins).astype(np.int16)


def _neighbours(places: Array, intervals: list[tuple[int, int]], apart: bool = False) -> tuple[Array, Array]:
    """Return, for each place, the end of the interval that begins before it and the start of the next.

    With `apart`, a place in an interval has neither.
    """
    starts, ends = (np.array([interval[k] for interval in intervals], np.int64) for k in (0, 1))
    after = np.searchsorted(starts, places, side="right")
    before = np.concatenate([[-NONE], ends])[after]
    following = np.concatenate([starts, [NONE]])[after]
    if apart:
        within = before >= places
        before, following = np.where(within, -NONE, before), np.where(within, NONE, following)
    return before, following


def _rows(x: Tensor, like: Tensor) -> Array:
    """Return [images, n], in the order of memory, which needs no copy, where `like` lies as x does."""
    size, x = x[0].numel(), x.detach()
    if x.stride() == like.stride() == torch.empty_like(x).stride() and x.stride(0) == size:
        return x.as_strided((len(x), size), (size, 1)).numpy()
    return x.reshape(len(x), size).numpy()
