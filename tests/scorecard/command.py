"""The command line of the scorecard."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from qvm_verify.exits import CommandParser, Exit, InputError
from qvm_verify.option_types import positive_integer
from qvm_verify.whole_files import write_text
from tests.scorecard.part import Effort, Part, from_json, to_json
from tests.scorecard.render import markdown, show

# Each module has `measure(effort) -> Part`. In the order in which the scorecard shows them.
PARTS = {
    "planted-faults": "tests.mutants.measure",
    "self-identity": "tests.self_identity.measure",
    "mutation": "tests.mutation.measure",
    "fuzz": "tests.fuzz.measure",
    "running": "tests.running.measure",
    "differential": "tests.differential.measure",
    "coverage": "tests.coverage.measure",
}


def command(arguments: Sequence[str]) -> Exit:
    """Measure parts, write the scorecard; exit 1 where anything came out as it should not."""
    options = _parser().parse_args(arguments)
    console = Console() if sys.stdout.isatty() else Console(width=110)
    for name in options.only or PARTS:
        part = _measured(name, options.seconds, console)
        write_text(_path(options.report, name), json.dumps(to_json(part), indent=1) + "\n")
    known = {name: _read(_path(options.report, name)) for name in PARTS}
    parts = [part for part in known.values() if part is not None]
    show(parts, console)
    missing = [name for name, part in known.items() if part is None]
    write_text(options.report / "scorecard.md", markdown(parts, missing))
    if missing:
        console.print(f"never measured: {', '.join(missing)}")
        return Exit.INCONCLUSIVE
    good = all(line.good == line.tried for part in parts for line in part.lines)
    wrong = any(part.wrong_verdicts for part in parts)
    return Exit.AS_EXPECTED if good and not wrong else Exit.COUNTEREXAMPLE


def _measured(name: str, seconds: int, console: Console) -> Part:
    began = time.monotonic()
    with console.status(name) as status:
        effort = Effort(seconds, lambda message: status.update(f"{name}: {message}"))
        part: Part = importlib.import_module(PARTS[name]).measure(effort)
    return replace(part, seconds=round(time.monotonic() - began, 1))


def _path(report: Path, name: str) -> Path:
    return report / "scorecard" / f"{name}.json"


def _read(path: Path) -> Part | None:
    """Return what was measured before. Raises InputError where the file holds something else."""
    if not path.exists():
        return None
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a part of a scorecard: {error}") from error


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m tests.scorecard",
        description="Measure how good the verifier is, and write scorecard.md.",
        epilog="Exit codes: 0 all as it should be; 1 something is not; 2 bad usage; 4 a part never measured.",
    )
    add = parser.add_argument
    add("--only", choices=PARTS, action="append", metavar="PART", help="one part; repeatable (default: all)")
    add("--report", type=Path, default=Path("reports"), metavar="DIR", help="default: reports")
    add(
        "--seconds",
        type=positive_integer,
        default=60,
        metavar="N",
        help="for what searches as long as it may: each fuzzed reader (default: 60)",
    )
    return parser
