"""Proofs for every T, or for any number of inputs, by induction.

Base, step and conclusion are obligations of their own, and so is, for each of them, that its assumptions
can be met:

    base        the assumptions imply the invariant before the first time-step
    step        the assumptions and the invariant imply the invariant after one more step of the neuron
    conclusion  the assumptions and the invariant after T steps imply the statement
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from qvm_verify.claims.claim import Case, Claim, Subject, all_of
from qvm_verify.proofs.accumulation import Accumulator, Concluded, Recorder, Run
from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.symbols import Symbols, generalize
from qvm_verify.reference import Ops


@dataclass(frozen=True)
class Moment:
    """All that an invariant speaks of: the claim's variables, what is accumulated, and the states so far."""

    case: Case
    ops: Ops
    steps: Any  # k, the number of time-steps (or inputs) so far
    accumulators: Sequence[Accumulator]
    states: Sequence[Any]


Invariant = Callable[[Moment], list[Any]]


@dataclass(frozen=True, kw_only=True)
class Induction:
    """How a claim is proved for every T. `unit_threshold`: in units of θ, by the claim `scaling`."""

    invariant: Invariant
    unit_threshold: bool = True
    cross_check: bool = True  # false where the statement unrolled is beyond the solvers: products of unknowns
    products: bool = False  # true where the conclusion needs q T as a product, not only as Σ q


def obligations(claim: Claim, induction: Induction, subject: type[Subject] = Subject) -> list[Obligation]:
    """Return the obligations that prove `claim` for every number of time-steps, or of inputs."""
    made: list[Obligation] = []
    for name, build in (("base", _base), ("step", _step), ("conclusion", _conclusion)):
        symbols = Symbols(claim.arithmetic)
        case = _symbolic_case(claim, induction, symbols)
        assumptions, goal = build(claim, induction, symbols, case, subject)
        made.append(symbols.obligation(claim=claim.id, name=name, assumptions=assumptions, goal=goal))
        made.append(symbols.satisfiable(claim=claim.id, name=name, assumptions=assumptions))
    return made


def _symbolic_case(claim: Claim, induction: Induction, symbols: Symbols) -> Case:
    names = {variable.name for variable in claim.variables}
    fixed = {"threshold": symbols.ops.cast(1, like=None)} if induction.unit_threshold else {}
    one = {"time_steps": 1, "inputs": 1}
    return claim.case(symbols.make, {k: v for k, v in fixed.items() if k in names}, one)


def _recorded(claim: Claim, symbols: Symbols, case: Case) -> list[Accumulator]:
    recorder = Recorder(symbols.ops)
    claim.statement(case, recorder)
    return recorder.recorded


def _unknown(accumulators: Sequence[Accumulator], symbols: Symbols) -> list[Any]:
    return [one.unknown(symbols, f"_{i}") for i, one in enumerate(accumulators, 1)]


def _base(
    claim: Claim, induction: Induction, symbols: Symbols, case: Case, subject: type[Subject]
) -> tuple[list[Any], Any]:
    accumulators = _recorded(claim, symbols, case)
    moment = Moment(case, symbols.ops, 0, accumulators, [one.start() for one in accumulators])
    return claim.assumptions(case, subject(symbols.ops)), all_of(*induction.invariant(moment))


def _step(
    claim: Claim, induction: Induction, symbols: Symbols, case: Case, subject: type[Subject]
) -> tuple[list[Any], Any]:
    accumulators, stepper = _recorded(claim, symbols, case), subject(symbols.ops)
    steps, states = symbols.count("steps"), _unknown(accumulators, symbols)
    after = [one.advance(state, stepper) for one, state in zip(accumulators, states, strict=True)]
    now = Moment(case, symbols.ops, steps, accumulators, states)
    then = Moment(case, symbols.ops, steps + 1, accumulators, after)
    assumptions = [*claim.assumptions(case, stepper), *induction.invariant(now)]
    return assumptions, all_of(*induction.invariant(then))


def _conclusion(
    claim: Claim, induction: Induction, symbols: Symbols, case: Case, subject: type[Subject]
) -> tuple[list[Any], Any]:
    accumulators = _recorded(claim, symbols, case)
    states = _unknown(accumulators, symbols)
    moment = Moment(case, symbols.ops, case["time_steps"], accumulators, states)
    goal = claim.statement(case, Concluded(symbols.ops, states))
    products = list(_products(claim, case, accumulators, states))
    assumptions = [*claim.assumptions(case, subject(symbols.ops)), *induction.invariant(moment)]
    if induction.products:
        return [*assumptions, *(product == symbol for product, symbol in products)], goal
    return [generalize(term, products) for term in assumptions], generalize(goal, products)


def _products(
    claim: Claim, case: Case, accumulators: Sequence[Accumulator], states: Sequence[Any]
) -> Iterator[tuple[Any, Any]]:
    """Yield the products whose running sums are known: q T under constant current, and θ N."""
    constant = {variable.name for variable in claim.variables if variable.per is None}
    for one, state in zip(accumulators, states, strict=True):
        if not isinstance(one, Run):
            continue
        yield one.parameters.threshold * state.spike_count, state.removed
        if "current" in constant:
            yield one.current * case["time_steps"], state.total
