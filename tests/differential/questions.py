"""Small questions about the claims, drawn at random: for solvers, and for trying every case.

Each is a claim, true or false, at a few time-steps, of the reference or of a mutant of it, in the reals or in
a small floating-point format. Its variables range over finite sets, so that its answer is known by trying.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial, reduce
from itertools import product
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import strategies as st

from qvm_verify.claims import CLAIMS, Case, Claim, Subject, claim
from qvm_verify.proofs.obligation import SORTS, Obligation
from qvm_verify.proofs.solvers import SOLVERS, Answer
from qvm_verify.proofs.symbols import Float, Symbols, real
from qvm_verify.proofs.witness import size_names
from tests.differential.small_floats import Format, Small, SmallOps, every

TINY = (Format(2, 3), Format(3, 3), Format(3, 4), Format(4, 4))
"""All their numbers can be tried. bitwuzla calls such formats experimental, and takes none; cvc5 takes them
where it is told to, and then is wrong about them, or crashes: `measure` counts how often."""
HALF, BFLOAT = Format(5, 11), Format(8, 8)
FIXED = ("threshold", "scale", "weight", "epsilon")
"""Given as numbers, or the question would multiply two unknowns."""
MOST_CASES = 1000
MOST_LISTED = 12
LARGEST = {"time_steps": 3, "levels": 3, "inputs": 2}


class Neighbours(tuple[float, ...]):
    """Floats without a gap between them."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Is there a case, of these values, in which the claim's assumptions hold and its statement does not?"""

    claim: str
    mutant: str | None
    form: Format | None  # None: the reals
    sizes: Mapping[str, int]
    fixed: Mapping[str, Any]
    domains: Mapping[str, tuple[Any, ...]]  # for each name that the solvers are asked about

    @property
    def solvers(self) -> tuple[str, ...]:
        """Whose answers count: those of solvers that claim to know the arithmetic (`can_ask`)."""
        if self.form in TINY:
            return ("z3",)
        return SOLVERS if self.form == HALF else ("z3", "cvc5")

    def _subject(self, *ops: Any) -> Subject:
        stated = claim(self.claim)
        return (stated.mutants[self.mutant] if self.mutant else Subject)(*ops)

    def obligation(self) -> Obligation:
        """Return the question as SMT-LIB 2, by the project's own terms."""
        arithmetic: Any = str(self.form) if self.form else "real"
        with mock.patch.dict(SORTS, {arithmetic: tuple(self.form)} if self.form else {}):
            symbols = Symbols(arithmetic)
            stated, subject = claim(self.claim), self._subject(symbols.ops)
            cast = partial(symbols.ops.cast, like=None)
            fixed = {name: _mapped(value, cast) for name, value in self.fixed.items()}
            made: dict[str, Any] = {}

            def make(name: str, kind: Any) -> Any:
                made[name] = symbols.make(name, kind)
                return made[name]

            case = stated.case(make, {**self.sizes, **fixed})
            within = [_one_of(made[name], values) for name, values in self.domains.items()]
            return symbols.obligation(
                claim=self.claim,
                name=str(self.sizes),
                assumptions=[*(one for one in within if one is not None), *stated.assumptions(case, subject)],
                goal=stated.statement(case, subject),
                sizes=self.sizes,
            )

    def broken_by(self, values: Mapping[str, Any]) -> bool:
        """Tell whether these values break the claim, by running it."""
        stated = claim(self.claim)
        subject = self._subject(SmallOps(self.form)) if self.form else self._subject()

        def number(value: Any) -> Any:
            return Small(self.form.nearest(value), self.form) if self.form else Fraction(value)

        def make(name: str, kind: Any) -> Any:
            return number(values[name]) if kind == "number" else int(values[name])

        fixed = {name: _mapped(value, number) for name, value in self.fixed.items()}
        with np.errstate(all="ignore"):
            return stated.holds(stated.case(make, {**self.sizes, **fixed}), subject) is False

    def counterexamples(self) -> Iterator[Case]:
        """Yield every case that breaks the claim."""
        for values in product(*self.domains.values()):
            case = dict(zip(self.domains, values, strict=True))
            if self.broken_by(case):
                yield case

    def complaints(self, answers: Mapping[str, Answer]) -> list[str]:
        """Return what is wrong with the answers: with one another, and with what trying every case finds."""
        witness = next(self.counterexamples(), None)
        expected = "unsat" if witness is None else "sat"
        found = [
            f"{solver} says {answer.status} {answer.reason}, but trying says {expected}: {witness}"
            for solver, answer in answers.items()
            if answer.status not in (expected, "unknown")
        ]
        models = {solver: answer.model for solver, answer in answers.items() if answer.model}
        found += [
            f"the model of {solver} breaks nothing: {dict(model)}"
            for solver, model in models.items()
            if not self._is_case(model) or not self.broken_by(model)
        ]
        return found

    def _is_case(self, model: Mapping[str, Any]) -> bool:
        return all(
            any(value == model[name] or math.isnan(value) for value in values)
            for name, values in self.domains.items()
        )


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    return tuple(map(change, value)) if isinstance(value, tuple) else change(value)


