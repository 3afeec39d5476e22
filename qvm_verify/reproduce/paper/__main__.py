"""`python -m qvm_verify.reproduce.paper`: write the report on the paper's own numbers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from qvm_verify.exits import CommandParser, Exit, run_command
from qvm_verify.reproduce.paper.agreement import Agreement
from qvm_verify.reproduce.paper.report import report
from qvm_verify.reproduce.paper.sentences import sentences
from qvm_verify.whole_files import write_text


def command(arguments: Sequence[str]) -> Exit:
    """Write the report and say how many sentences contradict the tables."""
    parser = CommandParser(
        prog="python -m qvm_verify.reproduce.paper",
        description="Check the sentences of the paper against its own tables.",
        epilog="Exit codes: 0 the report is written, 2 bad usage or a folder that cannot be written.",
    )
    parser.add_argument("--report", type=Path, default=Path("reports/paper.md"), metavar="FILE")
    path = parser.parse_args(arguments).report
    write_text(path, report())
    found = sentences()
    contradicting = sum(one.agreement is Agreement.CONTRADICTS for one in found)
    print(f"{contradicting} of {len(found)} sentences contradict the paper's tables or one another: {path}")
    return Exit.AS_EXPECTED


if __name__ == "__main__":
    sys.exit(run_command(command))
