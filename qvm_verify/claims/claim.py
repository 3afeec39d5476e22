"""What a claim is: a statement of the paper as code that runs in every arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from qvm_verify import reference
from qvm_verify.reference import IFParameters, IFStep, Ops, Quantizer
from qvm_verify.verdict import Verdict

Arithmetic = Literal["real", "float16", "bfloat16", "float32", "float64"]
Kind = Literal["number", "integer", "count"]
Case = Mapping[str, Any]
"""The value of every variable of a claim; a variable that is given per time-step holds a tuple."""


class Outcome(NamedTuple):
    """What is left after a run."""

    spike_count: Any  # N
    residual: Any  # V_T


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

    def outcome(self, currents: Any, v_init: Any, parameters: IFParameters) -> Outcome:
        """Return N and V_T of a run of at least one time-step."""
        steps = self.run(currents, v_init, parameters)
        return Outcome(reference.count_spikes(steps, self.ops), steps[-1].v)

    def constant(self, current: Any, time_steps: Any) -> tuple[Any, ...]:
        """Return the same current at every time-step (Eq. 9)."""
        return (current,) * int(time_steps)

    def total(self, currents: Any) -> Any:
        """Return Q_tot = Σ q_t (Eq. 2)."""
        return sum(currents)

    def weighted_sum(self, weights: Any, errors: Any) -> Any:
        """Return Σ_i w_i δ_i over the inputs of a neuron (Eq. 11)."""
        return sum(w * d for w, d in zip(weights, errors, strict=True))

    def quantize(self, z: Any, quantizer: Quantizer) -> Any:
        """Return Q(z) without the clip."""
        return reference.quantize(z, quantizer, self.ops)

    def quantizer_input(self, current: Any, threshold: Any, levels: Any) -> Any:
        """Return z = x L / γ, the number that the quantizer sees (Eq. 4)."""
        return reference.quantizer_input(current, threshold=threshold, levels=levels)

    def level(self, current: Any, threshold: Any, levels: Any, quantizer: Quantizer) -> Any:
        """Return M = clip(Q(x L / γ), 0, L) (Eq. 4)."""
        return self.clip(self.quantize(self.quantizer_input(current, threshold, levels), quantizer), levels)

    def clip(self, x: Any, upper: Any) -> Any:
        """Return x limited to [0, upper]."""
        return reference.clip(x, upper, self.ops)

    def count_bound(self, delta: Any) -> Any:
        """Return ⌊|δ_z|⌋ + 1 (Eq. 14)."""
        return reference.count_error_bound(delta, self.ops)

    def sharp_count_bound(self, delta: Any) -> Any:
        """Return ⌈|δ_z|⌉, the repaired bound."""
        return reference.sharp_count_error_bound(delta, self.ops)


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A symbol of a claim.

    `per` names the variable that says how many values it has: "time_steps" for a current that changes,
    "inputs" for a weight.
    """

    name: str
    kind: Kind = "number"  # "count" is an integer of at least 0
    per: str | None = None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement, in one arithmetic, with what is expected of it.

    `assumptions` and `statement` are executed on NumPy values, on `Fraction`s and on solver terms alike,
    so they use operators, `subject`, `subject.ops` and the connectives of this file only. A claim about
    runs is stated for the number of time-steps that `case["time_steps"]` says; that it holds for every
    number of them is the business of its induction in `qvm_verify.proofs`.

    `smallest` is, for a claim that is false, where its first counterexample lies: below it (each name
    counted up from 1, the first name slowest) there is none. `constants` fixes variables of a claim that
    is only made for them.
    """

    id: str
    source: str  # where the paper says it: "Theorem 2", "Eq. 15"; "repair of ..." for what it does not say
    says: str  # the statement in one sentence
    arithmetic: Arithmetic = "real"
    variables: tuple[Variable, ...]
    assumptions: Callable[[Case, Subject], list[Any]]
    statement: Callable[[Case, Subject], Any]
    expected: Verdict = Verdict.PROVED
    mutants: Mapping[str, type[Subject]] = field(default_factory=dict)
    uses: tuple[str, ...] = ()  # the ids of the claims that its proof rests on
    repaired_by: tuple[str, ...] = ()  # the ids of the claims that say what is true instead
    constants: Mapping[str, Fraction | int] = field(default_factory=dict)
    smallest: Mapping[str, int] = field(default_factory=dict)

    def case(
        self,
        make: Callable[[str, Kind], Any],
        sizes: Mapping[str, Any],
        lengths: Mapping[str, int] | None = None,
    ) -> Case:
        """Return a case whose values come from `make(name, kind)`, or from `sizes` and `constants`.

        A variable with several values is made once for each, named `name_1`, `name_2`, ...; `lengths` says
        how many where `sizes` holds no number for it.
        """
        fixed = {**self.constants, **sizes}
        values = dict(fixed)
        for variable in self.variables:
            if variable.name in fixed:
                continue
            if variable.per is None:
                values[variable.name] = make(variable.name, variable.kind)
            else:
                length = {**fixed, **(lengths or {})}[variable.per]
                names = [f"{variable.name}_{i + 1}" for i in range(length)]
                values[variable.name] = tuple(make(name, variable.kind) for name in names)
        return values

    def holds(self, case: Case, subject: Subject | None = None) -> bool | None:
        """Tell whether the statement holds of a concrete case; None where an assumption does not."""
        subject = subject or Subject()
        if not all(bool(condition) for condition in self.assumptions(case, subject)):
            return None
        return bool(self.statement(case, subject))


def all_of(*conditions: Any) -> Any:
    """Return the conjunction; Python's own `and` would ask a solver term for its truth."""
    result: Any = True
    for condition in conditions:
        if result is True:
            result = condition
        elif condition is not True:
            result = result & condition
    return result


def every(values: Iterable[Any], condition: Callable[[Any], Any]) -> Any:
    """Return the conjunction of `condition` over `values`."""
    return all_of(*map(condition, values))


def negation(condition: Any, ops: Ops) -> Any:
    """Return the negation; `~` would turn Python's True into -2."""
    return ops.where(condition, False, True)


def implies(condition: Any, then: Any, ops: Ops) -> Any:
    """Return "if condition then `then`"."""
    return ops.where(condition, then, True)


def equivalent(one: Any, other: Any, ops: Ops) -> Any:
    """Return "`one` exactly where `other`"."""
    return ops.where(one, other, negation(other, ops))


def numbers(*names: str, per: str | None = None) -> tuple[Variable, ...]:
    """Return real (or floating-point) variables."""
    return tuple(Variable(name=name, per=per) for name in names)


def counts(*names: str) -> tuple[Variable, ...]:
    """Return integer variables of at least 0."""
    return tuple(Variable(name=name, kind="count") for name in names)


def no_assumption(case: Case, subject: Subject) -> list[Any]:
    """Assume nothing."""
    return []
