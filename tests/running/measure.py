"""Injects the whole catalogue of faults into running commands, and counts what survived."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.running import faults, proofs, shared, starting
from tests.running.damage import changes_not_survived, cuts_not_survived, reports_not_survived, written
from tests.running.faults import Fault
from tests.running.jobs import AUDIT, LARGE, LOADED, REFUTED, REPORTS, REPRODUCE, TRAIN, Job, report_of
from tests.running.process import Running
from tests.running.survival import Bench
from tests.running.tiny_disk import can_mount
from tests.scorecard.part import Effort, Line, Part, Table

MOMENTS = 40  # of kills, and half as many of interrupts
Trial = tuple[str, Callable[[], list[str]]]  # what it is, and what is wrong after it


def measure(effort: Effort) -> Part:
    """Return how many faults of each family the commands survived, and what was damaged and not believed."""
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        lines, wrong = [], []
        for family, trials, note in _families(bench):
            good = tried = 0
            for name, complaints_of in trials:
                effort.on_progress(f"{family}: {name}")
                complaints = complaints_of()
                tried, good = tried + 1, good + (not complaints)
                wrong += complaints
            lines.append(Line(f"fault survived: {family}", tried, good, note))
        damaged, believed = _damage(bench, effort)
    return Part(
        title="Faults while running",
        lines=(*lines, *damaged),
        tables=(Table("Not survived", ("what",), tuple((one,) for one in wrong + believed)),)
        if wrong or believed
        else (),
        remarks=(
            "Survived is a fault after which the exit code and the one sentence were honest, every result was "
            "whole or the older one, and the next run did again nothing that was kept and ended in the same "
            "bytes as a run that nothing befell.",
        ),
    )


def _families(bench: Bench) -> Iterator[tuple[str, Iterable[Trial], str]]:
    steps = {job.name: bench.undisturbed(job).steps for job in (AUDIT, REFUTED, TRAIN, REPRODUCE)}
    seconds = {job.name: bench.undisturbed(job).seconds for job in (AUDIT, REFUTED, TRAIN)}
    report = report_of(bench.folder_of(AUDIT))
    disks = [20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128] if can_mount() else []

    def on(job: Job, *chosen: Iterable[Fault]) -> list[Trial]:
        return [(f"{job.name}, {one}", lambda one=one: bench.complaints(job, one)) for one in chain(*chosen)]

    def stepped(family: str, *jobs: Job) -> list[Trial]:
        return [trial for job in jobs for trial in on(job, faults.at_steps(family, steps[job.name]))]

    def moments(family: str, count: int) -> list[Trial]:
        return [
            trial
            for job, share in ((AUDIT, count // 2), (REFUTED, count // 4), (TRAIN, count // 4))
            for trial in on(job, faults.at_moments(family, seconds[job.name], count=share, seed=1))
        ]

    yield "killed at a step on the disk", stepped("killed", AUDIT, REFUTED, TRAIN, REPRODUCE), "every step"
    yield "killed at any moment", moments("killed", MOMENTS), "moments drawn by seed"
    yield "SIGTERM at a step on the disk", stepped("terminated", TRAIN), "every step"
    yield "SIGINT at a step on the disk", stepped("interrupted", AUDIT, TRAIN), "every step"
    yield "SIGINT at any moment", moments("interrupted", MOMENTS // 2), "moments drawn by seed"
    yield "SIGINT while a command is imported", _starts(), "processes started as users start them"
    yield "disk full at a step", stepped("disk full", AUDIT, TRAIN), "every step"
    yield (
        "files cannot grow, or output full",
        [
            *on(AUDIT, faults.at_sizes(60_000, count=12, seed=1), [faults.full_output()]),
            *on(TRAIN, faults.at_sizes(100_000, count=6, seed=1)),
            *on(report, faults.at_sizes(60_000, count=4, seed=1)),
        ],
        "writes fall short at a size",
    )
    yield (
        "real disk full",
        on(AUDIT, faults.on_tiny_disks(disks)),
        f"of {len(disks)} sizes" if disks else "not run: mounting a small disk needs root",
    )
    yield (
        "read-only folder",
        on(AUDIT, faults.read_only("reports", *range(2, len(steps[AUDIT.name]) + 1, 4))),
        "from the beginning, or from a step on",
    )
    yield (
        "out of memory",
        [
            *on(AUDIT, *(faults.without_memory(batch) for batch in range(4))),
            *on(LARGE, faults.with_little_memory(1, count=12, seed=1)),
        ],
        "told by PyTorch, a GPU or Python, and limits that the kernel keeps",
    )
    yield "process lost", [*_lost(bench), *on(LOADED, [faults.lost_loader(1)])], "of two, or one that loads"
    yield "proof interrupted or killed", _proofs(bench), "no solver outlives it"


def _starts() -> list[Trial]:
    chosen = [(name, library) for name, libraries in starting.LIBRARIES.items() for library in libraries]
    return [
        (f"{name} at {library}", lambda pair=pair: starting.complaints(*pair))
        for pair in chosen
        for name, library in [pair]
        for _ in range(2)
    ]


def _lost(bench: Bench) -> list[Trial]:
    return [
        (f"{number.name} of process {rank}", lambda r=rank, n=number: shared.complaints(bench, r, n))
        for rank in (0, 1)
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
    ]


def _proofs(bench: Bench) -> list[Trial]:
    def one(number: signal.Signals, delay: float) -> list[str]:
        with TemporaryDirectory(dir=bench.folder) as folder:
            return proofs.complaints(Path(folder), number, delay)

    draw = random.Random(1)
    return [
        (number.name, lambda n=number, d=draw.uniform(0.0, 1.5): one(n, d))
        for number in (signal.SIGINT, signal.SIGKILL, signal.SIGTERM)
        for _ in range(3)
    ]


def _damage(bench: Bench, effort: Effort) -> tuple[list[Line], list[str]]:
    """Return the lines on damaged files, and where one was believed."""
    effort.on_progress("damaged journals and reports")
    here = bench.folder / "damaged"
    here.mkdir()
    AUDIT.lay(here)
    (fault,) = faults.at_steps("killed", bench.undisturbed(AUDIT).steps, [11])
    Running(here, AUDIT.command, AUDIT.arguments, fault.inject).end()
    (path,) = (here / "reports").glob("partial-*.ndjson")
    journal = written(path)
    size, last = len(journal.content), journal.content.rfind(b"\n", 0, -1) + 1
    cut = cuts_not_survived(journal, range(last, size + 1))
    changed = changes_not_survived(journal, range(size), seed=1)
    report = bench.folder_of(AUDIT) / REPORTS[0]
    length = report.stat().st_size
    reports = reports_not_survived(report, range(length))
    return [
        Line(
            "journal cut off, resumed",
            size + 1 - last,
            size + 1 - last - len(cut),
            "at every byte of its last line",
        ),
        Line("journal with one other byte, refused or the same", size, size - len(changed), "every byte"),
        Line("report.json cut off, refused or the same", length, length - len(reports), "at every byte"),
    ], [*cut, *changed, *reports]
