"""Reads a linear question in SMT-LIB 2 and splits it into cases of plain linear constraints.

It shares nothing with the solvers: the text is all it sees. A question is refuted when every case is. Each
choice in the text (`or`, `ite`, a broken equation) makes two cases or more, which together leave nothing out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor, gcd, lcm
from typing import Any, Literal

Formula = Any  # an S-expression: a word, or a tuple of them
Relation = Literal[">=", ">", "="]


class NonlinearError(ValueError):
    """The text multiplies two unknowns, or uses what this reader does not know."""


@dataclass(frozen=True)
class Linear:
    """Σ c_i x_i + constant; `terms` is sorted by name and has no zero coefficient."""

    terms: tuple[tuple[str, Fraction], ...] = ()
    constant: Fraction = Fraction(0)

    def plus(self, other: Linear, scale: Fraction = Fraction(1)) -> Linear:
        """Return self + scale · other."""
        sums = dict(self.terms)
        for name, value in other.terms:
            sums[name] = sums.get(name, Fraction(0)) + scale * value
        terms = tuple(sorted((name, value) for name, value in sums.items() if value))
        return Linear(terms, self.constant + scale * other.constant)


@dataclass(frozen=True)
class Constraint:
    """`expression` >= 0, > 0 or = 0."""

    expression: Linear
    relation: Relation


Close = Callable[[tuple[Constraint, ...]], bool]
"""Tells whether constraints contradict each other; it must never say so of constraints that do not."""


@dataclass(frozen=True)
class Case:
    """Part of the way into a case: what is known, what was chosen, what is still to be read."""

    integers: frozenset[str]
    tautologies: tuple[Formula, ...] = ()  # "e <= n or e >= n + 1" for integers e
    facts: tuple[Constraint, ...] = ()
    chosen: dict[Formula, bool] = field(default_factory=dict)

    def knowing(self, fact: Constraint) -> Case:
        """Return the case with one more constraint, sharpened where it is about integers only."""
        fact = sharpened(fact, self.integers)
        return self if fact in self.facts else replace(self, facts=(*self.facts, fact))


class _ChoiceError(Exception):
    """A condition must be decided before a term can be read."""

    def __init__(self, condition: Formula) -> None:
        super().__init__(condition)
        self.condition = condition


def refuted(text: str, close: Close) -> bool:
    """Tell whether every case of the question ends in constraints that `close` finds contradictory."""
    integers, formulas, tautologies = read(text)
    pending = [(formula, True) for formula in formulas]
    return _refuted(Case(integers, tautologies), pending, [], close)


def _refuted(
    case: Case, pending: list[tuple[Formula, bool]], choices: list[tuple[Formula, bool]], close: Close
) -> bool:
    """Read what makes no cases first, then split on the oldest choice."""
    pending, choices = list(pending), list(choices)
    while pending:
        formula, wanted = pending.pop()
        parts = _conjuncts(formula, wanted)
        if parts is not None:
            pending += parts
        elif _is_choice(formula, wanted):
            choices.append((formula, wanted))
        else:
            try:
                case = _learn(case, formula, wanted)
            except _ChoiceError as choice:
                choices.append((formula, wanted))
                choices.insert(0, ("decide", choice.condition))
    if close(case.facts):
        return True
    if choices:
        (formula, wanted), *rest = choices
        return all(_refuted(*branch, rest, close) for branch in _branches(case, formula, wanted))
    last = replace(case, tautologies=())  # with nothing left to read, one integer may still be cut in two
    return any(
        all(_refuted(*branch, [], close) for branch in _branches(last, tautology, True))
        for tautology in case.tautologies
    )


def _conjuncts(formula: Formula, wanted: bool) -> list[tuple[Formula, bool]] | None:
    """Return the parts that must all hold, or None where the formula is no conjunction."""
    if isinstance(formula, str):
        if formula in ("true", "false"):
            return [] if (formula == "true") is wanted else [(("<", "0", "0"), True)]
        return None
    head, *rest = formula
    if head == "not":
        return [(rest[0], not wanted)]
    if head == ("and" if wanted else "or"):
        return [(part, wanted) for part in rest]
    if head == "=>" and not wanted:
        return [(rest[0], True), (rest[1], False)]
    return None


def _is_choice(formula: Formula, wanted: bool) -> bool:
    head = formula[0]
    if head in ("ite", "="):
        return _is_boolean(formula) or not wanted
    return head in ("and", "or", "=>")


def _is_boolean(formula: Formula) -> bool:
    """Tell whether an `ite` or an `=` is about conditions, not about numbers."""
    part = formula[2] if formula[0] == "ite" else formula[1]
    if isinstance(part, str):
        return part in ("true", "false")
    return part[0] in ("and", "or", "not", "=>", "<", "<=", ">", ">=", "=") or (
        part[0] == "ite" and _is_boolean(part)
    )


def _branches(
    case: Case, formula: Formula, wanted: bool
) -> Iterator[tuple[Case, list[tuple[Formula, bool]]]]:
    """Yield the cases that a choice makes; together they leave nothing out."""
    if formula == "decide":
        condition: Formula = wanted
        for value in (True, False):
            yield replace(case, chosen={**case.chosen, condition: value}), [(condition, value)]
        return
    head, *rest = formula
    if head in ("and", "or"):
        for i, part in enumerate(rest):  # the first part that decides it: those before it do not
            yield case, [*((earlier, not wanted) for earlier in rest[:i]), (part, wanted)]
    elif head == "=>":
        yield case, [(rest[0], False)]
        yield case, [(rest[0], True), (rest[1], True)]
    elif head == "ite":
        for value, part in ((True, rest[1]), (False, rest[2])):
            yield replace(case, chosen={**case.chosen, rest[0]: value}), [(rest[0], value), (part, wanted)]
    elif _is_boolean(formula):
        for value in (True, False):
            yield case, [(rest[0], value), (rest[1], value is wanted)]
    elif head == "=" and not wanted:
        yield case, [(("<", *rest), True)]
        yield case, [((">", *rest), True)]
    else:  # an atom that waited for the condition of an `ite` within it
        yield case, [(formula, wanted)]


def _learn(case: Case, formula: Formula, wanted: bool) -> Case:
    """Return the case with the constraint that an atom states."""
    head, left, right = formula
    case, one = _linear(case, left)
    case, other = _linear(case, right)
    if head == "=":
        return case.knowing(Constraint(one.plus(other, Fraction(-1)), "="))
    if not wanted:
        head = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[head]
    if head in ("<", "<="):
        one, other = other, one
    relation: Relation = ">" if head in ("<", ">") else ">="
    return case.knowing(Constraint(one.plus(other, Fraction(-1)), relation))


def _linear(case: Case, term: Formula) -> tuple[Case, Linear]:
    """Return a term as a linear expression, and the case with what its floors are known to obey."""
    if isinstance(term, str):
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", term):
            return case, Linear((), Fraction(term))
        return case, Linear(((term, Fraction(1)),))
    head, *rest = term
    if head == "ite":
        if rest[0] not in case.chosen:
            raise _ChoiceError(rest[0])
        return _linear(case, rest[1] if case.chosen[rest[0]] else rest[2])
    parts: list[Linear] = []
    for part in rest:
        case, one = _linear(case, part)
        parts.append(one)
    if head == "to_real":
        return case, parts[0]
    if head == "to_int":
        return _floor(case, parts[0])
    return case, _combined(head, parts)


def _combined(head: str, parts: list[Linear]) -> Linear:
    first, *rest = parts
    if head == "-" and not rest:
        return Linear().plus(first, Fraction(-1))
    for part in rest:
        if head in ("+", "-"):
            first = first.plus(part, Fraction(1 if head == "+" else -1))
        elif head == "*" and not first.terms:
            first = Linear().plus(part, first.constant)
        elif head == "*" and not part.terms:
            first = Linear().plus(first, part.constant)
        elif head == "/" and not part.terms and part.constant:
            first = Linear().plus(first, 1 / part.constant)
        else:
            raise NonlinearError(f"not linear: {head}")
    return first


def _floor(case: Case, x: Linear) -> tuple[Case, Linear]:
    """Return ⌊x⌋ as a new integer k with k <= x < k + 1."""
    if not x.terms:
        return case, Linear((), Fraction(floor(x.constant)))
    name = f"floor({' + '.join(f'{value} {term}' for term, value in x.terms)} + {x.constant})"
    k = Linear(((name, Fraction(1)),))
    case = replace(case, integers=case.integers | {name})
    above = x.plus(k, Fraction(-1))
    below = k.plus(Linear((), Fraction(1))).plus(x, Fraction(-1))
    return case.knowing(Constraint(above, ">=")).knowing(Constraint(below, ">")), k


def sharpened(fact: Constraint, integers: frozenset[str]) -> Constraint:
    """Return the strongest inequality that an inequality between integers implies.

    With integer coefficients of greatest common divisor 1, e + c > 0 or e + c >= 0 says e >= some integer.
    """
    terms = fact.expression.terms
    if fact.relation == "=" or not terms or any(name not in integers for name, _ in terms):
        return fact
    scale = Fraction(lcm(*(v.denominator for _, v in terms)), gcd(*(v.numerator for _, v in terms)))
    scale = scale / gcd(*(int(v * scale * 1) for _, v in terms)) if scale.denominator == 1 else scale
    constant = fact.expression.constant * scale
    whole = -(-constant.numerator // constant.denominator) - 1 if fact.relation == ">" else floor(constant)
    return Constraint(Linear(tuple((n, v * scale) for n, v in terms), Fraction(whole)), ">=")


def read(text: str) -> tuple[frozenset[str], list[Formula], tuple[Formula, ...]]:
    """Return the integer variables of a script, its assertions, and what it marks as true of all integers.

    `let`s are written out.
    """
    question, _, helpful = text.partition(";")
    commands = _expressions(question)
    integers = frozenset(command[1] for command in commands if command[::2] == ("declare-const", "Int"))
    formulas = [_expanded(command[1], {}) for command in commands if command[0] == "assert"]
    # The first line of what is helpful is the rest of the comment.
    found = _expressions(helpful.partition("\n")[2])
    return integers, formulas, tuple(_expanded(command[1], {}) for command in found if command[0] == "assert")


def _expressions(text: str) -> list[Formula]:
    stack: list[list[Formula]] = [[]]
    for word in re.findall(r"[()]|[^\s()]+", text):
        if word == "(":
            stack.append([])
        elif word == ")":
            done = tuple(stack.pop())
            stack[-1].append(done)
        else:
            stack[-1].append(word)
    return stack[0]


def _expanded(formula: Formula, names: dict[str, Formula]) -> Formula:
    if isinstance(formula, str):
        return names.get(formula, formula)
    if formula[0] == "let":
        bound = {name: _expanded(value, names) for name, value in formula[1]}
        return _expanded(formula[2], {**names, **bound})
    return tuple(_expanded(part, names) for part in formula)
