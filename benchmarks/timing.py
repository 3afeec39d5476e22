"""Times that can be compared: taken in turns, on one machine, in one run."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Times = dict[str, list[float]]
"""Seconds of every run, by case, in the order of the rounds."""


class Spread(NamedTuple):
    """The median of some runs, with the quartiles around it."""

    low: float
    median: float
    high: float


def interleaved(cases: Mapping[str, Callable[[], object]], rounds: int) -> Times:
    """Return the seconds of `rounds` runs of every case, one after the other, after one run unmeasured.

    What disturbs the machine for a while so disturbs all cases alike. Every other round goes backwards, so
    that none always follows the same one.
    """
    for run in cases.values():
        run()
    times: Times = {name: [] for name in cases}
    for number in range(rounds):
        for name in list(cases) if number % 2 == 0 else reversed(list(cases)):
            start = time.perf_counter()
            cases[name]()
            times[name].append(time.perf_counter() - start)
    return times


def spread(values: Sequence[float]) -> Spread:
    """Return quartiles and median of at least one value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))


def ratios(times: Times, case: str, base: str) -> list[float]:
    """Return the ratio of two cases, round by round."""
    return [a / b for a, b in zip(times[case], times[base], strict=True)]


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return p of the least-squares fit log(seconds) = p log(size) + c; 1 is linear growth.

    Raises ValueError unless there are two different positive sizes.
    """
    if len(set(sizes)) < 2 or min(sizes) <= 0:
        raise ValueError(f"an exponent needs two different positive sizes, got {list(sizes)}")
    slope, _ = statistics.linear_regression([math.log(s) for s in sizes], [math.log(t) for t in seconds])
    return slope
