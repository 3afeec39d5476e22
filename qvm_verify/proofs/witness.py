"""Counterexamples of claims: replayed on the reference in exact arithmetic, and made simple.

Nothing here asks a solver. The simplest counterexample is found by trying the rational numbers in the order
of their size, size being |numerator| + denominator, added up over the variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import gcd, isnan
from typing import Any

import numpy as np

from qvm_verify.claims.claim import Arithmetic, Case, Claim, Kind, Subject

LARGEST = 16  # sizes to try, added up over the variables
ULPS = 8  # floats to try on either side of a boundary
SEARCHED = 5  # T, L and the number of inputs are counted up to here


@dataclass(frozen=True)
class Witness:
    """A case in which a claim's assumptions hold and its statement does not."""

    values: Mapping[str, Any]

    def __str__(self) -> str:
        return ", ".join(f"{name} = {text(value)}" for name, value in self.values.items())

    def to_json(self) -> dict[str, Any]:
        """Return the values as exact text: rationals as "1/2", floats in hexadecimal."""
        return {
            name: list(map(text, value)) if isinstance(value, tuple) else text(value)
            for name, value in self.values.items()
        }


def text(value: Any) -> str:
    """Return a value as a reader writes it: a rational as such, a float in hexadecimal."""
    if isinstance(value, tuple):
        return f"({', '.join(map(text, value))})"
    return float(value).hex() if isinstance(value, float | np.floating) else str(value)


def number_maker(arithmetic: Arithmetic) -> Callable[[Any], Any]:
    """Return what brings a number into the arithmetic: an exact `Fraction`, or a NumPy float."""
    if arithmetic == "real":
        return Fraction
    if arithmetic == "bfloat16":
        raise ValueError("the reference runs on NumPy, which has no bfloat16")
    return np.dtype(arithmetic).type


def concrete_case(claim: Claim, values: Mapping[str, Any], sizes: Mapping[str, int]) -> Case:
    """Return the case of a claim with these values, in the claim's arithmetic.

    A variable that is not in `values` (the threshold of a claim that is judged in units of it) is 1.
    """
    number = number_maker(claim.arithmetic)

    def make(name: str, kind: Kind) -> Any:
        value = values.get(name, 1)
        return number(value) if kind == "number" else int(value)

    case = claim.case(make, sizes)
    return {name: number(value) if isinstance(value, Fraction) else value for name, value in case.items()}


def replay(
    claim: Claim, values: Mapping[str, Any], sizes: Mapping[str, int], subject: type[Subject] = Subject
) -> Witness | None:
    """Return the witness if these values really break the claim on the reference, else None."""
    if any(isinstance(value, float) and isnan(value) for value in values.values()):
        return None
    case = concrete_case(claim, values, sizes)
    with np.errstate(all="ignore"):
        return Witness(case) if claim.holds(case, subject()) is False else None


def simplest(
    claim: Claim,
    sizes: Mapping[str, int],
    subject: type[Subject] = Subject,
    *,
    largest: int = LARGEST,
) -> Witness | None:
    """Return the counterexample of least size at fixed T, L and number of inputs; None above `largest`.

    Units of θ are used: a threshold is 1. Only for claims over the reals.
    """
    wanted: list[tuple[str, Kind]] = []

    def ask(name: str, kind: Kind) -> Any:
        wanted.append((name, kind))
        return 0

    claim.case(ask, {"threshold": 1, **sizes})
    for total in range(len(wanted), largest + 1):
        for values in _combinations([kind for _, kind in wanted], total):
            names = (name for name, _ in wanted)
            if found := replay(claim, dict(zip(names, values, strict=True)), sizes, subject):
                return found
    return None


def first(claim: Claim, subject: type[Subject] = Subject) -> Witness | None:
    """Return the simplest counterexample at the smallest sizes that have one, up to `SEARCHED`.

    In floating point, the smallest current within `ULPS` floats of a multiple of θ / 2T.
    """
    if claim.arithmetic != "real":
        return _near_boundary(claim, subject)
    names = size_names(claim)
    for numbers in product(range(1, SEARCHED + 1), repeat=len(names)):
        if found := simplest(claim, dict(zip(names, numbers, strict=True)), subject):
            return found
    return None


def _near_boundary(claim: Claim, subject: type[Subject]) -> Witness | None:
    if [v.name for v in claim.variables if v.name not in claim.constants] != ["current"]:
        return None  # only questions about one current are searched
    number = number_maker(claim.arithmetic)
    time_steps = int(claim.constants["time_steps"])
    for k in range(2 * time_steps + 1):
        current = number(k) / number(2 * time_steps)
        for _ in range(ULPS):
            current = np.nextafter(current, number(-1))
        for _ in range(2 * ULPS + 1):
            if found := replay(claim, {"current": current}, {}, subject):
                return found
            current = np.nextafter(current, number(2))
    return None


def size_names(claim: Claim) -> list[str]:
    """Return the variables that are counted up when a counterexample is searched: inputs, L, T."""
    names = {variable.name for variable in claim.variables} | {variable.per for variable in claim.variables}
    fixed = claim.constants
    return [name for name in ("inputs", "levels", "time_steps") if name in names and name not in fixed]


def _combinations(kinds: list[Kind], total: int) -> Iterator[tuple[Fraction, ...]]:
    """Yield the values of these kinds whose sizes add up to `total`."""
    if not kinds:
        if total == 0:
            yield ()
        return
    for size in range(1, total - len(kinds) + 2):
        for value in _of_size(size, kinds[0]):
            for rest in _combinations(kinds[1:], total - size):
                yield (value, *rest)


@cache
def _of_size(size: int, kind: Kind) -> tuple[Fraction, ...]:
    """Return the reduced fractions with |numerator| + denominator = size, the positive first."""
    if kind != "number":
        pairs = [(size - 1, 1)]
    else:
        pairs = [(size - d, d) for d in range(1, size + 1) if gcd(size - d, d) == 1]
    values = [Fraction(n, d) for n, d in pairs]
    return tuple(values) if kind == "count" else tuple(dict.fromkeys([*values, *(-v for v in values)]))
