"""Our own judge of linear questions: Farkas certificates, checked in exact rational arithmetic.

Constraints e_i >= 0 (or > 0, or = 0) contradict each other if there are multipliers λ_i, not negative where
the constraint is an inequality, for which Σ λ_i e_i is a constant below 0; or the constant 0, if a strict one
takes part. A certificate lists the multipliers of every case of a question, in the order in which
`linear.refuted` splits it; None stands for "split on". Finding them is a search (a simplex in fractions);
checking them is `contradicts`, twelve lines that search nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from qvm_verify.proofs.linear import Constraint, Linear, NonlinearError, refuted

Multipliers = tuple[Fraction, ...]
Certificate = tuple[Multipliers | None, ...]


def contradicts(facts: Sequence[Constraint], multipliers: Multipliers) -> bool:
    """Tell whether the multipliers prove that the constraints cannot hold together."""
    if len(multipliers) != len(facts):
        return False
    total, strict = Linear(), False
    for fact, multiplier in zip(facts, multipliers, strict=True):
        if multiplier < 0 and fact.relation != "=":
            return False
        total = total.plus(fact.expression, multiplier)
        strict = strict or (fact.relation == ">" and multiplier > 0)
    if total.terms:
        return False
    return total.constant < 0 or (total.constant == 0 and strict)


def check(text: str, certificate: Certificate) -> bool:
    """Tell whether the certificate refutes the question: every case, and not one multiplier too few."""
    entries: Iterator[Multipliers | None] = iter(certificate)

    def close(facts: tuple[Constraint, ...]) -> bool:
        multipliers = next(entries, None)
        return multipliers is not None and contradicts(facts, multipliers)

    return refuted(text, close) and next(entries, None) is None


def find(text: str) -> Certificate | None:
    """Return a certificate that refutes the question, or None where the search finds none.

    Questions that are not linear have none.
    """
    entries: list[Multipliers | None] = []

    def close(facts: tuple[Constraint, ...]) -> bool:
        entries.append(multipliers_for(facts))
        return entries[-1] is not None

    try:
        return tuple(entries) if refuted(text, close) else None
    except NonlinearError:
        return None


def certified(text: str) -> bool:
    """Tell whether a certificate was found for the question, and checked."""
    certificate = find(text)
    return certificate is not None and check(text, certificate)


def multipliers_for(facts: Sequence[Constraint]) -> Multipliers | None:
    """Return multipliers under which the constraints contradict each other, or None.

    Seeks λ >= 0 and μ >= 0 with Σ λ_i a_i = 0 for each variable's coefficients a, Σ λ_i b_i + μ = 0 for the
    constants b, and μ + Σ of the strict λ_i = 1; an equation takes part with both signs.
    """
    columns = [(i, 1) for i in range(len(facts))] + [
        (i, -1) for i, f in enumerate(facts) if f.relation == "="
    ]
    names = sorted({name for fact in facts for name, _ in fact.expression.terms})
    row_of = {name: row for row, name in enumerate(names)}
    height, width = len(names) + 2, len(columns) + 1
    table = [[Fraction(0)] * (width + 1) for _ in range(height)]
    for column, (i, sign) in enumerate(columns):
        for name, value in facts[i].expression.terms:
            table[row_of[name]][column] = sign * value
        table[-2][column] = sign * facts[i].expression.constant
        table[-1][column] = Fraction(facts[i].relation == ">")
    table[-2][-2] = table[-1][-2] = table[-1][-1] = Fraction(1)
    solution = _feasible(table)
    if solution is None:
        return None
    result = [Fraction(0)] * len(facts)
    for column, (i, sign) in enumerate(columns):
        result[i] += sign * solution[column]
    return tuple(result)


def _feasible(table: list[list[Fraction]]) -> list[Fraction] | None:
    """Return x >= 0 with A x = b for rows [A | b], b >= 0, or None: phase one of the simplex method.

    One artificial variable a row starts the basis; Bland's rule ends the search.
    """
    height, width = len(table), len(table[0]) - 1
    basis = [width + row for row in range(height)]
    goal = [sum((table[row][c] for row in range(height)), Fraction(0)) for c in range(width + 1)]
    while goal[-1] > 0:
        entering = next((c for c in range(width) if goal[c] > 0), None)
        if entering is None:
            return None
        ratios = [
            (table[row][-1] / table[row][entering], basis[row], row)
            for row in range(height)
            if table[row][entering] > 0
        ]
        leaving = min(ratios)[2]
        basis[leaving] = entering
        _pivot(table, goal, leaving, entering)
    solution = [Fraction(0)] * width
    for row, column in enumerate(basis):
        if column < width:
            solution[column] = table[row][-1]
    return solution


def _pivot(table: list[list[Fraction]], goal: list[Fraction], row: int, column: int) -> None:
    pivot = table[row][column]
    table[row] = [value / pivot for value in table[row]]
    for other in [*(line for i, line in enumerate(table) if i != row), goal]:
        factor = other[column]
        if factor:
            for i, value in enumerate(table[row]):
                if value:
                    other[i] -= factor * value
