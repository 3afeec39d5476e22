"""What a claim is: a statement of the paper as code that runs in every arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from qvm_verify import reference
from qvm_verify.reference import Firing, IFParameters, IFStep, Ops, Quantizer
from qvm_verify.verdict import Verdict

Arithmetic = Literal["real", "float16", "bfloat16", "float32", "float64"]
Kind = Literal["number", "count"]
Case = Mapping[str, Any]
"""The value of every variable of a claim; a variable that is given per time-step holds a sequence."""


@dataclass(frozen=True)
class Subject:
    """The implementation that a claim speaks of: by default the reference itself.

    A mutant overrides one method; `qvm_verify.conformance` wraps anybody's neuron in one. `ops` is the
    arithmetic of the values that are passed in.
    """

    ops: Ops = reference.NUMPY

    def run(self, currents: Any, v_init: Any, parameters: IFParameters) -> list[IFStep]:
        """Run a neuron from V_0 over `currents`, one a time-step (Eq. 1)."""
        return reference.if_steps(currents, v_init, parameters, self.ops)

    def quantize(self, z: Any, quantizer: Quantizer) -> Any:
        """Return Q(z) without the clip."""
        return reference.quantize(z, quantizer, self.ops)

    def level(self, current: Any, threshold: Any, levels: int, quantizer: Quantizer) -> Any:
        """Return M = clip(Q(x L / γ), 0, L) (Eq. 4)."""
        return reference.level(current, threshold=threshold, levels=levels, quantizer=quantizer, ops=self.ops)

    def clip(self, x: Any, upper: Any) -> Any:
        """Return x limited to [0, upper]."""
        return reference.clip(x, upper, self.ops)


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A symbol of a claim. `per_step` variables have one value for each of the T time-steps."""

    name: str
    kind: Kind = "number"  # "count" is an integer of at least 0
    per_step: bool = False


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement, in one arithmetic, with what is expected of it.

    `assumptions` and `statement` are executed on NumPy values, on `Fraction`s and on solver terms alike,
    so they use operators, `subject` and `subject.ops` only, and combine conditions with `&`, `|` and `~`.
    A claim about runs is stated for the number of time-steps that `case["time_steps"]` says; that it holds
    for every number of them is the business of its induction in `qvm_verify.proofs`.
    """

    id: str
    source: str  # where the paper says it: "Theorem 2", "Eq. 15"; "repair" for what it does not say
    says: str  # the statement in one sentence
    arithmetic: Arithmetic
    variables: tuple[Variable, ...]
    assumptions: Callable[[Case, Subject], list[Any]]
    statement: Callable[[Case, Subject], Any]
    expected: Verdict
    mutants: Mapping[str, Subject | Callable[[Ops], Subject]] = field(default_factory=dict)
    repaired_by: str | None = None  # the id of the claim that says what is true instead
    constants: Mapping[str, Fraction | int] = field(default_factory=dict)  # a fixed θ or T, where it has one
    firing: Firing = ">="
