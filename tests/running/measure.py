"""Injects the whole catalogue of faults into running commands, and counts what survived."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.running import faults
from tests.running.catalogue import FAMILIES
from tests.running.damage import changes_not_survived, cuts_not_survived, reports_not_survived, written
from tests.running.jobs import AUDIT, REPORTS
from tests.running.process import Running
from tests.running.survival import Bench
from tests.scorecard.part import Effort, Line, Part, Table

REMARK = (
    "A fault is survived where the exit code and the one sentence were honest, every result was whole or the "
    "older one, and the next run did again nothing that was kept and ended in the same bytes as a run that "
    "nothing befell."
)


def measure(effort: Effort) -> Part:
    """Return how many faults of each family the commands survived, and what was damaged and not believed."""
    lines, wrong = [], []
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for family in FAMILIES:
            tried = good = 0
            for name, complaints_of in family.trials(bench):
                effort.on_progress(f"{family.name}: {name}")
                complaints = complaints_of()
                tried, good = tried + 1, good + (not complaints)
                wrong += complaints
            note = family.note if tried else "not run: mounting a disk needs root"
            lines.append(Line(f"fault survived: {family.name}", tried, good, note))
        effort.on_progress("damaged journals and reports")
        for what, note, tried, check in _damages(bench):
            failures = check()
            wrong += failures
            lines.append(Line(what, tried, tried - len(failures), note))
    table = Table("Not survived", ("what",), tuple((one,) for one in wrong))
    return Part("Faults while running", tuple(lines), tables=(table,) if wrong else (), remarks=(REMARK,))


def _damages(bench: Bench) -> list[tuple[str, str, int, Callable[[], list[str]]]]:
    """Return what is damaged, where, how often, and the check that nothing of it is believed."""
    here = bench.folder / "damaged"
    here.mkdir()
    AUDIT.lay(here)
    (fault,) = faults.at_steps("killed", bench.undisturbed(AUDIT).steps, [11])
    Running(here, AUDIT.command, AUDIT.arguments, fault.inject).end()
    (path,) = (here / "reports").glob("partial-*.ndjson")
    journal = written(path)
    size, last = len(journal.content), journal.content.rfind(b"\n", 0, -1) + 1
    report = bench.folder_of(AUDIT) / REPORTS[0]
    length = report.stat().st_size
    return [
        (
            "journal cut off, and resumed from its whole lines",
            "at every byte of its last line",
            size + 1 - last,
            lambda: cuts_not_survived(journal, range(last, size + 1)),
        ),
        (
            "journal with one other byte, refused or the same",
            "every byte in turn",
            size,
            lambda: changes_not_survived(journal, range(size), seed=1),
        ),
        (
            "report.json cut off, refused or the same",
            "at every byte",
            length,
            lambda: reports_not_survived(report, range(length)),
        ),
    ]
