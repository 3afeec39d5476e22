"""All inputs at which N and M differ in floats, found from where each steps up.

Both are monotone step functions of the current (`ieee_theorem`, `ieee_level`), so each is known entirely by
the first float at which it reaches 1, 2, ..., T, and bisection finds that float. Under Theorem 3 the two
lists would be equal; between two entries that differ lie the counterexamples, all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from qvm_verify.reference import (
    MATCHED_V_INIT,
    IFParameters,
    Quantizer,
    constant_currents,
    level,
    simulate,
)

Array = np.ndarray[Any, Any]


class Interval(NamedTuple):
    """Neighbouring floats at each of which N and M differ; both ends belong to it."""

    first: float
    last: float
    inputs: int


def first_reaching(count: Callable[[Array], Array], most: int, dtype: Any) -> Array:
    """Return, for n = 1, ..., `most`, the smallest float x with count(x) >= n, as its place in the order.

    `count` must be monotone, 0 at -inf and `most` at +inf, and is called with floats of `dtype`, one for
    each n.
    """
    goal = np.arange(1, most + 1)
    top = _place(np.array(np.inf, dtype))
    low, high = np.full(most, -top), np.full(most, top)
    while (low + 1 < high).any():
        middle = (low & high) + (
            (low ^ high) >> 1
        )  # the mean; low + high is no overflow, high - low would be
        reached = count(float_at(middle, dtype)) >= goal
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


def _place(x: Array) -> Array:
    """Return the place of non-negative floats in the order of all floats, 0.0 being 0."""
    return np.asarray(x.view(f"int{x.dtype.itemsize * 8}").astype(np.int64))


def float_at(place: Array, dtype: Any) -> Array:
    """Return the floats at these places, negative ones below 0.0. -0.0 has no place of its own."""
    magnitude: Array = np.abs(place).astype(f"int{np.dtype(dtype).itemsize * 8}").view(dtype)
    return np.asarray(np.where(place < 0, -magnitude, magnitude))


def mismatches(quantizer: Quantizer, time_steps: int, threshold: Any) -> list[Interval]:
    """Return every input at which N and M differ, for T = L and V_0 matched to the quantizer (Theorem 3).

    `threshold` is a NumPy float, whose dtype is the arithmetic; it must be normal, with 2θ finite. NaN is no
    input. Raises ValueError where the threshold is out of that domain.
    """
    dtype = threshold.dtype
    if not np.finfo(dtype).smallest_normal <= threshold <= np.finfo(dtype).max / 2:
        raise ValueError(f"the threshold must be normal and its double finite, got {threshold}")
    v_init = dtype.type(MATCHED_V_INIT[quantizer]) * threshold

    def spike_count(x: Array) -> Array:
        run = simulate(constant_currents(x, time_steps), v_init=v_init, parameters=IFParameters(threshold))
        return np.asarray(run.spike_count)

    def level_of(x: Array) -> Array:
        return np.asarray(level(x, threshold=threshold, levels=time_steps, quantizer=quantizer))

    with np.errstate(over="ignore", invalid="ignore"):
        n, m = (first_reaching(count, time_steps, dtype) for count in (spike_count, level_of))
    found = _merged(np.minimum(n, m).tolist(), np.maximum(n, m).tolist())
    return [_interval(first, end, dtype) for first, end in found]


def _interval(first: int, end: int, dtype: Any) -> Interval:
    low, high = float_at(np.array([first, end - 1]), dtype).tolist()
    return Interval(low, high, end - first)


def _merged(firsts: list[int], ends: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the union of the half-open intervals, which come in ascending order."""
    current: tuple[int, int] | None = None
    for first, end in zip(firsts, ends, strict=True):
        if first == end:
            continue
        if current is not None and first <= current[1]:
            current = (current[0], max(end, current[1]))
            continue
        if current is not None:
            yield current
        current = (first, end)
    if current is not None:
        yield current
