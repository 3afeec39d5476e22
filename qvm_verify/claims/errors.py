"""Eq. 10 and A.2: how the clip enters, and how an error of the layer before propagates.

A count error δ of the layer before shifts the quantizer's input from z to z + δ_z. Under constant current
the neuron fires N = clip(⌊z + δ_z⌋, 0, T) spikes (`theorem-3-floor-every-current`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from qvm_verify.claims.claim import (
    Case,
    Claim,
    Subject,
    Variable,
    all_of,
    counts,
    every,
    implies,
    negation,
    no_assumption,
    numbers,
)
from qvm_verify.claims.dynamics import UNITS_OF_THRESHOLD
from qvm_verify.claims.mutants import (
    BoundsWithoutTheOne,
    QuantizesDown,
    StartsAtOneQuarter,
    StretchesBeforeTheClip,
)
from qvm_verify.claims.theorem_3 import any_current
from qvm_verify.reference import MATCHED_V_INIT, IFParameters, Quantizer
from qvm_verify.reference.errors import magnitude
from qvm_verify.verdict import Verdict

SHIFTED = (*numbers("z", "delta"), *counts("time_steps"))
COUNT = "theorem-3-floor-every-current"


def _equation_10(quantizer: Quantizer, *, clipped: bool) -> Callable[[Case, Subject], Any]:
    def statement(case: Case, subject: Subject) -> Any:
        z, time_steps, ops = case["z"], case["time_steps"], subject.ops
        shifted = ops.floor(ops.cast(MATCHED_V_INIT[quantizer], like=z) + z)
        left = subject.clip(shifted, time_steps) if clipped else shifted
        right = subject.clip(subject.quantize(z, quantizer), time_steps)
        if quantizer != "ceil":
            return left == right
        return implies(negation(ops.floor(z) == z, ops), left == right, ops)

    return statement


def _some_step(case: Case, subject: Subject) -> list[Any]:
    return [case["time_steps"] >= 1]


def _equation_10_claims(quantizer: Quantizer) -> tuple[Claim, Claim]:
    only = " that is no integer" if quantizer == "ceil" else ""
    printed = Claim(
        id=f"equation-10-{quantizer}-printed",
        source="Eq. 10",
        says=f"⌊V_0/θ + z⌋ = clip({quantizer}(z), 0, T) for every real z{only}, with the matched V_0",
        variables=(*numbers("z"), *counts("time_steps")),
        assumptions=_some_step,
        statement=_equation_10(quantizer, clipped=False),
        expected=Verdict.REFUTED,
        mutants={"one level down": QuantizesDown},
        repaired_by=(f"equation-10-{quantizer}",),
        smallest={"time_steps": 1},
    )
    repaired = replace(
        printed,
        id=f"equation-10-{quantizer}",
        source="repair of Eq. 10",
        says=f"clip(⌊V_0/θ + z⌋, 0, T) = clip({quantizer}(z), 0, T) for every real z{only}",
        statement=_equation_10(quantizer, clipped=True),
        expected=Verdict.PROVED,
        repaired_by=(),
        smallest={},
    )
    return printed, repaired


def _bounded_by(bound: Callable[[Subject, Any], Any], *, clipped: bool) -> Callable[[Case, Subject], Any]:
    def statement(case: Case, subject: Subject) -> Any:
        z, delta, time_steps = case["z"], case["delta"], case["time_steps"]
        spike_count, level = subject.quantize(z + delta, "floor"), subject.quantize(z, "floor")
        if clipped:
            spike_count, level = subject.clip(spike_count, time_steps), subject.clip(level, time_steps)
        return magnitude(spike_count - level, subject.ops) <= bound(subject, delta)

    return statement


def _count_bound(subject: Subject, delta: Any) -> Any:
    return subject.count_bound(delta)


def _sharp_count_bound(subject: Subject, delta: Any) -> Any:
    return subject.sharp_count_bound(delta)


def _equation_14(name: str, source: str, says: str, statement: Callable[[Case, Subject], Any]) -> Claim:
    clipped = name.endswith("clipped")
    return Claim(
        id=name,
        source=source,
        says=says,
        variables=SHIFTED,
        assumptions=no_assumption,
        statement=statement,
        mutants={"no + 1": BoundsWithoutTheOne} | ({"doubled": StretchesBeforeTheClip} if clipped else {}),
        uses=(COUNT,) if clipped else (),
    )


def _equation_15(*, signed: bool) -> Callable[[Case, Subject], Any]:
    """Return Eq. 15 with both sides divided by θ/T > 0."""

    def statement(case: Case, subject: Subject) -> Any:
        z, time_steps, ops = case["z"], case["time_steps"], subject.ops
        weights, errors = case["weight"], case["count_error"]
        delta = subject.weighted_sum(weights, errors)
        sizes = tuple(weights) if signed else tuple(magnitude(w, ops) for w in weights)
        reach = subject.weighted_sum(sizes, tuple(magnitude(d, ops) for d in errors))
        spike_count = subject.clip(subject.quantize(z + delta, "floor"), time_steps)
        level = subject.clip(subject.quantize(z, "floor"), time_steps)
        bound = ops.floor(reach) + 1 if signed else subject.count_bound(reach)
        return magnitude(spike_count - level, ops) <= bound

    return statement


def _necessary(case: Case, subject: Subject) -> Any:
    z, time_steps = case["z"], case["time_steps"]
    delta = subject.weighted_sum(case["weight"], case["count_error"])
    spike_count = subject.clip(subject.quantize(z + delta, "floor"), time_steps)
    level = subject.clip(subject.quantize(z, "floor"), time_steps)
    agree = spike_count == level
    return implies(agree, every(case["count_error"], lambda error: error == 0), subject.ops)


def _sufficient(case: Case, subject: Subject) -> Any:
    """Run the neuron on a current that the layer before has shifted by `delta`."""
    theta, time_steps = case["threshold"], case["time_steps"]
    currents = subject.constant(case["current"] + case["delta"], time_steps)
    spike_count = subject.outcome(currents, 0 * theta, IFParameters(theta)).spike_count
    level = subject.level(case["current"], theta, time_steps, "floor")
    return implies(case["delta"] == 0, spike_count == level, subject.ops)


def _nonzero_weights(case: Case, subject: Subject) -> list[Any]:
    nonzero = [negation(w == 0, subject.ops) for w in case["weight"]]
    return [case["time_steps"] >= 1, all_of(*nonzero)]


WEIGHTED = (
    *numbers("z"),
    *counts("time_steps"),
    *numbers("weight", per="inputs"),
    Variable(name="count_error", kind="integer", per="inputs"),
)
PRINTED_15 = Claim(
    id="equation-15-printed",
    source="Eq. 15",
    says="|N - M| <= ⌊Σ W |δ|⌋ + 1 with signed weights W (in units where θ^{l-1} = θ^l)",
    variables=WEIGHTED,
    assumptions=_some_step,
    statement=_equation_15(signed=True),
    expected=Verdict.REFUTED,
    mutants={"doubled": StretchesBeforeTheClip},
    repaired_by=("equation-15",),
    smallest={"time_steps": 1, "inputs": 1},
)
NECESSARY = Claim(
    id="zero-error-necessary",
    source="A.2, last paragraph",
    says="N = M in a layer requires δ = 0 in the layer before",
    variables=WEIGHTED,
    assumptions=_nonzero_weights,
    statement=_necessary,
    expected=Verdict.REFUTED,
    mutants={"doubled": StretchesBeforeTheClip},
    repaired_by=("zero-error-sufficient",),
    smallest={"time_steps": 1, "inputs": 1},
)
CLAIMS = (
    *(claim for quantizer in ("floor", "round", "ceil") for claim in _equation_10_claims(quantizer)),
    _equation_14(
        "equation-14",
        "Eq. 14",
        "|⌊z + δ⌋ - ⌊z⌋| <= ⌊|δ|⌋ + 1",
        _bounded_by(_count_bound, clipped=False),
    ),
    _equation_14(
        "equation-14-clipped",
        "Eq. 14, with the clip that A.2 ignores",
        "|clip(⌊z + δ⌋, 0, T) - clip(⌊z⌋, 0, T)| <= ⌊|δ|⌋ + 1",
        _bounded_by(_count_bound, clipped=True),
    ),
    _equation_14(
        "equation-14-sharp",
        "sharper than Eq. 14",
        "|⌊z + δ⌋ - ⌊z⌋| <= ⌈|δ|⌉, which is 0 where nothing propagates",
        _bounded_by(_sharp_count_bound, clipped=False),
    ),
    _equation_14(
        "equation-14-sharp-clipped",
        "sharper than Eq. 14",
        "|clip(⌊z + δ⌋, 0, T) - clip(⌊z⌋, 0, T)| <= ⌈|δ|⌉",
        _bounded_by(_sharp_count_bound, clipped=True),
    ),
    PRINTED_15,
    replace(
        PRINTED_15,
        id="equation-15",
        source="repair of Eq. 15",
        says="|N - M| <= ⌊Σ |W| |δ|⌋ + 1 for any number of inputs",
        statement=_equation_15(signed=False),
        expected=Verdict.PROVED,
        mutants={"no + 1": BoundsWithoutTheOne, "doubled": StretchesBeforeTheClip},
        repaired_by=(),
        smallest={},
        uses=(COUNT,),
    ),
    NECESSARY,
    Claim(
        id="zero-error-sufficient",
        source="repair of A.2, last paragraph",
        says="δ = 0 in the layer before, hence an unshifted current, gives N = M (floor, V_0 = 0)",
        variables=(*numbers("threshold", "current", "delta"), *counts("time_steps")),
        assumptions=any_current,
        statement=_sufficient,
        mutants={"one level down": QuantizesDown, "V0 too high": StartsAtOneQuarter},
        uses=UNITS_OF_THRESHOLD,
    ),
)
