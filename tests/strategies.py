"""Hypothesis strategies that look where conversions fail: on and beside the decision boundaries.

`st.floats` alone almost never produces a current within a few ulp of a boundary, so a property tested with
it passes where it is false.
"""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from qvm_verify import reference

THRESHOLDS = st.sampled_from([Fraction(1), Fraction(1, 3), Fraction(3, 2), Fraction(2), Fraction(17, 5)])
TIME_STEPS = st.integers(1, 9)
FIRINGS = st.sampled_from(reference.FIRINGS)
RESETS = st.sampled_from(reference.RESETS)
QUANTIZERS = st.sampled_from(reference.QUANTIZERS)


def nudged(value, ulps):
    """Return the float that lies `ulps` representable numbers above (or below) a NumPy float."""
    towards = value.dtype.type(np.copysign(np.inf, ulps))
    for _ in range(abs(ulps)):
        value = np.nextafter(value, towards)
    return value


def near_boundaries(steps, *, dtype=np.float32, threshold=1.0, ulps=4):
    """Currents k θ / T and (k + 1/2) θ / T, from below zero to past θ, plus or minus a few ulp."""
    gamma = dtype(threshold)

    def current(twice_k, ulps):
        return nudged(dtype(twice_k) / dtype(2) * gamma / dtype(steps), ulps)

    return st.builds(current, st.integers(-2, 2 * steps + 2), st.integers(-ulps, ulps))


def reals(limit=3):
    """Exact rationals in [-limit, limit]: halves, where quantizers jump, as often as anything else."""
    halves = st.integers(-2 * limit, 2 * limit).map(lambda n: Fraction(n, 2))
    return halves | st.fractions(-limit, limit, max_denominator=60)


def shares():
    """Exact rationals in [0, 1], with both ends drawn often."""
    return st.integers(0, 2).map(lambda n: Fraction(n, 2)) | st.fractions(0, 1, max_denominator=60)


def special_floats(dtype):
    """NaN, infinities, zeros of both signs, subnormal and largest numbers of a float dtype."""
    info = np.finfo(dtype)
    values = [np.nan, np.inf, -np.inf, 0.0, -0.0, info.smallest_subnormal, -info.smallest_subnormal]
    return st.sampled_from([dtype(value) for value in values] + [info.max, info.min])


def currents(steps, *, dtype, threshold=1.0):
    """Single currents of every kind: near boundaries, anything in range, and special values."""
    width = np.dtype(dtype).itemsize * 8
    anything = st.floats(-2, 4, width=width).map(dtype)
    return near_boundaries(steps, dtype=dtype, threshold=threshold) | anything | special_floats(dtype)


def vectors(elements, dtype, *, size=12):
    """Non-empty 1-D arrays of `elements`."""
    return st.lists(elements, min_size=1, max_size=size).map(lambda items: np.array(items, dtype=dtype))
