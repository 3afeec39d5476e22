"""Two step functions of one float, side by side: the level M and the spike count N of every current.

Over the floats in their order, from -inf to inf, M and N change at a few places only. Between two such
places lies a *run*: neighbouring floats with the same M and the same N. A list of runs therefore says what
both functions are at every float there is, however it was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch

from qvm_verify.snn.ordinals import ordinal, ordinal_range, to_floats
from qvm_verify.verdict import FloatClass, Interval


class Run(NamedTuple):
    """Neighbouring floats with the same M and N; `first` and `last` are ordinals, both included."""

    first: int
    last: int
    level: float
    spike_count: float

    @property
    def inputs(self) -> int:
        """How many floats it holds."""
        return self.last - self.first + 1


class RunCollector:
    """Joins stretches that are handed over in the order of the floats into maximal runs."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def add(self, first: int, last: int, level: float, spike_count: float) -> None:
        """Append a stretch that begins where the one before ended."""
        if self.runs:
            before = self.runs[-1]
            if same(before.level, level) and same(before.spike_count, spike_count):
                self.runs[-1] = before._replace(last=last)
                return
        self.runs.append(Run(first, last, level, spike_count))


def same(a: float, b: float) -> bool:
    """Tell whether two values are the same, NaN being one value."""
    return a == b or (a != a and b != b)


def mismatches(runs: list[Run], levels: int, time_steps: int) -> list[Run]:
    """Return the runs with N L != M T; NaN differs from everything."""
    return [run for run in runs if run.spike_count * levels != run.level * time_steps]


def is_monotone(runs: list[Run]) -> bool:
    """Tell whether neither M nor N ever falls from one float to the next."""
    return all(a.level <= b.level and a.spike_count <= b.spike_count for a, b in pairwise(runs))


def steps(runs: list[Run], values: list[float], dtype: torch.dtype) -> tuple[str, ...]:
    """Return, for k = 1, 2, ..., the smallest float from which on `values` (one a run) reach k."""
    found: list[int] = []
    for run, value in zip(runs, values, strict=True):
        while value == value and len(found) < value:
            found.append(run.first)
    return hex_floats(found, dtype)


def interval(run: Run, dtype: torch.dtype) -> Interval:
    """Return a run as the report shows it."""
    level, spike_count = (None if value != value else int(value) for value in run[2:])
    first, last = hex_floats([run.first, run.last], dtype)
    return Interval(
        first=first,
        last=last,
        inputs=run.inputs,
        level=level,
        spike_count=spike_count,
    )


def hex_floats(places: list[int], dtype: torch.dtype) -> tuple[str, ...]:
    """Return the floats at ordinals in hexadecimal."""
    return tuple(number.hex() for number in to_floats(torch.tensor(places), dtype).tolist())


def float_classes(runs: list[Run], failing: list[Run], dtype: torch.dtype) -> dict[str, FloatClass]:
    """Return how many inputs of each class there are, and how many of them fail."""
    return {
        name: FloatClass(
            inputs=sum(_overlap(run, first, last) for run in runs),
            mismatches=sum(_overlap(run, first, last) for run in failing),
        )
        for name, first, last in _class_ranges(dtype)
    }


def _overlap(run: Run, first: int, last: int) -> int:
    return max(0, min(run.last, last) - max(run.first, first) + 1)


def _class_ranges(dtype: torch.dtype) -> Iterator[tuple[str, int, int]]:
    """Yield name, first and last ordinal of every class, from -inf to inf."""
    lowest, highest = ordinal_range(dtype)
    normal = ordinal(torch.finfo(dtype).smallest_normal, dtype)
    yield "negative infinity", lowest, lowest
    yield "negative normal", lowest + 1, -1 - normal
    yield "negative subnormal", -normal, -2
    yield "negative zero", -1, -1
    yield "positive zero", 0, 0
    yield "positive subnormal", 1, normal - 1
    yield "positive normal", normal, highest - 1
    yield "positive infinity", highest, highest
