"""Terms turned into SMT-LIB 2 text, with what helps solvers to come to an end.

The text of a question depends on the question alone, so it is the same in every run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product
from typing import Any

import z3

from qvm_verify.proofs.obligation import SORTS, Sort

TAUTOLOGIES = "; what follows holds of all integers and only helps the search"


def discreteness(terms: Sequence[Any]) -> list[Any]:
    """Return, for small combinations e of the integers in the terms, that e <= n or e >= n + 1, |n| small.

    This is true of all integers. Solvers that only ever split on single integers never come to an end where
    the question is about the distance of two or three of them, none of which is bounded.
    """
    integers = [
        term
        for term in subterms(terms)
        if z3.is_to_int(term) or (z3.is_int(term) and term.decl().kind() == z3.Z3_OP_UNINTERPRETED)
    ]
    pairs = [a + c * b for a, b in permutations(integers, 2) for c in (-2, -1, 1)]
    triples = [
        a + c * b + d * e for a, b, e in combinations(integers, 3) for c, d in product((-1, 1), repeat=2)
    ]
    return [z3.Or(e <= low, e >= low + 1) for e in (*integers, *pairs, *triples) for low in (-2, -1, 0, 1)]


def subterms(terms: Sequence[Any]) -> Iterator[z3.ExprRef]:
    """Yield every part of the terms once, parts before what they are part of."""
    seen: set[int] = set()

    def walk(term: z3.ExprRef) -> Iterator[z3.ExprRef]:
        if term.get_id() not in seen:
            seen.add(term.get_id())
            for child in term.children():
                yield from walk(child)
            yield term

    for root in terms:
        yield from walk(root)


def logic_of(terms: Sequence[Any]) -> str:
    """Return the SMT-LIB logic of terms over the reals or over floats."""
    if any(map(z3.is_fp, subterms(terms))):
        return "QF_FP"
    return "QF_LIRA" if is_linear(terms) else "QF_NIRA"


def is_linear(terms: Sequence[Any]) -> bool:
    """Tell whether no two unknowns are multiplied, and none is divided by."""
    unknown: set[int] = set()  # the parts without a value of their own
    for term in subterms(terms):
        children = [child for child in term.children() if child.get_id() in unknown]
        if children or (z3.is_const(term) and term.decl().kind() == z3.Z3_OP_UNINTERPRETED):
            unknown.add(term.get_id())
        if z3.is_mul(term) and len(children) > 1:
            return False
        if z3.is_div(term) and term.arg(1).get_id() in unknown:
            return False
    return True


def smtlib(
    terms: Sequence[Any], variables: Sequence[tuple[str, Sort]], tautologies: Sequence[Any] = ()
) -> str:
    """Return an SMT-LIB 2 script that asserts every term and asks for a model."""
    lines = [f"(set-logic {logic_of(terms)})"]
    for name, sort in variables:
        bits = SORTS.get(sort)
        kind = f"(_ FloatingPoint {bits[0]} {bits[1]})" if bits else sort
        lines.append(f"(declare-const {name} {kind})")
    lines += _assertions(terms)
    if tautologies:
        lines += [TAUTOLOGIES, *_assertions(tautologies)]
    return "\n".join([*lines, "(check-sat)", ""])


def _assertions(terms: Sequence[z3.ExprRef]) -> list[str]:
    """Return the assertions, one a line; parts that a term repeats are printed once, in `let`s.

    A context of its own keeps the text free of what z3 was used for before.
    """
    context = z3.Context()
    solver = z3.Solver(ctx=context)
    for term in terms:
        solver.add(term.translate(context))
    script = solver.to_smt2().rpartition("(check-sat)")[0]
    found = " ".join(script.split()).split("(assert ")[1:]
    return [_renamed(f"(assert {text.strip()}") for text in found]


def _renamed(text: str) -> str:
    names: dict[str, str] = {}
    return re.sub(r"[?$]x\d+", lambda match: names.setdefault(match[0], f"part{len(names)}"), text)
