"""The theory of the neuron in floating point: its lemmas and theorems as claims, and their obligations.

A lemma is proved in each format on its own, with every value symbolic. A theorem's argument is the same in
all formats; its claim in a format uses the lemmas of that format. In float64 bitwuzla proves every lemma,
too, but three of them take it one to three minutes, so nothing about float64 is among `CLAIMS`:
`claims("float64")` and `obligations("float64")` make it on demand.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from qvm_verify.claims.claim import Arithmetic, Case, Claim, Subject, all_of, counts, numbers
from qvm_verify.claims.mutants import QuantizesTheNegative
from qvm_verify.proofs.ieee_lemmas import (
    LEMMAS,
    Conditions,
    Lemma,
    Mutant,
    TakesTheMagnitude,
    quantizer_lemma,
)
from qvm_verify.proofs.ieee_level import ROUNDING, level_argument
from qvm_verify.proofs.ieee_refuted import CLAIMS as REFUTED
from qvm_verify.proofs.ieee_theorem import THEOREM_MONOTONE
from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.solvers import SOLVERS, SolverName, can_ask
from qvm_verify.proofs.symbols import SORTS, Symbols
from qvm_verify.reference import QUANTIZERS, IFParameters, Quantizer
from qvm_verify.verdict import Verdict

__all__ = [
    "ARITHMETICS",
    "CLAIMS",
    "LEMMAS",
    "THEOREM_MONOTONE",
    "asked",
    "claims",
    "mutated",
    "normal_threshold",
    "obligations",
]

ARITHMETICS: tuple[Arithmetic, ...] = ("float16", "bfloat16", "float32")
"""The formats that are judged by default."""

SOURCE = "IEEE 754"

LONG = frozenset(
    {"addition-monotone", "reset-monotone", "spike-leaves-less", "round-monotone", "round-half-even-monotone"}
)
"""Lemmas that z3 and cvc5 do not reach, or hardly, in 12 s in float32."""


class Range(NamedTuple):
    """The thresholds of a format's domain: normal, with 2θ finite. Both ends are floats of the format."""

    smallest: float  # the smallest normal number
    largest: float  # half of the largest finite number


def threshold_range(arithmetic: Arithmetic) -> Range:
    """Return the domain of θ in a format. Raises KeyError where it is not a float format."""
    exponent_bits, significand_bits = SORTS[arithmetic]
    bias = 2 ** (exponent_bits - 1) - 1
    return Range(2.0 ** (1 - bias), (1 - 2.0**-significand_bits) * 2.0**bias)


def normal_threshold(case: Case, arithmetic: Arithmetic) -> list[Any]:
    """Assume that the threshold is in the format's domain."""
    ends = threshold_range(arithmetic)
    return [case["threshold"] >= ends.smallest, case["threshold"] <= ends.largest]


def claims(arithmetic: Arithmetic) -> tuple[Claim, ...]:
    """Return the lemmas, then the theorems, as claims about one format."""
    return (
        *(_lemma_claim(lemma, arithmetic) for lemma in LEMMAS.values()),
        _monotone_claim(arithmetic),
        *(_level_claim(quantizer, arithmetic) for quantizer in QUANTIZERS),
    )


def _lemma_claim(lemma: Lemma, arithmetic: Arithmetic) -> Claim:
    return Claim(
        id=f"{lemma.id}-{arithmetic}",
        source=SOURCE,
        says=lemma.says,
        arithmetic=arithmetic,
        variables=numbers(*lemma.variables),
        assumptions=_with_domain(lemma.assumptions, lemma, arithmetic),
        statement=lambda case, subject: all_of(*lemma.goal(case, subject)),
        mutants={name: fault.subject for name, fault in lemma.mutants.items() if fault.subject},
    )


def _with_domain(assumptions: Conditions, lemma: Lemma, arithmetic: Arithmetic) -> Conditions:
    if "threshold" not in lemma.variables:
        return assumptions
    return lambda case, subject: [*normal_threshold(case, arithmetic), *assumptions(case, subject)]


def mutated(lemma: Lemma, fault: Mutant, arithmetic: Arithmetic) -> tuple[Claim, type[Subject]]:
    """Return the lemma's claim with one fault in it, and the neuron that it speaks of."""
    faulty = replace(lemma, assumptions=fault.assumptions or lemma.assumptions, goal=fault.goal or lemma.goal)
    return _lemma_claim(faulty, arithmetic), fault.subject or Subject


