"""Terms turned into SMT-LIB 2 text, with what helps solvers to come to an end.

The text of a question depends on the question alone, so it is the same in every run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations, permutations, product
from typing import Any

import z3

from qvm_verify.proofs.obligation import SORTS, Sort

TAUTOLOGIES = "; what follows holds of all integers and only helps the search"


def discreteness(parts: Sequence[Any]) -> list[Any]:
    """Return, for small combinations e of the integers in `parts`, that e <= n or e >= n + 1, |n| small.

    This is true of all integers. Solvers that only ever split on single integers never come to an end where
    the question is about the distance of two or three of them, none of which is bounded.
    """
    integers = [
        part
        for part in parts
        if z3.is_to_int(part) or (z3.is_int(part) and part.decl().kind() == z3.Z3_OP_UNINTERPRETED)
    ]
    pairs = [a + c * b for a, b in permutations(integers, 2) for c in (-2, -1, 1)]
    triples = [
        a + c * b + d * e for a, b, e in combinations(integers, 3) for c, d in product((-1, 1), repeat=2)
    ]
    return [z3.Or(e <= low, e >= low + 1) for e in (*integers, *pairs, *triples) for low in (-2, -1, 0, 1)]


def parts_of(terms: Sequence[Any]) -> list[z3.ExprRef]:
    """Return every part of the terms once, parts before what they are part of."""
    seen: set[int] = set()
    found: list[z3.ExprRef] = []

    def walk(term: z3.ExprRef) -> None:
        if term.get_id() not in seen:
            seen.add(term.get_id())
            for child in term.children():
                walk(child)
            found.append(term)

    for root in terms:
        walk(root)
    return found


def logic_of(parts: Sequence[Any]) -> str:
    """Return the SMT-LIB logic of terms over the reals or over floats, which have these parts."""
    if any(map(z3.is_fp, parts)):
        return "QF_FP"
    return "QF_LIRA" if is_linear(parts) else "QF_NIRA"


def is_linear(parts: Sequence[Any]) -> bool:
    """Tell whether no two unknowns are multiplied, and none is divided by; parts come before their wholes."""
    unknown: set[int] = set()  # the parts without a value of their own
    for part in parts:
        children = [child for child in part.children() if child.get_id() in unknown]
        if children or (z3.is_const(part) and part.decl().kind() == z3.Z3_OP_UNINTERPRETED):
            unknown.add(part.get_id())
        if z3.is_mul(part) and len(children) > 1:
            return False
        if z3.is_div(part) and part.arg(1).get_id() in unknown:
            return False
    return True


def smtlib(terms: Sequence[Any], variables: Sequence[tuple[str, Sort]]) -> str:
    """Return an SMT-LIB 2 script that asserts every term and asks for a model."""
    parts = parts_of(terms)
    lines = [f"(set-logic {logic_of(parts)})"]
    for name, sort in variables:
        bits = SORTS.get(sort)
        kind = f"(_ FloatingPoint {bits[0]} {bits[1]})" if bits else sort
        lines.append(f"(declare-const {name} {kind})")
    lines += _assertions(terms)
    if tautologies := discreteness(parts):
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
