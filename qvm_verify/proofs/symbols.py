"""The variables of an obligation, and its terms turned into SMT-LIB 2.

With `terms` this is the only module that builds z3 terms. Nothing here asks a solver anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, permutations, product
from typing import Any

import z3

from qvm_verify.claims.claim import Arithmetic, Kind
from qvm_verify.proofs.obligation import Expect, Obligation, Sort
from qvm_verify.proofs.terms import SORTS, Float, boolean, is_concrete, ops_for

TAUTOLOGIES = "; what follows holds of all integers and only helps the search"


class Symbols:
    """Makes the variables of one obligation and remembers them in their order."""

    def __init__(self, arithmetic: Arithmetic) -> None:
        self.arithmetic: Arithmetic = arithmetic
        self.ops = ops_for(arithmetic)
        self.variables: list[tuple[str, Sort]] = []
        self.facts: list[Any] = []  # what holds of the variables by their making: a count is >= 0

    def number(self, name: str) -> Any:
        """Make a real number, or any value of the float format, NaN and infinities included."""
        if self.arithmetic == "real":
            self.variables.append((name, "Real"))
            return z3.Real(name)
        self.variables.append((name, self.arithmetic))
        return Float(z3.FP(name, z3.FPSort(*SORTS[self.arithmetic])))

    def integer(self, name: str) -> Any:
        """Make an integer of any sign, as a term of sort Real; only for the reals."""
        if self.arithmetic != "real":
            raise ValueError(f"{name}: an integer variable has no meaning in {self.arithmetic}")
        self.variables.append((name, "Int"))
        return z3.ToReal(z3.Int(name))

    def count(self, name: str) -> Any:
        """Make an integer of at least 0, as a term of sort Real; only for the reals."""
        term = self.integer(name)
        self.facts.append(term >= 0)
        return term

    def make(self, name: str, kind: Kind) -> Any:
        """Make the variable that a claim asks for."""
        return {"number": self.number, "integer": self.integer, "count": self.count}[kind](name)

    def obligation(
        self,
        *,
        claim: str,
        name: str,
        assumptions: Sequence[Any],
        goal: Any,
        expect: Expect = "unsat",
        of_claim: bool = False,
        sizes: Mapping[str, int] | None = None,
    ) -> Obligation:
        """Ask for values under which every assumption holds and `goal` does not."""
        return Obligation(
            claim=claim,
            name=name,
            arithmetic=self.arithmetic,
            smtlib=self._script([*assumptions, z3.Not(boolean(goal))]),
            expect=expect,
            variables=tuple(self.variables),
            of_claim=of_claim,
            sizes=tuple((sizes or {}).items()),
        )

    def satisfiable(self, *, claim: str, name: str, assumptions: Sequence[Any]) -> Obligation:
        """Ask whether the assumptions can be met at all: a proof from none that can would be empty."""
        return Obligation(
            claim=claim,
            name=f"assumptions of {name}",
            arithmetic=self.arithmetic,
            smtlib=self._script(assumptions),
            expect="sat",
            variables=tuple(self.variables),
            vacuity=True,
        )

    def _script(self, terms: Sequence[Any]) -> str:
        terms = [*self.facts, *map(boolean, terms)]
        return smtlib(terms, self.variables, discreteness(terms))


def generalize(term: Any, products: Sequence[tuple[Any, Any]]) -> Any:
    """Return `term` with every occurrence of a product replaced by the symbol that stands for it.

    What holds for every value of the symbol holds for the product, too; it keeps questions linear.
    """
    return term if is_concrete(term) else z3.substitute(term, *products)


def discreteness(terms: Sequence[Any]) -> list[Any]:
    """Return, for small combinations e of the integers in the terms, that e <= n or e >= n + 1, |n| small.

    This is true of all integers. Solvers that only ever split on single integers never come to an end where
    the question is about the distance of two or three of them, none of which is bounded.
    """
    integers = list({term.get_id(): term for root in terms for term in _integers(root)}.values())
    pairs = [a + c * b for a, b in permutations(integers, 2) for c in (-2, -1, 1)]
    triples = [
        a + c * b + d * e for a, b, e in combinations(integers, 3) for c, d in product((-1, 1), repeat=2)
    ]
    return [z3.Or(e <= low, e >= low + 1) for e in (*integers, *pairs, *triples) for low in (-2, -1, 0, 1)]


def _integers(term: z3.ExprRef) -> Iterator[z3.ExprRef]:
    """Yield the integer variables and the floors in a term."""
    if z3.is_int(term) and (z3.is_to_int(term) or term.num_args() == 0) and not _is_value(term):
        yield term
    for child in term.children():
        yield from _integers(child)


def logic_of(terms: Sequence[Any]) -> str:
    """Return the SMT-LIB logic of terms over the reals or over floats."""
    return "QF_FP" if any(map(_has_floats, terms)) else "QF_LIRA" if all(map(is_linear, terms)) else "QF_NIRA"


def _has_floats(term: z3.ExprRef) -> bool:
    return z3.is_fp(term) or any(map(_has_floats, term.children()))


def is_linear(term: z3.ExprRef) -> bool:
    """Tell whether no two symbols are multiplied or divided."""
    symbolic = [child for child in term.children() if not _is_value(child)]
    product = z3.is_mul(term) and len(symbolic) > 1
    quotient = z3.is_div(term) and not _is_value(term.arg(1))
    return not (product or quotient) and all(map(is_linear, term.children()))


def _is_value(term: z3.ExprRef) -> bool:
    """Tell whether a term has a known value, such as 1, 2/3 or the product of two such."""
    value = z3.simplify(term)
    return bool(z3.is_rational_value(value) or z3.is_int_value(value))


def smtlib(
    terms: Sequence[Any], variables: Sequence[tuple[str, Sort]], tautologies: Sequence[Any] = ()
) -> str:
    """Return an SMT-LIB 2 script that asserts every term and asks for a model."""
    lines = [f"(set-logic {logic_of(terms)})"]
    for name, sort in variables:
        bits = SORTS.get(sort)
        kind = f"(_ FloatingPoint {bits[0]} {bits[1]})" if bits else sort
        lines.append(f"(declare-const {name} {kind})")
    lines += [f"(assert {_text(term)})" for term in terms]
    if tautologies:
        lines += [TAUTOLOGIES, *(f"(assert {_text(term)})" for term in tautologies)]
    return "\n".join([*lines, "(check-sat)", ""])


def _text(term: z3.ExprRef) -> str:
    """Return a term in SMT-LIB 2; shared parts are printed once, in `let`s."""
    if z3.is_true(term):  # a solver would drop it
        return "true"
    solver = z3.Solver()
    solver.add(term)
    script = solver.to_smt2()
    body = script[script.index("(assert") + len("(assert") : script.rindex("(check-sat)")].strip()
    return " ".join(body.removesuffix(")").split())
