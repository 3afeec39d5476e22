"""Both step functions by looking at every float there is.

All floats with one sign and one exponent are the floats in [1, 2) times a power of two, which multiplies
exactly; so one table of mantissas, scaled, passes through every normal number. The smallest and largest M
and N of such a block show whether anything changes in it; only where something does is the block looked at
float by float. The fused evaluation is held against the plain one in every block where something changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from qvm_verify.certificate.boundary import Counter
from qvm_verify.certificate.runs import Run, RunCollector
from qvm_verify.exits import ContradictionError
from qvm_verify.snn import can_compile, compile_function
from qvm_verify.snn.ordinals import ordinal_range, to_floats, to_ordinals

SMALL_BLOCK = 1 << 18


@dataclass(frozen=True)
class Sweep:
    """What a sweep saw."""

    runs: list[Run]
    nan_inputs: int
    nan_with_level: int  # NaN inputs for which the activation returned a number
    nan_with_spikes: int  # NaN inputs on which the neuron fired
    evaluation: str  # fused or plain, and why not fused


class FusionError(ContradictionError):
    """The fused evaluation differs from the plain one."""


def sweep(
    activation: Counter,
    neuron: Counter,
    *,
    dtype: torch.dtype,
    device: torch.device,
    on_inputs: Callable[[int], None] = lambda inputs: None,
) -> Sweep:
    """Evaluate both functions on every bit pattern of a 16-bit or 32-bit dtype.

    `on_inputs` is called with the number of floats done. Raises ValueError for float64, and FusionError
    where compiled and plain evaluation disagree.
    """
    if dtype.itemsize > 4:
        raise ValueError(f"{dtype} has 2^64 values; no sweep ends")
    lowest, highest = ordinal_range(dtype)
    collector = RunCollector()
    blocks = _Blocks(activation, neuron, dtype, device)
    for first, last in _block_ranges(lowest, highest, dtype):
        blocks.collect(first, last, collector)
        on_inputs(last - lowest + 1)
    return Sweep(collector.runs, *_nan_counts(activation, neuron, dtype, device), blocks.evaluation)


def _block_ranges(lowest: int, highest: int, dtype: torch.dtype) -> Iterator[tuple[int, int]]:
    """Yield first and last ordinal of blocks that tile [-inf, inf], one exponent a block."""
    mantissas = round(2 / torch.finfo(dtype).eps) // 2
    yield lowest, lowest
    for exponent in range((highest // mantissas) - 1, -1, -1):
        yield -1 - (exponent * mantissas + mantissas - 1), -1 - exponent * mantissas
    for exponent in range(highest // mantissas):
        yield exponent * mantissas, exponent * mantissas + mantissas - 1
    yield highest, highest


class _Blocks:
    """Evaluates blocks of neighbouring floats, fused where that pays."""

    def __init__(
        self, activation: Counter, neuron: Counter, dtype: torch.dtype, device: torch.device
    ) -> None:
        self._activation, self._neuron, self._dtype, self._device = activation, neuron, dtype, device
        mantissas = round(2 / torch.finfo(dtype).eps) // 2
        one = int(to_ordinals(torch.ones(1, dtype=dtype)))
        self._table = self._floats(one, one + mantissas - 1)
        extremes = _extremes_of(activation, neuron)
        with _DtypesSeen() as seen:
            extremes(self._table[:8], self._table[:1])
        compiler = can_compile(device)
        obstacle = "half precision" if seen.narrow else "" if compiler else "no C++ compiler"
        self.fused = not obstacle
        self.evaluation = f"plain evaluation ({obstacle})" if obstacle else "fused evaluation"
        self._extremes = compile_function(extremes) if self.fused else extremes

    def _floats(self, first: int, last: int) -> Tensor:
        return to_floats(torch.arange(first, last + 1, device=self._device), self._dtype)

    def collect(self, first: int, last: int, collector: RunCollector) -> None:
        """Add the runs of one block."""
        size = last - first + 1
        if size != len(self._table) or first in (0, -size):  # infinities, and the subnormal blocks
            self._collect_plain(first, last, collector)
            return
        nearest = first if first >= 0 else last
        scale = self._floats(nearest, nearest)  # the power of two, with its sign
        values = [float(value) for value in self._extremes(self._table, scale)]
        if values[0] == values[1] and values[2] == values[3]:
            collector.add(first, last, values[0], values[2])
            return
        plain = self._collect_plain(first, last, collector)
        if self.fused and plain != values:
            raise FusionError(f"fused evaluation gives {values}, plain evaluation {plain}")

    def _collect_plain(self, first: int, last: int, collector: RunCollector) -> list[float]:
        """Look at every float of a block; return the extremes of M and N."""
        extremes: list[Tensor] = []
        for start in range(first, last + 1, SMALL_BLOCK):
            x = self._floats(start, min(start + SMALL_BLOCK - 1, last))
            level, spike_count = self._activation(x), self._neuron(x)
            changes = ~(_equal(level[1:], level[:-1]) & _equal(spike_count[1:], spike_count[:-1]))
            starts = [0, *(int(place) + 1 for place in changes.nonzero())]
            for begin, end in zip(starts, [*starts[1:], len(x)], strict=True):
                collector.add(start + begin, start + end - 1, float(level[begin]), float(spike_count[begin]))
            extremes.append(torch.stack([level.amin(), level.amax(), spike_count.amin(), spike_count.amax()]))
        table = torch.stack(extremes)
        return [float(table[:, k].amin() if k % 2 == 0 else table[:, k].amax()) for k in range(4)]


def _extremes_of(activation: Counter, neuron: Counter) -> Callable[[Tensor, Tensor], tuple[Tensor, ...]]:
    """Return what takes floats and a factor to the smallest and largest M and N of their products."""

    def extremes(table: Tensor, scale: Tensor) -> tuple[Tensor, ...]:
        x = table * scale
        level, spike_count = activation(x), neuron(x)
        return level.amin(), level.amax(), spike_count.amin(), spike_count.amax()

    return extremes


class _DtypesSeen(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the dtype of every tensor that is computed while it is active."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtypes: set[torch.dtype] = set()

    @property
    def narrow(self) -> bool:
        """Whether half precision occurred, which a fused kernel computes in float32, with other results."""
        return any(dtype.is_floating_point and dtype.itemsize < 4 for dtype in self.dtypes)

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Any = (), keywords: dict[str, Any] | None = None
    ) -> Any:
        result = function(*arguments, **(keywords or {}))
        results = result if isinstance(result, tuple | list) else (result,)
        self.dtypes |= {one.dtype for one in results if isinstance(one, Tensor)}
        return result


def _equal(a: Tensor, b: Tensor) -> Tensor:
    return (a == b) | ((a != a) & (b != b))


def _nan_counts(
    activation: Counter, neuron: Counter, dtype: torch.dtype, device: torch.device
) -> tuple[int, int, int]:
    """Return how many NaN patterns there are, and how many have a level, or make the neuron fire."""
    lowest, highest = ordinal_range(dtype)
    info = torch.iinfo(torch.int16 if dtype.itemsize == 2 else torch.int32)
    inputs = with_level = with_spikes = 0
    for first, last in ((info.min, lowest - 1), (highest + 1, info.max)):
        for start in range(first, last + 1, SMALL_BLOCK):
            places: Any = torch.arange(start, min(start + SMALL_BLOCK, last + 1), device=device)
            x = to_floats(places, dtype)
            level = activation(x)
            inputs += len(x)
            with_level += int((level == level).sum())
            with_spikes += int((neuron(x) > 0).sum())
    return inputs, with_level, with_spikes
