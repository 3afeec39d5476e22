"""The command line of the proofs."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from qvm_verify.claims.claim import Claim
from qvm_verify.exits import CommandParser, Exit, InputError
from qvm_verify.option_types import number
from qvm_verify.progress_bars import progress_on
from qvm_verify.proofs import session
from qvm_verify.proofs.judge import Judgement
from qvm_verify.proofs.ledger import Entry, ledger
from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.solvers import SOLVERS, available_solvers
from qvm_verify.verdict import Verdict
from qvm_verify.whole_files import write_text

TIME_LIMIT = 60.0  # the slowest lemma takes bitwuzla some 10 s, and several times that on a busy machine
PACKAGES = {"z3": "z3-solver", "cvc5": "cvc5", "bitwuzla": "bitwuzla"}


def command(arguments: Sequence[str]) -> Exit:
    """Judge the claims and print a verdict on each; return the exit code that they add up to."""
    options = _parser().parse_args(arguments)
    console = Console()
    claims = session.with_used(_chosen(options.claims))
    solvers = _asked(options.solvers)
    usable = [solver for solver in solvers if solver in available_solvers()]
    for solver in sorted(set(solvers) - set(usable)):
        print(f"qvm-verify: {solver} is not installed: fewer judges look at each claim", file=sys.stderr)
    started = time.monotonic()
    obligations = session.obligations_of(claims)
    judgements = _judgements(claims, obligations, usable, options.time_limit, console)
    seconds = time.monotonic() - started
    console.print(_table(judgements, usable), *_facts(judgements, usable, seconds), sep="\n")
    if options.report:
        path = options.report / "claims.json"
        write_text(path, json.dumps(to_json(judgements, usable), indent=2, ensure_ascii=False) + "\n")
        console.print(f"report: {path}", highlight=False, soft_wrap=True)
        folder = export(obligations, options.report / "smtlib")
        console.print(f"obligations: {folder}", highlight=False, soft_wrap=True)
    if options.ledger:
        write_text(options.ledger, ledger([entry_of(judgement) for judgement in judgements]))
        console.print(f"ledger: {options.ledger}", highlight=False, soft_wrap=True)
    return exit_code(judgements)


def export(obligations: Mapping[str, Sequence[Obligation]], folder: Path) -> Path:
    """Write every obligation as an SMT-LIB 2 file that any solver reads; return the folder."""
    for claim, made in obligations.items():
        for k, obligation in enumerate(made, start=1):
            head = f"; {obligation}\n; expected: {obligation.expect}\n"
            write_text(folder / f"{claim}-{k:02}.smt2", head + obligation.smtlib)
    return folder


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="qvm-verify prove",
        description="Prove or refute the paper's claims: for every T by induction, by several solvers.",
        epilog="Exit codes: 0 every verdict as expected, 1 a claim that should hold was refuted (replayed), "
        "2 bad usage, 3 a contradiction (judges disagree, a witness does not replay), 4 inconclusive.",
    )
    add = parser.add_argument
    add("claims", nargs="*", metavar="CLAIM", help="ids of claims (default: all)")
    add("--solvers", default=",".join(SOLVERS), metavar="S,...", help="solvers to ask (default: all)")
    add("--time-limit", type=_seconds, default=TIME_LIMIT, metavar="S", help="seconds a question and solver")
    add("--report", type=Path, metavar="DIR", help="write DIR/claims.json and every obligation as SMT-LIB 2")
    add("--ledger", type=Path, metavar="PATH", help="write the ledger of claims as Markdown")
    return parser


_seconds = number(float, lambda value: 0 < value < math.inf, "a positive number of seconds")


def _chosen(names: Sequence[str]) -> list[Claim]:
    by_id = {claim.id: claim for claim in session.ALL_CLAIMS}
    for name in names:
        if name not in by_id:
            close = ", ".join(get_close_matches(name, by_id, n=3, cutoff=0.3)) or "the ids of the ledger"
            raise InputError(f"unknown claim {name!r}; did you mean {close}?")
    return [by_id[name] for name in names] if names else list(session.ALL_CLAIMS)


def _asked(text: str) -> list[str]:
    solvers = [name.strip() for name in text.split(",")]
    for name in solvers:
        if name not in SOLVERS:
            raise InputError(f"unknown solver {name!r}; one of {', '.join(SOLVERS)}")
    return list(dict.fromkeys(solvers))


def _judgements(
    claims: Sequence[Claim],
    obligations: Mapping[str, Sequence[Obligation]],
    solvers: Sequence[str],
    time_limit: float,
    console: Console,
) -> list[Judgement]:
    questions = [obligation for made in obligations.values() for obligation in made]
    jobs = session.jobs_for(questions, solvers)
    certifiable = session.certifiable(claims, obligations)
    with progress_on(console) as progress:
        asking = progress.add_task("asking solvers", total=len(jobs))
        certifying = progress.add_task("checking certificates", total=len(certifiable))

        def answered(question: Obligation) -> None:
            progress.advance(asking)

        def certified(question: Obligation) -> None:
            progress.advance(certifying)

        answers = session.ask_all(jobs, time_limit=time_limit, on_answer=answered)
        checked = session.certify_all(certifiable, on_answer=certified)
    return session.judge_all(claims, obligations, answers, checked)


def _table(judgements: Sequence[Judgement], solvers: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("claim", overflow="fold", min_width=20)
    table.add_column("source", overflow="fold")
    for name in ("arithmetic", "verdict", "expected"):
        table.add_column(name, no_wrap=True)
    for name in (*solvers, "Farkas", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for judgement in judgements:
        claim, verdict = judgement.claim, judgement.evidence.verdict
        table.add_row(
            claim.id,
            escape(claim.source),
            claim.arithmetic,
            verdict.name,
            claim.expected.name,
            *(_share(judgement.solvers.get(solver), judgement.questions) for solver in solvers),
            _share(judgement.certificates, judgement.certifiable) if judgement.certifiable else "-",
            f"{judgement.seconds:.1f}",
            style=None if judgement.as_expected else "red",
        )
    return table


def _share(answered: int | None, questions: int) -> str:
    return "-" if answered is None else f"{answered}/{questions}"


def _facts(judgements: Sequence[Judgement], solvers: Sequence[str], seconds: float) -> list[str]:
    facts = [
        f"{judgement.claim.id}: {judgement.evidence.verdict.name}: "
        + (f"{judgement.witness}" if judgement.witness else judgement.evidence.detail)
        for judgement in judgements
        if judgement.evidence.verdict is not Verdict.PROVED
    ]
    questions = sum(judgement.questions for judgement in judgements)
    alone = sum(max(judgement.solvers.values(), default=0) == 0 for judgement in judgements)
    certificates = sum(judgement.certificates for judgement in judgements)
    certifiable = sum(judgement.certifiable for judgement in judgements)
    identities = sum(judgement.identities for judgement in judgements)
    as_expected = sum(judgement.as_expected for judgement in judgements)
    facts.append(
        f"{as_expected} of {len(judgements)} claims as expected; {questions} questions to "
        f"{', '.join(solvers) or 'no solver'}, {certificates} of "
        f"{certifiable} certificates checked, "
        f"{identities} identities derived; {alone} claims without any answer; {seconds:.0f} s"
    )
    return [escape(fact) for fact in facts]


def entry_of(judgement: Judgement) -> Entry:
    """Return a judgement as an entry of the ledger."""
    return Entry(judgement.claim, judgement.evidence.verdict, judgement.witness)


def to_json(judgements: Sequence[Judgement], solvers: Sequence[str]) -> dict[str, Any]:
    """Return the content of claims.json."""
    return {
        "schema": "qvm-verify/claims/1",
        "solvers": {solver: version(PACKAGES[solver]) for solver in solvers},
        "claims": [
            {
                "id": judgement.claim.id,
                "source": judgement.claim.source,
                "says": judgement.claim.says,
                "arithmetic": judgement.claim.arithmetic,
                "verdict": judgement.evidence.verdict.name,
                "expected": judgement.claim.expected.name,
                "detail": judgement.evidence.detail,
                "witness": judgement.witness and judgement.witness.to_json(),
                "rests_on": list(judgement.claim.uses),
                "repaired_by": list(judgement.claim.repaired_by),
                "questions": judgement.questions,
                "answered": dict(judgement.solvers),
                "certificates": judgement.certificates,
                "certifiable": judgement.certifiable,
                "identities": judgement.identities,
                "seconds": round(judgement.seconds, 3),
            }
            for judgement in judgements
        ],
    }


def exit_code(judgements: Sequence[Judgement]) -> Exit:
    """Return the exit code: a contradiction counts most, then a counterexample, then what stayed open."""
    unexpected = [judgement for judgement in judgements if not judgement.as_expected]
    if any(judgement.evidence.verdict is Verdict.ERROR for judgement in judgements):
        return Exit.CONTRADICTION
    if any(judgement.evidence.verdict is Verdict.REFUTED and judgement.witness for judgement in unexpected):
        return Exit.COUNTEREXAMPLE
    return Exit.INCONCLUSIVE if unexpected or not judgements else Exit.AS_EXPECTED
