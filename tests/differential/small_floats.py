"""IEEE 754 numbers of a few bits, so few that every one can be tried.

A number is kept as the Python float that it equals. Sums and products of such numbers are exact in float64,
and quotients close enough that rounding them a second time, to a few bits, changes nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from qvm_verify.proofs.solvers import float_from_bits


class Format(NamedTuple):
    """Bits of the exponent and of the significand, the hidden bit included."""

    exponent: int
    significand: int

    def __str__(self) -> str:
        return f"float{self.exponent}.{self.significand}"

    def nearest(self, value: Any) -> float:
        """Return an int, a `Fraction` or a float rounded to nearest even."""
        if isinstance(value, float) and (not math.isfinite(value) or value == 0):
            return float(value)  # keeps the sign of zero
        exact = Fraction(value)
        rounded = _rounded(self, abs(exact)) if exact else 0.0
        return math.copysign(rounded, exact) if rounded else math.copysign(0.0, exact)


def _rounded(form: Format, x: Fraction) -> float:
    largest_exponent = (1 << (form.exponent - 1)) - 1
    exponent = max(math.frexp(float(x))[1] - 1, 1 - largest_exponent)
    quantum = Fraction(2) ** (exponent - form.significand + 1)
    rounded = round(x / quantum) * quantum  # half to even multiples, which have even significands
    return float(rounded) if rounded < Fraction(2) ** (largest_exponent + 1) else math.inf


@cache
def every(form: Format) -> tuple[float, ...]:
    """Return every number of a format once: one NaN, both zeros, both infinities."""
    patterns = range(1 << (form.exponent + form.significand))
    values = [float_from_bits(bits, *form) for bits in patterns]
    return (*(value for value in values if not math.isnan(value)), math.nan)


@dataclass(frozen=True, eq=False)
class Small:
    """A number of a format; every operation is rounded to it."""

    value: float
    form: Format

    def _other(self, other: Any) -> np.float64:
        return np.float64(other.value if isinstance(other, Small) else self.form.nearest(other))

    def _rounded(self, value: Any) -> Small:
        return Small(self.form.nearest(float(value)), self.form)

    def __add__(self, other: Any) -> Small:
        return self._rounded(self.value + self._other(other))

    def __radd__(self, other: Any) -> Small:
        return self + other

    def __sub__(self, other: Any) -> Small:
        return self._rounded(self.value - self._other(other))

    def __rsub__(self, other: Any) -> Small:
        return self._rounded(self._other(other) - self.value)

    def __mul__(self, other: Any) -> Small:
        return self._rounded(self.value * self._other(other))

    def __rmul__(self, other: Any) -> Small:
        return self * other

    def __truediv__(self, other: Any) -> Small:
        return self._rounded(np.float64(self.value) / self._other(other))

    def __rtruediv__(self, other: Any) -> Small:
        return self._rounded(self._other(other) / np.float64(self.value))

    def __neg__(self) -> Small:
        return Small(-self.value, self.form)

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < self._other(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.value <= self._other(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > self._other(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.value >= self._other(other))

    def __eq__(self, other: object) -> bool:
        return bool(self.value == self._other(other))

    def __ne__(self, other: object) -> bool:
        return not self == other


@dataclass(frozen=True)
class SmallOps:
    """What the reference needs to run on them."""

    form: Format

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        """Return one of two numbers or conditions."""
        return self._number(yes if condition else no)

    def floor(self, x: Any) -> Small:
        """Return x rounded to an integer toward -infinity."""
        return self._integer(math.floor, x)

    def ceil(self, x: Any) -> Small:
        """Return x rounded to an integer toward +infinity."""
        return self._integer(math.ceil, x)

    def cast(self, value: Any, like: Any) -> Small:
        """Return `value` rounded to nearest even."""
        number: Small = self._number(value)
        return number

    def _integer(self, towards: Any, x: Any) -> Small:
        value = self._number(x).value
        if not math.isfinite(value):
            return Small(value, self.form)
        # An integer that has more bits than the format is past its largest number: there is none between.
        return Small(math.copysign(self.form.nearest(towards(value)), value), self.form)

    def _number(self, value: Any) -> Any:
        if isinstance(value, bool | np.bool_ | Small):
            return value
        return Small(self.form.nearest(value), self.form)