def _monotone_claim(arithmetic: Arithmetic) -> Claim:
    def assumptions(case: Case, subject: Subject) -> list[Any]:
        within = [case["v_init"] >= 0, case["v_init"] <= case["threshold"], case["time_steps"] >= 1]
        return [*normal_threshold(case, arithmetic), *within, case["x"] <= case["y"]]

    def statement(case: Case, subject: Subject) -> Any:
        lower, upper = (_count(case, subject, case[name]) for name in ("x", "y"))
        return lower <= upper

    return Claim(
        id=f"{THEOREM_MONOTONE.id}-{arithmetic}",
        source=SOURCE,
        says=THEOREM_MONOTONE.says,
        arithmetic=arithmetic,
        variables=(*numbers("threshold", "v_init", "x", "y"), *counts("time_steps")),
        assumptions=assumptions,
        statement=statement,
        mutants={"takes |x|": TakesTheMagnitude},
        uses=tuple(f"{lemma}-{arithmetic}" for lemma in THEOREM_MONOTONE.lemmas),
    )


def _level_claim(quantizer: Quantizer, arithmetic: Arithmetic) -> Claim:
    def assumptions(case: Case, subject: Subject) -> list[Any]:
        return [*normal_threshold(case, arithmetic), case["levels"] >= 1, case["x"] <= case["y"]]

    def statement(case: Case, subject: Subject) -> Any:
        lower, upper = (
            subject.level(case[name], case["threshold"], case["levels"], quantizer) for name in ("x", "y")
        )
        return lower <= upper

    return Claim(
        id=f"ieee-level-monotone-{quantizer.replace('_', '-')}-{arithmetic}",
        source=SOURCE,
        says=f"x <= y implies M(x) <= M(y) for Q = {quantizer}, for every L that is a float, and every θ",
        arithmetic=arithmetic,
        variables=(*numbers("threshold", "x", "y"), *counts("levels")),
        assumptions=assumptions,
        statement=statement,
        mutants={"quantizes -z": QuantizesTheNegative},
        uses=(f"{quantizer_lemma(quantizer)}-{arithmetic}", *(claim.id for claim in ROUNDING)),
    )


def _count(case: Case, subject: Subject, current: Any) -> Any:
    currents = subject.constant(current, case["time_steps"])
    return subject.outcome(currents, case["v_init"], IFParameters(case["threshold"])).spike_count


def question(claim: Claim, subject: type[Subject] = Subject) -> tuple[Obligation, Obligation]:
    """Return the question whether a claim of fixed size can fail, and whether its assumptions can be met."""
    symbols = Symbols(claim.arithmetic)
    neuron = subject(symbols.ops)
    case = claim.case(symbols.make, {})
    assumptions, goal = claim.assumptions(case, neuron), claim.statement(case, neuron)
    return (
        symbols.obligation(
            claim=claim.id,
            name="all",
            assumptions=assumptions,
            goal=goal,
            expect="sat" if claim.expected is Verdict.REFUTED else "unsat",
            of_claim=True,
        ),
        symbols.satisfiable(claim=claim.id, name="all", assumptions=assumptions),
    )


def obligations(arithmetic: Arithmetic | None = None) -> list[Obligation]:
    """Return every question of the theory in one format, or in all that are judged by default."""
    names = ARITHMETICS if arithmetic is None else (arithmetic,)
    made = [part for claim in ROUNDING for part in question(claim)]
    for name in names:
        made += [part for lemma in LEMMAS.values() for part in question(_lemma_claim(lemma, name))]
        made += THEOREM_MONOTONE.argument(_monotone_claim(name).id)
        for quantizer in QUANTIZERS:
            claim = _level_claim(quantizer, name).id
            made += [replace(part, claim=claim) for part in level_argument(quantizer)]
        made += [part for claim in REFUTED if claim.arithmetic == name for part in question(claim)]
    return made


def asked(obligation: Obligation) -> tuple[SolverName, ...]:
    """Return the solvers that are asked an obligation of the theory: those that answer it in seconds.

    In float16 all three, but bitwuzla and cvc5 only about the `LONG` lemmas; in bfloat16 z3 and cvc5; in
    float32 bitwuzla and cvc5, but bitwuzla only about the `LONG` lemmas and Theorem 3; in float64 bitwuzla
    only. Whether assumptions can be met is easy in every format.
    """
    able = tuple(solver for solver in SOLVERS if can_ask(solver, obligation.arithmetic))
    if obligation.vacuity or obligation.arithmetic in ("real", "bfloat16"):
        return able
    lemma = obligation.claim.removesuffix(f"-{obligation.arithmetic}")
    long = lemma in LONG or lemma.startswith("theorem-3")
    if obligation.arithmetic == "float16":
        return ("bitwuzla", "cvc5") if long else able
    return ("bitwuzla",) if long or obligation.arithmetic == "float64" else ("bitwuzla", "cvc5")


CLAIMS: tuple[Claim, ...] = (
    *ROUNDING,
    *(claim for arithmetic in ARITHMETICS for claim in claims(arithmetic)),
    *REFUTED,
)
"""Every lemma and theorem of the theory, in every format that is judged by default, and what fails there."""
