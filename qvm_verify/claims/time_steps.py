"""Section 6.3: what becomes of the error where T differs from L (floor, V_0 = 0, constant current)."""

from __future__ import annotations

from typing import Any

from qvm_verify.claims.claim import Case, Claim, Subject, all_of, counts, implies, negation, numbers
from qvm_verify.claims.dynamics import UNITS_OF_THRESHOLD, positive_threshold
from qvm_verify.claims.mutants import AddsAQuantum, FiresOnTheOtherSide, QuantizesDown
from qvm_verify.reference import IFParameters, conversion_error, scaled_rate
from qvm_verify.verdict import Verdict

VARIABLES = (*numbers("threshold", "current"), *counts("levels", "time_steps"))


def _sizes(case: Case, subject: Subject) -> list[Any]:
    return [*positive_threshold(case, subject), case["levels"] >= 1, case["time_steps"] >= 1]


def _fewer(case: Case, subject: Subject) -> list[Any]:
    return [*_sizes(case, subject), case["time_steps"] + 1 < case["levels"]]


def _more(case: Case, subject: Subject) -> list[Any]:
    return [*_sizes(case, subject), case["time_steps"] > case["levels"]]


def _spike_count(case: Case, subject: Subject, time_steps: Any) -> Any:
    theta = case["threshold"]
    currents = subject.constant(case["current"], time_steps)
    return subject.outcome(currents, 0 * theta, IFParameters(theta)).spike_count


def _level(case: Case, subject: Subject) -> Any:
    return subject.level(case["current"], case["threshold"], case["levels"], "floor")


def _error(case: Case, subject: Subject, time_steps: Any) -> Any:
    theta, ops = case["threshold"], subject.ops
    spike_count = _spike_count(case, subject, time_steps)
    return conversion_error(
        activation=theta / case["levels"] * ops.cast(_level(case, subject), like=theta),
        scaled_rate=scaled_rate(spike_count, threshold=theta, time_steps=time_steps, ops=ops),
        ops=ops,
    )


def _falls(case: Case, subject: Subject) -> Any:
    time_steps = case["time_steps"]
    return _error(case, subject, time_steps + 1) <= _error(case, subject, time_steps)


def _matches_where_it_can(case: Case, subject: Subject) -> Any:
    ops, level = subject.ops, _level(case, subject)
    scaled = case["time_steps"] * ops.cast(level, like=case["threshold"]) / case["levels"]
    spike_count = _spike_count(case, subject, case["time_steps"])
    return implies(ops.floor(scaled) == scaled, spike_count == scaled, ops)


def _smallest_unit(case: Case, subject: Subject) -> list[Any]:
    """Assume T != L and the current that makes exactly one count under the larger of them."""
    levels, time_steps, ops = case["levels"], case["time_steps"], subject.ops
    charge = ops.where(time_steps > levels, case["current"] * time_steps, case["current"] * levels)
    return [
        *_sizes(case, subject),
        negation(time_steps == levels, ops),
        charge == case["threshold"],
    ]


def _only_one_is_zero(case: Case, subject: Subject) -> Any:
    """Hold where N >= 1 and M = 0, or N = 0 and M >= 1: the error |θ M / L - θ N / T| is not 0."""
    spike_count = _spike_count(case, subject, case["time_steps"])
    level = _level(case, subject)
    return subject.ops.where(
        case["time_steps"] > case["levels"],
        all_of(spike_count >= 1, level == 0),
        all_of(spike_count == 0, level >= 1),
    )


def _half_a_threshold(case: Case, subject: Subject) -> list[Any]:
    return [
        *positive_threshold(case, subject),
        case["time_steps"] >= 2,
        case["current"] * 2 == case["threshold"],
    ]


def _a_third_remains(case: Case, subject: Subject) -> Any:
    """Hold where M = 0 and N >= T / 3, that is, |a - φ| >= θ / 3, at L = 1."""
    spike_count = _spike_count(case, subject, case["time_steps"])
    level = subject.level(case["current"], case["threshold"], 1, "floor")
    return all_of(level == 0, 3 * spike_count >= case["time_steps"])


CLAIMS = (
    Claim(
        id="section-6.3-case-1",
        source="Section 6.3, Case 1",
        says="below L, one more time-step never enlarges the error of a neuron",
        variables=VARIABLES,
        assumptions=_fewer,
        statement=_falls,
        expected=Verdict.REFUTED,
        mutants={"one level down": QuantizesDown},
        repaired_by=("section-6.3-only-at-L",),
        smallest={"levels": 4, "time_steps": 2},
    ),
    Claim(
        id="section-6.3-case-2",
        source="Section 6.3, Case 2",
        says="above L, N = T M / L wherever T M / L is an integer",
        variables=VARIABLES,
        assumptions=_more,
        statement=_matches_where_it_can,
        expected=Verdict.REFUTED,
        mutants={"one level down": QuantizesDown},
        repaired_by=("section-6.3-only-at-L",),
        smallest={"levels": 1, "time_steps": 2},
    ),
    Claim(
        id="section-6.3-only-at-L",
        source="Section 6.3, Case 3",
        says="for every T != L the current θ / max(T, L) has a non-zero error; at T = L no current has one",
        variables=VARIABLES,
        assumptions=_smallest_unit,
        statement=_only_one_is_zero,
        mutants={"a unit added": AddsAQuantum, "one level down": QuantizesDown},
        uses=("theorem-3-floor-every-current", *UNITS_OF_THRESHOLD),
    ),
    Claim(
        id="section-4-error-remains",
        source="repair of Section 4: the error need not vanish as T grows",
        says="at L = 1 the current θ/2 keeps |a - φ| >= θ/3 for every T >= 2",
        variables=(*numbers("threshold", "current"), *counts("time_steps")),
        assumptions=_half_a_threshold,
        statement=_a_third_remains,
        mutants={"other comparison": FiresOnTheOtherSide},
        uses=UNITS_OF_THRESHOLD,
    ),
)
