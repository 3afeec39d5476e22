"""Turns what solvers answered into a verdict on a claim.

One solver's answer settles a question; every further one must agree. Two that disagree, a crash, a
counterexample that does not replay, and assumptions that nothing can meet are `ERROR`. No answer at all is
`UNKNOWN`, and so is a proof that rests on a claim which is not proved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from qvm_verify.claims.claim import Claim
from qvm_verify.proofs import witness
from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.solvers import Answer
from qvm_verify.proofs.witness import Witness
from qvm_verify.verdict import Evidence, Verdict

Answers = Mapping[Obligation, Sequence[Answer]]
Certified = Mapping[Obligation, str | None]
"""The obligations whose Farkas multipliers were checked, with None; or with why the checker failed."""
Replay = Callable[[Obligation, Mapping[str, object]], Witness | None]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict on one claim, with who gave it."""

    claim: Claim
    evidence: Evidence
    witness: Witness | None = None
    solvers: Mapping[str, int]  # how many of the questions each solver answered
    questions: int
    seconds: float  # of all solvers together
    certificates: int = 0  # questions for which our own checker accepted Farkas multipliers
    certifiable: int = 0  # questions that should have some
    identities: int = 0  # algebraic identities derived by SymPy

    @property
    def as_expected(self) -> bool:
        """Tell whether the verdict is the expected one, with a replayed witness where that is REFUTED."""
        refuted_for_nothing = self.evidence.verdict is Verdict.REFUTED and self.witness is None
        return self.evidence.verdict is self.claim.expected and not refuted_for_nothing


@dataclass(frozen=True)
class Ruling:
    """What all solvers together say to one question."""

    status: Literal["sat", "unsat", "unknown", "error"]
    reason: str = ""
    witness: Witness | None = None


def judge(
    claim: Claim,
    answers: Answers,
    *,
    proved: Collection[str] = (),
    replay: Replay | None = None,
    certified: Certified = MappingProxyType({}),
    failed_identities: Sequence[str] = (),
    identities: int = 0,
) -> Judgement:
    """Return the verdict on `claim` from the answers to all of its obligations.

    `proved` are the ids of the claims that are proved already; `certified` the obligations whose Farkas
    multipliers were checked; `failed_identities` what SymPy could not derive.
    """
    replay = replay or (lambda question, model: witness.replay(claim, model, dict(question.sizes)))
    rulings = {question: rule(question, given, replay) for question, given in answers.items()}
    verdict, reason, found = _conclude(rulings, certified)
    if found:
        found = witness.first(claim) or found
    missing = [name for name in claim.uses if name not in proved]
    if failed_identities:
        verdict, reason = min(verdict, Verdict.ERROR), f"SymPy does not derive {', '.join(failed_identities)}"
    if verdict is Verdict.PROVED and missing:
        verdict, reason = Verdict.UNKNOWN, f"rests on {', '.join(missing)}, which is not proved"
    decided = _decided(answers)
    return Judgement(
        claim=claim,
        evidence=Evidence(
            claim=claim.id, arithmetic=claim.arithmetic, verdict=verdict, detail=reason or _by_whom(answers)
        ),
        witness=found,
        solvers=decided,
        questions=len(answers),
        seconds=sum(answer.seconds for given in answers.values() for answer in given),
        certificates=sum(certified.get(question, "none") is None for question in answers),
        certifiable=sum(needs_certificate(claim, question) for question in answers),
        identities=identities,
    )


def needs_certificate(claim: Claim, question: Obligation) -> bool:
    """Tell whether a question is to be certified: a linear one that carries a proof over the reals."""
    if claim.arithmetic != "real":  # the theory of floats argues about order alone, in very many cases
        return False
    linear = question.smtlib.startswith("(set-logic QF_LIRA)")
    return linear and question.expect == "unsat" and not question.cross_check


def rule(question: Obligation, given: Sequence[Answer], replay: Replay) -> Ruling:
    """Merge the answers to one question."""
    crashed = [answer for answer in given if answer.status == "error"]
    if crashed:
        return Ruling("error", f"{question.name}: {crashed[0].solver} failed: {crashed[0].reason}")
    decided = [answer for answer in given if answer.status in ("sat", "unsat")]
    if not decided:
        reasons = "; ".join(f"{answer.solver}: {answer.reason or answer.status}" for answer in given)
        return Ruling("unknown", f"{question.name}: {reasons or 'nobody was asked'}")
    if len({answer.status for answer in decided}) > 1:
        said = ", ".join(f"{answer.solver} says {answer.status}" for answer in decided)
        return Ruling("error", f"{question.name}: the solvers disagree: {said}")
    if decided[0].status == "sat" and question.of_claim:
        return _replayed(question, decided, replay)
    return Ruling("sat" if decided[0].status == "sat" else "unsat")


def _replayed(question: Obligation, decided: Sequence[Answer], replay: Replay) -> Ruling:
    """Believe a counterexample only if the reference, run on every model, breaks the claim, too."""
    found: list[Witness] = []
    for answer in decided:
        if not answer.model:
            continue  # a number that no fraction can state; the reason is in the answer
        replayed = replay(question, answer.model)
        if replayed is None:
            return Ruling("error", f"{question.name}: the counterexample of {answer.solver} does not replay")
        found.append(replayed)
    if not found:
        return Ruling("error", f"{question.name}: no solver gave a counterexample that can be replayed")
    return Ruling("sat", witness=found[0])


def _conclude(
    rulings: Mapping[Obligation, Ruling], certified: Certified
) -> tuple[Verdict, str, Witness | None]:
    """Return the verdict, why, and the counterexample: the worst that follows from any question."""
    for question, ruling in rulings.items():
        if ruling.status == "error":
            return Verdict.ERROR, ruling.reason, None
        if question.vacuity and ruling.status == "unsat":
            return Verdict.ERROR, f"{question.name} cannot be met: the proof would be empty", None
        failure = certified.get(question)
        if failure is not None:
            return Verdict.ERROR, f"{question.name}: the certificate checker failed: {failure}", None
        if question in certified and ruling.status == "sat":
            return Verdict.ERROR, f"{question.name}: a checked certificate contradicts the solvers", None
    for question, ruling in rulings.items():
        if ruling.status == "sat" and question.of_claim:
            return Verdict.REFUTED, f"counterexample at {question.name}, replayed", ruling.witness
    for question, ruling in rulings.items():
        if ruling.status == "unknown" and question not in certified:
            return Verdict.UNKNOWN, ruling.reason, None
        if ruling.status == "sat" and not question.vacuity:
            return Verdict.UNKNOWN, f"{question.name} does not go through: no proof, no counterexample", None
    if not any(not question.vacuity for question in rulings):
        return Verdict.UNKNOWN, "nothing was asked", None
    return Verdict.PROVED, "", None


def _decided(answers: Answers) -> dict[str, int]:
    counts: dict[str, int] = {}
    for given in answers.values():
        for answer in given:
            counts.setdefault(answer.solver, 0)
            counts[answer.solver] += answer.status in ("sat", "unsat")
    return counts


def _by_whom(answers: Answers) -> str:
    parts = [f"{solver} {n}/{len(answers)}" for solver, n in _decided(answers).items()]
    return f"{len(answers)} questions: {', '.join(parts)}"
