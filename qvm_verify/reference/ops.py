"""The few operations that the reference needs beyond `+ - * /` and comparisons.

Every step of the reference is written once over an `Ops` namespace, so that NumPy floats, exact rationals
and solver terms run through the same function: what is proved is what runs.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Protocol

import numpy as np

Number = Any
"""A NumPy array (float16/32/64, or objects holding `Fraction`), or a symbolic term of a solver."""


class Ops(Protocol):
    """What an arithmetic must offer to run the reference."""

    def where(self, condition: Any, yes: Number, no: Number) -> Number:
        """Return `yes` where `condition` holds, else `no`."""

    def floor(self, x: Number) -> Number:
        """Return the largest integer that is not above x."""

    def ceil(self, x: Number) -> Number:
        """Return the smallest integer that is not below x."""

    def cast(self, value: Number, like: Number) -> Number:
        """Bring an integer or `Fraction` into the arithmetic of `like`."""


class NumpyOps:
    """IEEE floats and exact rationals; which of the two is decided by the array's dtype."""

    def where(self, condition: Any, yes: Number, no: Number) -> Number:
        """Return `np.where`; a Python number takes the other side's dtype."""
        return np.where(condition, _whole(yes), _whole(no))

    def floor(self, x: Number) -> Number:
        """Return `np.floor`, exact for `Fraction` objects too."""
        return np.floor(x)

    def ceil(self, x: Number) -> Number:
        """Return `np.ceil`, exact for `Fraction` objects too."""
        return np.ceil(x)

    def cast(self, value: Number, like: Number) -> Number:
        """Return `value` in the dtype of `like`, so that an integer count never widens float32."""
        return as_dtype(value, np.asarray(like).dtype)


def _whole(value: Number) -> Number:
    """Return an integer that int64 cannot hold as an object, which NumPy neither wraps nor refuses.

    `np.floor` of one `Fraction` is a Python integer, of any size.
    """
    fits = not isinstance(value, int) or -(1 << 63) <= value < 1 << 63
    return value if fits else np.array(value, dtype=object)


NUMPY = NumpyOps()


def as_dtype(value: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """Return `value` as an array of `dtype`; for dtype `object`, as exact `Fraction` entries.

    Floats become the rational number they stand for, bit for bit. NaN and infinities have no rational
    value and raise ValueError or OverflowError.
    """
    array = np.asarray(value)
    if np.dtype(dtype) != object:
        return array.astype(dtype)
    exact = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        item: Any = array[index]
        exact[index] = Fraction(item.item() if isinstance(item, np.generic) else item)
    return exact
