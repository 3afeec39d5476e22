"""The command line of the replay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from qvm_verify.counterexamples import explain
from qvm_verify.exits import CommandParser, Exit, InputError
from qvm_verify.replay.emitted_test import emitted_test
from qvm_verify.replay.judges import Judgement, Status, judge, judge_in
from qvm_verify.replay.settings import ConvertedNetwork
from qvm_verify.report.files import read_report
from qvm_verify.report.reading import counterexamples_of
from qvm_verify.verdict import Counterexample
from qvm_verify.whole_files import write_text


def command(arguments: Sequence[str]) -> Exit:
    """Replay one counterexample or all of a report; return what became of them as an exit code."""
    options = _parser().parse_args(arguments)
    path, _, wanted = options.report.partition("#")
    found = counterexamples_of(read_report(path))
    chosen = [c for c in found if wanted in ("", c.id)]
    if wanted and not chosen:
        raise InputError(f"{path}: has no counterexample {wanted!r}")
    if not chosen:
        print(f"{path}: no counterexample in it")
        return Exit.AS_EXPECTED
    network = None if options.model is None else ConvertedNetwork(options.model)
    judged = [(c, _judged(path, c, network)) for c in chosen]
    for counterexample, judgement in judged:
        _print(counterexample, judgement, in_full=options.trace or bool(wanted))
    if options.emit_test is not None:
        _emit(options.emit_test, [c for c, judgement in judged if judgement.status is Status.REPRODUCED])
    statuses = {judgement.status for _, judgement in judged}
    if Status.ERROR in statuses:
        return Exit.CONTRADICTION
    if Status.REPRODUCED in statuses:
        return Exit.COUNTEREXAMPLE
    return Exit.INCONCLUSIVE if Status.UNSEEN in statuses else Exit.AS_EXPECTED


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="qvm-verify replay",
        description="Re-execute counterexamples bit for bit: on the NumPy reference in their dtype and over "
        "the rationals, and on PyTorch. REPRODUCED: it fails as reported; FIXED: it does, but not with the "
        "settings of --model; UNSEEN: its module computes something else than the reference, so only "
        "the audited network can show it; ERROR: it does not fail, so it is no counterexample. Exit codes: "
        "0 there is none, or all are fixed; 1 one reproduced; 2 unreadable report; 3 an ERROR; 4 UNSEEN.",
    )
    parser.add_argument("report", metavar="REPORT[#ID]", help="report.json, with #ID for one counterexample")
    parser.add_argument(
        "--model",
        type=Path,
        metavar="MODEL",
        help="checkpoint, converted by Algorithm 1; what does not fail there on the ANN's current is FIXED",
    )
    parser.add_argument("--trace", action="store_true", help="print every step (the default for one ID)")
    parser.add_argument(
        "--emit-test",
        type=Path,
        metavar="FILE",
        help="write the counterexamples that reproduced as a pytest file that imports numpy alone",
    )
    return parser


def _judged(path: str, counterexample: Counterexample, network: ConvertedNetwork | None) -> Judgement:
    now = None if network is None else network.case(counterexample)
    try:
        return judge(counterexample) if now is None else judge_in(counterexample, now)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path}: counterexample {counterexample.id} is damaged: {error}") from error


def _print(c: Counterexample, judgement: Judgement, *, in_full: bool) -> None:
    """Print a counterexample if it reproduced; of anything else only its id, its status and why."""
    label = _printable(f"{judgement.status.value:10} {c.id}")
    if judgement.status is not Status.REPRODUCED:
        print(f"{label}  {_printable(f'{c.site}: {judgement.detail}')}")
        return
    first, *rest = map(_printable, explain(c).splitlines())
    print(f"{label}  {first}")
    if in_full:
        print("\n".join([*rest, f"  {judgement.detail}"]))


def _printable(text: str) -> str:
    """Return a text that a terminal cannot take for commands; a report may come from anywhere."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _emit(path: Path, counterexamples: list[Counterexample]) -> None:
    if not re.fullmatch(r"[\w.-]+\.py", path.name):
        raise InputError(f"--emit-test {path}: the name of a pytest file ends in .py")
    if not counterexamples:
        raise InputError(f"--emit-test {path}: no counterexample reproduced, so there is nothing to write")
    write_text(path, emitted_test(counterexamples))
    print(f"wrote {path}: run it with python -m pytest {path}")
