"""The obligations of a claim, whatever its arithmetic.

A claim that should hold is proved by induction where it speaks of runs (`invariants.INDUCTIONS`), at once
where it does not, or where its T is fixed. A claim that should be false is asked for T = 1, 2, ... up to
where its first counterexample lies: below it there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

from qvm_verify.claims.claim import Claim, Subject
from qvm_verify.proofs import induction
from qvm_verify.proofs.invariants import INDUCTIONS
from qvm_verify.proofs.obligation import Expect, Obligation
from qvm_verify.proofs.symbols import Symbols
from qvm_verify.proofs.witness import size_names
from qvm_verify.verdict import Verdict

UNROLLED = 3  # time-steps (or inputs) up to which a proof by induction is cross-checked step by step


def obligations(claim: Claim) -> list[Obligation]:
    """Return all that has to be asked to judge a claim."""
    if claim.expected is Verdict.REFUTED:
        return list(_search(claim))
    if claim.id in INDUCTIONS:
        how = INDUCTIONS[claim.id]
        return [*induction.obligations(claim, how), *(_unrolled(claim) if how.cross_check else ())]
    return _at(claim, {}, "unsat", unit_threshold=False)


def _search(claim: Claim) -> Iterator[Obligation]:
    """Yield the question for every size up to the smallest with a counterexample, the first name slowest."""
    names = size_names(claim)
    last = tuple(claim.smallest[name] for name in names)
    for numbers in product(*(range(1, n + 1) for n in last)):
        sizes = dict(zip(names, numbers, strict=True))
        if numbers == last:
            yield from _at(claim, sizes, "sat")
        elif numbers < last:
            yield from _at(claim, sizes, "unsat")[:1]  # nobody need meet the assumptions below it


def _unrolled(claim: Claim) -> Iterator[Obligation]:
    """Yield the statement itself at T = 1, 2, ..., with no induction: a cross-check of the proof."""
    names = size_names(claim)
    for numbers in product(range(1, UNROLLED + 1), repeat=len(names)):
        question = _at(claim, dict(zip(names, numbers, strict=True)), "unsat")[0]
        yield replace(question, cross_check=True)


def _at(
    claim: Claim, sizes: Mapping[str, int], expect: Expect, *, unit_threshold: bool = True
) -> list[Obligation]:
    """Return the question for the claim at fixed sizes, and whether its assumptions can be met.

    A search for counterexamples, or a cross-check, may look at θ = 1 only; a proof may not.
    """
    symbols = Symbols(claim.arithmetic)
    subject = Subject(symbols.ops)
    names = {variable.name for variable in claim.variables}
    unit = {"threshold": symbols.ops.cast(1, like=None)} if unit_threshold and "threshold" in names else {}
    case = claim.case(symbols.make, {**sizes, **unit, **claim.constants})
    name = ", ".join(f"{_LETTERS[key]} = {value}" for key, value in sizes.items()) or "all"
    assumptions, goal = claim.assumptions(case, subject), claim.statement(case, subject)
    question = symbols.obligation(
        claim=claim.id,
        name=name,
        assumptions=assumptions,
        goal=goal,
        expect=expect,
        of_claim=True,
        sizes=sizes,
    )
    return [question, symbols.satisfiable(claim=claim.id, name=name, assumptions=assumptions)]


_LETTERS = {"time_steps": "T", "levels": "L", "inputs": "inputs"}
