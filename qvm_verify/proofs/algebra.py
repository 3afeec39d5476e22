"""The paper's algebra, derived symbolically by SymPy and tied to the claims that it carries.

Each derivation starts from the equations as the paper prints them (Eq. 1, Eq. 11, ...) and returns whether
SymPy arrives where the paper does. It checks the paper's own reasoning, beside the solvers' proofs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Abs, Function, Interval, Rational, Sum, Symbol, ceiling, expand, floor, simplify

THETA, GAMMA, BEFORE = sympy.symbols("theta gamma theta_before", positive=True)
T, L = sympy.symbols("T L", integer=True, positive=True)
W, M, N, DELTA = sympy.symbols("W M N delta", real=True)
n = Symbol("n", integer=True)  # the integer part of z
f = Symbol("f", real=True)  # its fractional part, 0 <= f < 1


@dataclass(frozen=True)
class Identity:
    """One step of the paper's algebra."""

    claim: str  # the id of the claim that it belongs to
    name: str
    derive: Callable[[], bool]


def _telescope() -> bool:
    """Sum V_t - V_{t-1} = q_t - θ s_t over t: the left side telescopes to V_T - V_0 (Eq. 2)."""
    t = Symbol("t", integer=True)
    v, q, s = Function("V"), Function("q"), Function("s")
    left = Sum(v(t) - v(t - 1), (t, 1, T)).doit()
    right = Sum(q(t) - THETA * s(t), (t, 1, T))
    total, count = Sum(q(t), (t, 1, T)), Sum(s(t), (t, 1, T))
    conserved = simplify(right.expand() - (total - THETA * count)) == 0
    return bool(simplify(left - (v(T) - v(0))) == 0 and conserved)


def _floor_is(shift: Any, where: Any, value: int) -> bool:
    """Tell whether ⌊n + f + shift⌋ = n + value for every f in `where`.

    The integer n comes out of the floor; the rest is `value` exactly where value <= f + shift < value + 1.
    """
    rest = simplify(floor(n + f + shift) - n - floor(f + shift))
    allowed = Interval.Ropen(value - shift, value + 1 - shift)
    return bool(rest == 0 and where.is_subset(allowed))


FRACTIONS = Interval.Ropen(0, 1)
LOW, HIGH = Interval.Ropen(0, Rational(1, 2)), Interval.Ropen(Rational(1, 2), 1)


def _case_1() -> bool:
    """N = ⌊V_0/θ + n + f⌋ with V_0 = 0 is n = ⌊z⌋."""
    return _floor_is(sympy.Integer(0), FRACTIONS, 0)


def _case_2() -> bool:
    """N = ⌊n + f + 1/2⌋ is n for f < 1/2 and n + 1 from 1/2 on, as round(z) is."""
    half = (THETA / 2) / THETA
    return _floor_is(half, LOW, 0) and _floor_is(half, HIGH, 1) and LOW.union(HIGH) == FRACTIONS


def _case_3() -> bool:
    """N = ⌊n + f + 1⌋ is n + 1 = ⌈z⌉ for 0 < f < 1; at f = 0 it exceeds ⌈z⌉ = n by one."""
    one = THETA / THETA
    at_integer = floor(n + one) - ceiling(n)
    up = simplify(ceiling(n + f) - n - ceiling(f)) == 0  # and ⌈f⌉ = 1 on (0, 1)
    return bool(up and _floor_is(one, Interval.open(0, 1), 1) and at_integer == 1)


def _unevenness() -> bool:
    """|γ M / L - θ N / T| with L = T and γ = θ is θ / T |M - N| (Eq. 5)."""
    error = Abs(GAMMA / L * M - THETA / T * N).subs({GAMMA: THETA, L: T})
    return bool(simplify(error - THETA / T * Abs(M - N)) == 0)


def _propagation() -> bool:
    """(V_0 + W θ' (M + δ)) / θ with V_0 = 0 is z + δ_z (Eq. 11-13)."""
    z, delta_z = W * BEFORE * M / THETA, W * BEFORE * DELTA / THETA
    return bool(expand(W * BEFORE * (M + DELTA) / THETA - (z + delta_z)) == 0)


def _floor_difference() -> bool:
    """With z = n + f and δ = m + g, ⌊z + δ⌋ - ⌊z⌋ = m + ⌊f + g⌋ and ⌊f + g⌋ is 0 or 1 (Eq. 14).

    For m >= 0, ⌊|δ|⌋ = m and m + 1 <= ⌊|δ|⌋ + 1. For m <= -1, |m + e| = -m - e with e in {0, 1}, and
    |δ| = -m - g > -m - 1 gives ⌊|δ|⌋ + 1 >= -m.
    """
    m, g = Symbol("m", integer=True), Symbol("g", real=True)
    shifted = simplify(floor(n + f + m + g) - n - m - floor(f + g)) == 0
    up, size = Symbol("m", integer=True, nonnegative=True), Symbol("s", integer=True, positive=True)
    rising = [(up + 1) - (up + e) for e in (0, 1)]
    falling = [size - Abs(-size + e) for e in (0, 1)]  # m = -s
    return bool(shifted and all(d.is_nonnegative for d in [*rising, *map(simplify, falling)]))


def _absolute_weight() -> bool:
    """|W θ' δ / θ| = |W| θ' |δ| / θ: Eq. 15 follows from Eq. 14 with |W|, and not with W."""
    size = Abs(W * BEFORE * DELTA / THETA)
    with_absolute = simplify(size - Abs(W) * BEFORE * Abs(DELTA) / THETA) == 0
    as_printed = simplify(size - W * BEFORE * Abs(DELTA) / THETA) == 0
    return bool(with_absolute and not as_printed)


IDENTITIES = (
    Identity("conservation", "telescoping sum", _telescope),
    Identity("theorem-3-floor", "Case 1", _case_1),
    Identity("theorem-3-round", "Case 2", _case_2),
    Identity("theorem-3-ceil-non-integer", "Case 3", _case_3),
    Identity("theorem-3-floor", "Eq. 5", _unevenness),
    Identity("equation-14-clipped", "Eq. 11-13", _propagation),
    Identity("equation-14", "Eq. 14", _floor_difference),
    Identity("equation-15", "Eq. 15", _absolute_weight),
)
"""Every derivation, with the claim that it belongs to."""


def failures(claim: str) -> list[str]:
    """Return the names of the identities of a claim that SymPy does not derive."""
    return [one.name for one in IDENTITIES if one.claim == claim and not one.derive()]


def count(claim: str) -> int:
    """Return how many identities belong to a claim."""
    return sum(one.claim == claim for one in IDENTITIES)
