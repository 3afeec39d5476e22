"""How often implementations agree on generated networks, and solvers with each other and with exhaustion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.solvers import Answer, Job, discharge_all
from tests.differential.networks import plans
from tests.differential.pairs import PAIRS, Pair
from tests.differential.questions import (
    BFLOAT,
    HALF,
    TINY,
    Question,
    questions_over_floats,
    questions_over_the_reals,
)
from tests.scorecard.part import Effort, Line, Part, Table

NETWORKS = 50  # drawn for every pair
COMPILED = 5  # where each is compiled
QUESTIONS = 60  # drawn for every arithmetic
TIME_LIMIT = 20.0  # seconds for an answer

KINDS: dict[str, tuple[st.SearchStrategy[Question], ...]] = {
    "over the reals: z3, cvc5 and every case tried": (questions_over_the_reals(),),
    "in formats of 5 to 8 bits: z3 and every number tried": tuple(map(questions_over_floats, TINY)),
    "in float16: z3, cvc5, bitwuzla and every case tried": (questions_over_floats(HALF),),
    "in bfloat16: z3, cvc5 and every case tried": (questions_over_floats(BFLOAT),),
}

REMARKS = (
    "CPU against CUDA, with TF32 on and off, was not run here: this machine has no CUDA device. The tests, "
    "in `tests/differential/test_devices.py`, are skipped and say so.",
    "",
    "Networks: where the other side is exact rationals or a compiler, weights are eighths, so that nothing "
    "is rounded and every count, output and score must be the same number. Elsewhere they are any floats, "
    "and what is compared rounds alike. Batch-norms of any floats are not compared with compiled ones: a "
    "compiler rounds them otherwise. Hypothesis draws each network from a fixed seed.",
    "",
    "Questions: a claim of the paper, or a mutant of it, at up to 3 time-steps, on finitely many values. "
    "bitwuzla has neither reals nor formats of one's own.",
)


@dataclass
class Tally:
    """What became of what was drawn."""

    tried: int = 0
    wrong: list[str] = field(default_factory=list)
    unanswered: int = 0

    def line(self, what: str, note: str = "") -> Line:
        """Return it as a line of the scorecard."""
        return Line(what, self.tried, self.tried - len(self.wrong), note)


def measure(effort: Effort) -> Part:
    """Draw networks and questions, and count how many are agreed on."""
    lines, disagreements = [], []
    for pair in PAIRS:
        effort.on_progress(pair.name)
        tally = _networks(pair)
        lines.append(tally.line(f"networks: {pair.name}"))
        disagreements += tally.wrong
    for kind, strategies in KINDS.items():
        effort.on_progress(kind)
        tally, answers = _asked(
            [one for drawn in strategies for one in _drawn(drawn, QUESTIONS // len(strategies))]
        )
        lines.append(tally.line(f"questions {kind}", _note(answers, tally.unanswered)))
        disagreements += tally.wrong
    effort.on_progress("cvc5 in formats of 5 to 8 bits")
    return Part(
        title="Implementations and solvers against each other",
        lines=tuple(lines),
        wrong_verdicts=len(disagreements),
        tables=(_cvc5_in_tiny_formats(), *_table_of(disagreements)),
        remarks=REMARKS,
    )


def _drawn(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Return `count` different values of a strategy, the same in every run, or all where there are fewer."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(one: Any) -> None:
        found.append(one)

    keep()
    return found


def _networks(pair: Pair) -> Tally:
    tally = Tally()
    for plan in _drawn(plans(pair.weights, pair.changes), COMPILED if pair.compiles else NETWORKS):
        tally.tried += 1
        if found := pair.compare(plan):
            tally.wrong.append(f"{pair.name}: {plan}: {'; '.join(found)}")
    return tally


Answers = list[tuple[Question, Mapping[str, Answer]]]


def _asked(questions: list[Question]) -> tuple[Tally, Answers]:
    """Put every question to its solvers, and try every case."""
    answers = _answers(questions, lambda question: question.solvers)
    tally = Tally()
    for question, given_by in answers:
        if found := question.complaints(given_by):
            tally.wrong.append(f"{question}: {'; '.join(found)}")
        elif any(answer.status == "unknown" for answer in given_by.values()):
            tally.unanswered += 1
            continue
        tally.tried += 1
    return tally, answers


def _answers(questions: list[Question], whom: Callable[[Question], tuple[str, ...]]) -> Answers:
    """Ask in processes of their own, so that a crash is an answer, too."""
    obligations: list[Obligation] = [question.obligation() for question in questions]
    jobs = [
        Job(obligation.smtlib, solver)
        for question, obligation in zip(questions, obligations, strict=True)
        for solver in whom(question)
    ]
    found = dict(discharge_all(jobs, time_limit=TIME_LIMIT, workers=1))
    return [
        (question, {solver: found[Job(obligation.smtlib, solver)] for solver in whom(question)})
        for question, obligation in zip(questions, obligations, strict=True)
    ]


def _note(answers: Answers, unanswered: int) -> str:
    refuted = sum(any(one.status == "sat" for one in given_by.values()) for _, given_by in answers)
    note = f"{refuted} of {len(answers)} have a counterexample"
    return (
        f"{note}; {unanswered} more had no answer in {TIME_LIMIT:g} s from one solver" if unanswered else note
    )


def _cvc5_in_tiny_formats() -> Table:
    """Say how cvc5 fares where nobody here relies on it: in formats that it calls experimental."""
    rows = []
    for form in TINY:
        questions = _drawn(questions_over_floats(form), QUESTIONS // len(TINY))
        statuses: Counter[str] = Counter()
        for question, given_by in _answers(questions, lambda question: ("cvc5",)):
            status = given_by["cvc5"].status
            statuses[status if status in ("error", "unknown") else _right(question, given_by)] += 1
        columns = ("right", "wrong", "error", "unknown")
        rows.append((str(form), str(len(questions)), *(str(statuses[column]) for column in columns)))
    return Table(
        "cvc5 in formats of 5 to 8 bits, which it calls experimental: why its word is not asked for there",
        ("format (exponent.significand bits)", "asked", "right", "wrong", "crashed", "no answer"),
        tuple(rows),
    )


def _right(question: Question, given_by: Mapping[str, Answer]) -> str:
    return "wrong" if question.complaints(given_by) else "right"


def _table_of(disagreements: list[str]) -> tuple[Table, ...]:
    if not disagreements:
        return ()
    return (Table("Disagreements", ("what",), tuple((one,) for one in disagreements)),)
