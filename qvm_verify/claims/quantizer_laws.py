"""What the quantizers and the clip are relied on for (Section 4, the proof of Theorem 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qvm_verify.claims.claim import Case, Claim, Subject, all_of, counts, implies, no_assumption, numbers
from qvm_verify.claims.mutants import (
    QuantizesDown,
    QuantizesTheNegative,
    RoundsTiesUp,
    StretchesBeforeTheClip,
)
from qvm_verify.reference import QUANTIZERS, Quantizer
from qvm_verify.reference.errors import magnitude

SAYS = {
    "floor": "⌊z⌋ is an integer with ⌊z⌋ <= z < ⌊z⌋ + 1",
    "round": "round(z) is an integer with -1/2 < round(z) - z <= 1/2: ties go up",
    "round_half_even": "round_half_even(z) is an integer within 1/2 of z, and even at ties",
    "ceil": "⌈z⌉ is an integer with ⌈z⌉ - 1 < z <= ⌈z⌉",
}


def _law(quantizer: Quantizer) -> Callable[[Case, Subject], Any]:
    def statement(case: Case, subject: Subject) -> Any:
        z, ops = case["z"], subject.ops
        result = ops.cast(subject.quantize(z, quantizer), like=z)
        integer = ops.floor(result) == result
        if quantizer == "floor":
            return all_of(integer, result <= z, z < result + 1)
        if quantizer == "ceil":
            return all_of(integer, result - 1 < z, z <= result)
        twice = 2 * (result - z)
        if quantizer == "round":
            return all_of(integer, twice > -1, twice <= 1)
        tie = magnitude(twice, ops) == 1
        even = ops.floor(result / 2) == result / 2
        return all_of(integer, magnitude(twice, ops) <= 1, implies(tie, even, ops))

    return statement


def _monotone(quantizer: Quantizer) -> Callable[[Case, Subject], Any]:
    def statement(case: Case, subject: Subject) -> Any:
        return subject.quantize(case["y"], quantizer) <= subject.quantize(case["z"], quantizer)

    return statement


def _non_expansive(case: Case, subject: Subject) -> Any:
    y, z, upper = case["y"], case["z"], case["time_steps"]
    clipped = subject.clip(y, upper) - subject.clip(z, upper)
    return magnitude(clipped, subject.ops) <= magnitude(y - z, subject.ops)


def _ordered(case: Case, subject: Subject) -> list[Any]:
    return [case["y"] <= case["z"]]


LAWS = [
    Claim(
        id=f"{quantizer.replace('_', '-')}-law",
        source="Theorem 3, proof" if quantizer != "round_half_even" else "not in the paper",
        says=SAYS[quantizer],
        variables=numbers("z"),
        assumptions=no_assumption,
        statement=_law(quantizer),
        mutants={"ties up": RoundsTiesUp} if quantizer == "round_half_even" else {"one down": QuantizesDown},
    )
    for quantizer in QUANTIZERS
]
MONOTONE = [
    Claim(
        id=f"{quantizer.replace('_', '-')}-monotone",
        source="Theorem 3, proof" if quantizer != "round_half_even" else "not in the paper",
        says=f"{quantizer} never falls as z grows",
        variables=numbers("y", "z"),
        assumptions=_ordered,
        statement=_monotone(quantizer),
        mutants={"order turned round": QuantizesTheNegative},
    )
    for quantizer in QUANTIZERS
]
CLAIMS = (
    *LAWS,
    *MONOTONE,
    Claim(
        id="clip-non-expansive",
        source="A.2, below Eq. 12",
        says="clipping to [0, T] never moves two numbers apart: |clip(y) - clip(z)| <= |y - z|",
        variables=(*numbers("y", "z"), *counts("time_steps")),
        assumptions=no_assumption,
        statement=_non_expansive,
        mutants={"doubled": StretchesBeforeTheClip},
    ),
)
