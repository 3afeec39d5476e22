"""A proof obligation: one question to a solver, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qvm_verify.claims.claim import Arithmetic

Expect = Literal["unsat", "sat"]
Sort = Literal["Real", "Int", "Bool", "float16", "bfloat16", "float32", "float64"]

SORTS = {
    "float16": (5, 11),
    "bfloat16": (8, 8),
    "float32": (8, 24),
    "float64": (11, 53),
}
"""Bits of the exponent and of the significand, the hidden bit included."""


@dataclass(frozen=True, kw_only=True)
class Obligation:
    """Ask for values that meet every assumption and break the goal, in SMT-LIB 2.

    "unsat" proves the goal. An obligation that is expected to be "sat" shows either that its assumptions can
    be met at all (no proof is vacuous) or that a claim of the paper has a counterexample.
    """

    claim: str  # the id of the claim it serves
    name: str  # its part in the proof: "base", "step", "conclusion", "T = 2", "assumptions of step", ...
    arithmetic: Arithmetic
    smtlib: str
    expect: Expect
    variables: tuple[tuple[str, Sort], ...]  # what a model gives values to, in the order of their making
    vacuity: bool = False  # true where it only asks whether the assumptions can be met
    of_claim: bool = False  # true where a model is a case of the claim: a counterexample that can be replayed
    cross_check: bool = False  # true where the proof does not need it
    sizes: tuple[tuple[str, int], ...] = ()  # T, L or the number of inputs, where it is asked for fixed ones

    def __str__(self) -> str:
        return f"{self.claim}: {self.name} ({self.arithmetic})"
