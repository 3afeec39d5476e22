"""Theorem 3: the spike count under the constant current of Eq. 9 is the level, N = M.

The variable `current` is the constant current q = Q_tot / T; the quantizer sees z = q T / θ = Q_tot / θ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from qvm_verify.claims.claim import (
    Arithmetic,
    Case,
    Claim,
    Subject,
    all_of,
    counts,
    equivalent,
    implies,
    negation,
    numbers,
)
from qvm_verify.claims.dynamics import UNITS_OF_THRESHOLD, positive_threshold
from qvm_verify.claims.mutants import (
    FiresOnTheOtherSide,
    ForgetsTheClip,
    QuantizesDown,
    ResetsToZero,
    StartsAtOneQuarter,
)
from qvm_verify.reference import MATCHED_V_INIT, Firing, IFParameters, Quantizer, quantizer_input
from qvm_verify.verdict import Verdict

Condition = Callable[[Case, Subject], Any]

VARIABLES = (*numbers("threshold", "current"), *counts("time_steps"))
MUTANTS: Mapping[str, type[Subject]] = {
    "V0 too high": StartsAtOneQuarter,
    "one level down": QuantizesDown,
    "hard reset": ResetsToZero,
}


def any_current(case: Case, subject: Subject) -> list[Any]:
    """Assume θ > 0 and T >= 1; the current is any number."""
    return [*positive_threshold(case, subject), case["time_steps"] >= 1]


def bounded_current(case: Case, subject: Subject) -> list[Any]:
    """Assume 0 <= q <= θ, too, which Theorem 3 takes over from Theorem 2."""
    return [*any_current(case, subject), case["current"] >= 0, case["current"] <= case["threshold"]]


def z_of(case: Case) -> Any:
    """Return z = q T / θ, what the quantizer sees."""
    return quantizer_input(case["current"], threshold=case["threshold"], levels=case["time_steps"])


def matched_v_init(quantizer: Quantizer) -> Condition:
    """Return V_0 as Eq. 8 matches it to the quantizer."""

    def v_init(case: Case, subject: Subject) -> Any:
        theta = case["threshold"]
        return subject.ops.cast(MATCHED_V_INIT[quantizer], like=theta) * theta

    return v_init


def count_is_level(quantizer: Quantizer, v_init: Condition | None = None, firing: Firing = ">=") -> Condition:
    """Return the statement N = M under constant current."""
    start = v_init or matched_v_init(quantizer)

    def statement(case: Case, subject: Subject) -> Any:
        theta, time_steps = case["threshold"], case["time_steps"]
        currents = subject.constant(case["current"], time_steps)
        spike_count = subject.outcome(currents, start(case, subject), IFParameters(theta, firing)).spike_count
        return spike_count == subject.level(case["current"], theta, time_steps, quantizer)

    return statement


def _where(condition: Condition, statement: Condition) -> Condition:
    return lambda case, subject: implies(condition(case, subject), statement(case, subject), subject.ops)


def _exactly_where(condition: Condition, statement: Condition) -> Condition:
    return lambda case, subject: equivalent(statement(case, subject), condition(case, subject), subject.ops)


def _not_an_integer(case: Case, subject: Subject) -> Any:
    z = z_of(case)
    return negation(subject.ops.floor(z) == z, subject.ops)


def _not_an_even_tie(case: Case, subject: Subject) -> Any:
    """Hold unless z = m + 1/2 with an even m in [0, T)."""
    z, ops = z_of(case), subject.ops
    below = ops.cast(ops.floor(z), like=z)
    even_tie = all_of(2 * (z - below) == 1, ops.floor(below / 2) == below / 2)
    return negation(all_of(z > 0, z < case["time_steps"], even_tie), ops)


def _just_below_threshold(case: Case, subject: Subject) -> Any:
    return case["threshold"] - case["epsilon"]


def _not_missed(case: Case, subject: Subject) -> Any:
    """Hold unless 0 < z < T and the fractional part of z, times θ, lies strictly between 0 and ε."""
    z, ops = z_of(case), subject.ops
    fraction = case["threshold"] * (z - ops.floor(z))
    missed = all_of(z > 0, z < case["time_steps"], fraction > 0, fraction < case["epsilon"])
    return negation(missed, ops)


def _small_epsilon(case: Case, subject: Subject) -> list[Any]:
    return [*any_current(case, subject), case["epsilon"] > 0, case["epsilon"] <= case["threshold"]]


def _theorem(quantizer: Quantizer, says: str, **changes: Any) -> Claim:
    name = quantizer.replace("_", "-")
    claim = Claim(
        id=f"theorem-3-{name}",
        source="Theorem 3",
        says=says,
        variables=VARIABLES,
        assumptions=bounded_current,
        statement=count_is_level(quantizer),
        mutants=MUTANTS,
        uses=UNITS_OF_THRESHOLD,
    )
    return replace(claim, **changes)


REAL = (
    _theorem("floor", "V_0 = 0 and 0 <= q <= θ imply N = clip(⌊z⌋, 0, T)"),
    _theorem(
        "floor",
        "V_0 = 0 implies N = clip(⌊z⌋, 0, T) for every real z: negative and over-threshold currents, too",
        id="theorem-3-floor-every-current",
        source="repair of Theorem 3",
        assumptions=any_current,
        mutants={**MUTANTS, "other comparison": FiresOnTheOtherSide, "no clip": ForgetsTheClip},
    ),
    _theorem("round", "V_0 = θ/2 and 0 <= q <= θ imply N = clip(⌊z + 1/2⌋, 0, T)"),
    _theorem(
        "round",
        "V_0 = θ/2 implies N = clip(⌊z + 1/2⌋, 0, T) for every real z",
        id="theorem-3-round-every-current",
        source="repair of Theorem 3",
        assumptions=any_current,
        mutants={**MUTANTS, "other comparison": FiresOnTheOtherSide, "no clip": ForgetsTheClip},
    ),
    _theorem(
        "round_half_even",
        "V_0 = θ/2 and 0 <= q <= θ imply N = clip(Q(z), 0, T) with Q as torch.round computes it",
        source="Theorem 3, as implemented",
        expected=Verdict.REFUTED,
        repaired_by=("theorem-3-round-half-even-where",),
        smallest={"time_steps": 1},
        uses=(),
    ),
    _theorem(
        "round_half_even",
        "V_0 = θ/2 gives N = M for exactly those real z that are no tie m + 1/2 with m even and 0 <= m < T",
        id="theorem-3-round-half-even-where",
        source="repair of Theorem 3",
        assumptions=any_current,
        statement=_exactly_where(_not_an_even_tie, count_is_level("round_half_even")),
    ),
    _theorem(
        "ceil",
        "V_0 = θ and 0 <= q <= θ imply N = clip(⌈z⌉, 0, T)",
        expected=Verdict.REFUTED,
        repaired_by=("theorem-3-ceil-non-integer", "theorem-3-ceil-strict", "theorem-3-ceil-below"),
        smallest={"time_steps": 1},
        uses=(),
    ),
    _theorem(
        "ceil",
        "V_0 = θ implies N = clip(⌈z⌉, 0, T) for every real z that is no integer",
        id="theorem-3-ceil-non-integer",
        source="repair of Theorem 3",
        assumptions=any_current,
        statement=_where(_not_an_integer, count_is_level("ceil")),
    ),
    _theorem(
        "ceil",
        "V_0 = θ and firing on U > θ imply N = clip(⌈z⌉, 0, T) for every real z",
        id="theorem-3-ceil-strict",
        source="repair of Theorem 3",
        assumptions=any_current,
        statement=count_is_level("ceil", firing=">"),
        mutants={**MUTANTS, "other comparison": FiresOnTheOtherSide},
    ),
    _theorem(
        "ceil",
        "V_0 = θ - ε, 0 < ε <= θ, gives N = M for exactly those real z for which z <= 0, z >= T, "
        "or frac(z) is 0 or at least ε/θ",
        id="theorem-3-ceil-below",
        source="repair of Theorem 3",
        variables=(*VARIABLES, *numbers("epsilon")),
        assumptions=_small_epsilon,
        statement=_exactly_where(_not_missed, count_is_level("ceil", _just_below_threshold)),
    ),
)


# Currents that change: the spikes of the layer before as they arrive


def _changing_bounded(case: Case, subject: Subject) -> list[Any]:
    theta = case["threshold"]
    bounds = [all_of(q >= 0, q <= theta) for q in case["current"]]
    return [*positive_threshold(case, subject), *bounds]


def _streamed_count_is_level(quantizer: Quantizer) -> Condition:
    start = matched_v_init(quantizer)

    def statement(case: Case, subject: Subject) -> Any:
        theta, currents = case["threshold"], case["current"]
        outcome = subject.outcome(currents, start(case, subject), IFParameters(theta))
        z = subject.total(currents) / theta
        return outcome.spike_count == subject.clip(subject.quantize(z, quantizer), case["time_steps"])

    return statement


def _streaming(quantizer: Quantizer, *, bounded: bool) -> Claim:
    name, offset = (f"theorem-3-{quantizer}-streaming", "" if quantizer == "floor" else " + 1/2")
    claim = Claim(
        id=name,
        source="Theorem 3, without Eq. 9",
        says=f"currents of any sign and size give N = clip(⌊Q_tot/θ{offset}⌋, 0, T), as constant ones do",
        variables=(*numbers("threshold"), *counts("time_steps"), *numbers("current", per="time_steps")),
        assumptions=positive_threshold,
        statement=_streamed_count_is_level(quantizer),
        expected=Verdict.REFUTED,
        mutants=MUTANTS,
        repaired_by=(f"{name}-bounded",),
        smallest={"time_steps": 2},
    )
    if not bounded:
        return claim
    return replace(
        claim,
        id=f"{name}-bounded",
        source="repair of Theorem 3",
        says=f"0 <= q_t <= θ at every step implies N = clip(⌊Q_tot/θ{offset}⌋, 0, T), whatever their order",
        assumptions=_changing_bounded,
        expected=Verdict.PROVED,
        mutants={**MUTANTS, "other comparison": FiresOnTheOtherSide},
        repaired_by=(),
        smallest={},
        uses=UNITS_OF_THRESHOLD,
    )


STREAMING = tuple(
    _streaming(quantizer, bounded=bounded) for quantizer in ("floor", "round") for bounded in (False, True)
)


# The same statements in floating point, for one threshold and one T


def in_floats(quantizer: Quantizer, arithmetic: Arithmetic, time_steps: int, expected: Verdict) -> Claim:
    """Return Theorem 3 as printed at θ = 1 in a float format."""
    return _theorem(
        quantizer,
        f"Theorem 3 for {quantizer} at θ = 1, T = {time_steps}, for every current from 0 to θ",
        id=f"theorem-3-{quantizer}-{arithmetic}-T{time_steps}",
        arithmetic=arithmetic,
        constants={"threshold": Fraction(1), "time_steps": time_steps},
        expected=expected,
        mutants={"V0 too high": StartsAtOneQuarter, "one level down": QuantizesDown},
        uses=(),
    )


FLOATS = (
    *(in_floats("floor", "float32", steps, Verdict.PROVED) for steps in (2, 4, 8)),
    in_floats("floor", "float32", 6, Verdict.REFUTED),
    *(in_floats("round", "float32", steps, Verdict.REFUTED) for steps in (2, 4)),
)
CLAIMS = (*REAL, *STREAMING, *FLOATS)
