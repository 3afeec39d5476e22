"""Proves a list of claims: makes the obligations, has them answered, and judges the answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from qvm_verify.claims import CLAIMS
from qvm_verify.claims.claim import Claim
from qvm_verify.proofs import algebra, farkas, ieee, real
from qvm_verify.proofs.judge import Certified, Judgement, judge, needs_certificate
from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.pool import call_all
from qvm_verify.proofs.solvers import WORKERS, Answer, Job, can_ask, discharge_all
from qvm_verify.verdict import Verdict

ALL_CLAIMS: tuple[Claim, ...] = (*CLAIMS, *ieee.CLAIMS)
"""The paper's claims and the theory of floating point, in the order of the ledger."""

Answers = dict[Obligation, list[Answer]]
OnAnswer = Callable[[Obligation], None]

SECOND_OPINION = 1.0  # seconds for a solver to contradict another's answer
CERTIFICATE_LIMIT = 20.0  # seconds to find and check the Farkas multipliers of one question


def with_used(chosen: Iterable[Claim], claims: Sequence[Claim] = ALL_CLAIMS) -> list[Claim]:
    """Return the chosen claims and all that their proofs rest on, each after what it rests on."""
    by_id = {claim.id: claim for claim in claims}
    ordered: dict[str, Claim] = {}

    def add(claim: Claim) -> None:
        for name in claim.uses:
            add(by_id[name])
        ordered.setdefault(claim.id, claim)

    for claim in chosen:
        add(claim)
    return list(ordered.values())


def obligations_of(claims: Iterable[Claim]) -> dict[str, list[Obligation]]:
    """Return the obligations of every claim, by its id."""
    theory: dict[str, list[Obligation]] = defaultdict(list)
    for obligation in ieee.obligations():
        theory[obligation.claim].append(obligation)
    return {claim.id: theory[claim.id] or real.obligations(claim) for claim in claims}


def jobs_for(obligations: Iterable[Obligation], solvers: Sequence[str]) -> list[Job]:
    """Return every question for every solver that is to be asked it, those about floats first.

    Of these, what few solvers are asked is what takes them longest, so it comes before the others.
    """
    theory = {claim.id for claim in ieee.CLAIMS}
    groups: list[list[Job]] = []
    for obligation in obligations:
        asked = ieee.asked(obligation) if obligation.claim in theory else solvers
        able = [s for s in solvers if s in asked and can_ask(s, obligation.arithmetic)]
        groups.append([Job(obligation, solver) for solver in able])
    groups.sort(key=lambda group: (not any(map(_is_about_floats, group)), len(group)))
    return [job for group in groups for job in group]


def _is_about_floats(job: Job) -> bool:
    return job.text.startswith("(set-logic QF_FP)")


def ask_all(jobs: Sequence[Job], *, time_limit: float, on_answer: OnAnswer) -> Answers:
    """Return what the solvers answer to each question.

    First every question goes to the solver that is likely to be the fastest: bitwuzla for floats, z3 for the
    reals. Where it has answered, each of the others gets `SECOND_OPINION` seconds to contradict; where it has
    not, the whole time.
    """
    answers: Answers = {job.question: [] for job in jobs if isinstance(job.question, Obligation)}
    first: dict[Obligation, Job] = {}
    for job in sorted(jobs, key=_rank):
        assert isinstance(job.question, Obligation)
        first.setdefault(job.question, job)

    def ask(chosen: list[Job], limit: float) -> None:
        for job, answer in discharge_all(chosen, time_limit=limit):
            assert isinstance(job.question, Obligation)
            answers[job.question].append(answer)
            on_answer(job.question)

    opening = set(first.values())
    ask([job for job in jobs if job in opening], time_limit)
    others = [job for job in jobs if job not in opening]
    open_still = {question for question, given in answers.items() if not _settled(given)}
    ask([job for job in others if job.question in open_still], time_limit)
    limit = min(SECOND_OPINION, time_limit)
    ask([job for job in others if job.question not in open_still], limit)
    return answers


def _rank(job: Job) -> int:
    order = ("bitwuzla", "cvc5", "z3") if _is_about_floats(job) else ("z3", "cvc5", "bitwuzla")
    return order.index(job.solver)


def _settled(given: Sequence[Answer]) -> bool:
    return any(answer.status in ("sat", "unsat") for answer in given)


def certifiable(claims: Iterable[Claim], obligations: Mapping[str, Sequence[Obligation]]) -> list[Obligation]:
    """Return the obligations that need a certificate."""
    return [one for claim in claims for one in obligations[claim.id] if needs_certificate(claim, one)]


def certify_all(wanted: Sequence[Obligation], *, on_answer: OnAnswer) -> Certified:
    """Return for which obligations Farkas multipliers were found, and checked in exact arithmetic.

    An obligation that is missing has none, or none in time; one whose search crashed has the reason.
    """
    texts = ((obligation.smtlib,) for obligation in wanted)
    certified: dict[Obligation, str | None] = {}
    calls = call_all(farkas.certified, texts, time_limit=CERTIFICATE_LIMIT, workers=WORKERS)
    for index, outcome in calls:
        if outcome.value or (outcome.failure is not None and not outcome.overdue):
            certified[wanted[index]] = outcome.failure
        on_answer(wanted[index])
    return certified


def judge_all(
    claims: Sequence[Claim],
    obligations: Mapping[str, Sequence[Obligation]],
    answers: Answers,
    certified: Certified,
) -> list[Judgement]:
    """Return the verdicts; `claims` must be in the order of `with_used`."""
    judgements: list[Judgement] = []
    proved: set[str] = set()
    for claim in claims:
        judgement = judge(
            claim,
            {obligation: answers.get(obligation, []) for obligation in obligations[claim.id]},
            proved=proved,
            certified=certified,
            identities=algebra.count(claim.id),
            failed_identities=algebra.failures(claim.id),
        )
        judgements.append(judgement)
        if judgement.evidence.verdict is Verdict.PROVED:
            proved.add(claim.id)
    return judgements
