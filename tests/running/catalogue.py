"""The families of faults, each with all that is tried of it."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.running import faults, proofs, shared, starting
from tests.running.faults import Fault
from tests.running.jobs import AUDIT, LARGE, LOADED, REFUTED, REPRODUCE, TRAIN, Job, report_of
from tests.running.survival import Bench
from tests.running.tiny_disk import can_mount

MOMENTS = 40  # of kills, and half as many of interrupts
DISKS = (20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128)  # KiB

Trial = tuple[str, Callable[[], list[str]]]
"""What is tried, and what tries it and returns what is wrong after it."""


class Family(NamedTuple):
    """Faults of one kind."""

    name: str
    note: str
    trials: Callable[[Bench], list[Trial]]


def _on(bench: Bench, job: Job, chosen: Iterable[Fault]) -> list[Trial]:
    return [(f"{job.name}, {one}", lambda one=one: bench.complaints(job, one)) for one in chosen]


def _at_steps(family: str, *jobs: Job) -> Callable[[Bench], list[Trial]]:
    return lambda bench: [
        trial
        for job in jobs
        for trial in _on(bench, job, faults.at_steps(family, bench.undisturbed(job).steps))
    ]


def _at_moments(family: str, count: int) -> Callable[[Bench], list[Trial]]:
    return lambda bench: [
        trial
        for job, share in ((AUDIT, 2), (REFUTED, 4), (TRAIN, 4))
        for trial in _on(
            bench,
            job,
            faults.at_moments(family, bench.undisturbed(job).seconds, count=count // share, seed=1),
        )
    ]


def _sizes(bench: Bench) -> list[Trial]:
    bench.undisturbed(AUDIT)
    report = report_of(bench.folder_of(AUDIT))
    return [
        *_on(bench, AUDIT, [*faults.at_sizes(60_000, count=12, seed=1), faults.full_output()]),
        *_on(bench, TRAIN, faults.at_sizes(100_000, count=6, seed=1)),
        *_on(bench, report, faults.at_sizes(60_000, count=4, seed=1)),
    ]


def _disks(bench: Bench) -> list[Trial]:
    return _on(bench, AUDIT, faults.on_tiny_disks(DISKS if can_mount() else ()))


def _read_only(bench: Bench) -> list[Trial]:
    return _on(bench, AUDIT, faults.read_only("reports", *range(2, len(bench.undisturbed(AUDIT).steps), 4)))


def _memory(bench: Bench) -> list[Trial]:
    told = [fault for batch in AUDIT.work for fault in faults.without_memory(batch)]
    return [
        *_on(bench, AUDIT, told),
        *_on(bench, LARGE, faults.with_little_memory(1, count=12, seed=1)),
    ]


def _lost(bench: Bench) -> list[Trial]:
    def one(rank: int, number: signal.Signals) -> Trial:
        return f"{number.name} of process {rank}", lambda: shared.complaints(bench, rank, number)

    def of_torchrun(number: signal.Signals) -> Trial:
        return f"{number.name} under torchrun", lambda: shared.complaints_of_torchrun(bench, number)

    numbers = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
    return [
        *(one(rank, number) for rank in (0, 1) for number in numbers),
        *(of_torchrun(number) for number in numbers[:2]),
        *_on(bench, LOADED, [faults.lost_loader(1)]),
    ]


def _starts(bench: Bench) -> list[Trial]:
    def one(command: str, library: str) -> Trial:
        return f"{command} at {library}", lambda: starting.complaints(command, library)

    libraries = starting.LIBRARIES.items()
    return 2 * [one(command, library) for command, known in libraries for library in known]


def _proofs(bench: Bench) -> list[Trial]:
    def one(number: signal.Signals, delay: float) -> Trial:
        def complaints() -> list[str]:
            with TemporaryDirectory(dir=bench.folder) as folder:
                return proofs.complaints(Path(folder), number, delay)

        return f"{number.name} after {delay:.2f} s", complaints

    draw = random.Random(1)
    numbers = 3 * (signal.SIGINT, signal.SIGKILL, signal.SIGTERM)
    return [one(number, draw.uniform(0.0, 1.5)) for number in numbers]


FAMILIES = (
    Family("killed at a step on the disk", "every step", _at_steps("killed", AUDIT, TRAIN, REPRODUCE)),
    Family("killed at any moment", "drawn by seed", _at_moments("killed", MOMENTS)),
    Family("SIGTERM at a step on the disk", "every step", _at_steps("terminated", TRAIN)),
    Family("SIGINT at a step on the disk", "every step", _at_steps("interrupted", AUDIT, TRAIN)),
    Family("SIGINT at any moment", "drawn by seed", _at_moments("interrupted", MOMENTS // 2)),
    Family("SIGINT while imported", "commands started as users start them", _starts),
    Family("disk full at a step", "every step", _at_steps("disk full", AUDIT, TRAIN)),
    Family("disk full at a size, or for the output", "writes fall short, then fail", _sizes),
    Family("small disk really full", f"of {len(DISKS)} sizes", _disks),
    Family("read-only folder", "from the beginning, or from a step on", _read_only),
    Family("out of memory", "told by PyTorch, a GPU and Python, and limits kept by the kernel", _memory),
    Family("process lost", "one of two that share an audit, or one that loads images", _lost),
    Family("proof interrupted or killed", "no solver outlives it", _proofs),
)
