"""Render a report again: `python -m qvm_verify.report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qvm_verify.exits import CommandParser, Exit, InputError
from qvm_verify.report.files import read_report
from qvm_verify.report.formats import FORMATS, save_formats


def command(arguments: Sequence[str]) -> Exit:
    """Write every format of a report; return 0, whatever the report says."""
    parser = CommandParser(
        prog="qvm-verify report",
        description=f"Make {', '.join(FORMATS)} from report.json alone. "
        "Exit codes: 0 written, 2 unreadable report or folder.",
    )
    parser.add_argument("report", type=Path, metavar="REPORT", help="report.json")
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder (default: that of the report)")
    options = parser.parse_args(arguments)
    content, folder = read_report(options.report), options.output or options.report.parent
    try:
        paths = save_formats(content, folder)
    except (ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{options.report}: says what no audit says: {error}") from error
    for path in paths:
        print(path)
    return Exit.AS_EXPECTED