def _one_of(term: Any, values: tuple[Any, ...]) -> Any:
    """Return that a term is one of the values; None where these are all that there are."""
    if any(math.isnan(value) for value in values):
        return None
    if isinstance(values, Neighbours):
        return (term >= min(values)) & (term <= max(values))
    equal = [term == (value if isinstance(term, Float) else real(value)) for value in values]
    return reduce(operator.or_, equal)


REALS = tuple(one for one in CLAIMS if one.arithmetic == "real")
ON_NUMBERS = tuple(one for one in REALS if not any(v.kind == "integer" for v in one.variables))
RATIONALS = st.fractions(-2, 4, max_denominator=6)
POSITIVE = st.sampled_from((Fraction(1), Fraction(1, 3), Fraction(3, 2), Fraction(2)))


@st.composite
def questions_over_the_reals(draw: st.DrawFn) -> Question:
    """Draw a question about rational numbers, few for each variable."""
    drawn, names = _drawn(draw, REALS)
    most = _values_each(names)
    domains = {
        name: tuple(draw(_some(RATIONALS if kind == "number" else st.integers(-3, 3), most)))
        for name, kind in names.items()
    }
    return Question(**drawn, form=None, domains=domains)


@st.composite
def questions_over_floats(draw: st.DrawFn, form: Format) -> Question:
    """Draw a question about all numbers of a format, or about some: neighbours, or scattered."""
    drawn, names = _drawn(draw, ON_NUMBERS)
    most = _values_each(names)
    finite = sorted(value for value in every(form) if math.isfinite(value))
    domains: dict[str, tuple[float, ...]] = {}
    for name in names:
        if len(every(form)) <= most:
            domains[name] = every(form)
        elif draw(st.booleans()):
            first = draw(st.integers(0, len(finite) - 1))
            domains[name] = Neighbours(_both_zeros(finite[first : first + most]))
        else:
            domains[name] = _both_zeros(draw(_some(st.sampled_from(finite), most)))
    return Question(**drawn, form=form, domains=domains)


def _drawn(draw: st.DrawFn, claims: tuple[Claim, ...]) -> tuple[dict[str, Any], dict[str, str]]:
    """Draw all but the values; return it, and the kind of each name that is to have some."""
    stated = draw(st.sampled_from(claims))
    sizes = {name: draw(st.integers(1, LARGEST[name])) for name in size_names(stated)}
    fixed: dict[str, Any] = {}
    for variable in stated.variables:
        if variable.name in FIXED:
            given = POSITIVE if variable.per is None else POSITIVE | POSITIVE.map(operator.neg)
            count = 1 if variable.per is None else sizes[variable.per]
            values = tuple(draw(given) for _ in range(count))
            fixed[variable.name] = values[0] if variable.per is None else values
    names: dict[str, str] = {}
    stated.case(lambda name, kind: names.setdefault(name, kind), {**sizes, **fixed})
    mutant = draw(st.none() | st.sampled_from(sorted(stated.mutants)))
    return {"claim": stated.id, "mutant": mutant, "sizes": sizes, "fixed": fixed}, names


def _values_each(names: Mapping[str, str]) -> int:
    return int(MOST_CASES ** (1 / len(names)))


def _some(values: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=min(most, MOST_LISTED), unique=True)


def _both_zeros(values: list[float]) -> tuple[float, ...]:
    """Return the values with both zeros or none: a solver's == does not tell them apart."""
    return (*(value for value in values if value), *((0.0, -0.0) if 0.0 in values else ()))
