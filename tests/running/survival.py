"""Whether a command survives a fault: what it says and leaves then, and what the next run makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.running.faults import Fault
from tests.running.jobs import Job
from tests.running.process import Ended, Running
from tests.running.when import told_steps

OLDER = b"of an earlier run\n"


@dataclass(frozen=True)
class Undisturbed:
    """A run that nothing befell."""

    code: int
    results: dict[str, bytes]
    steps: tuple[str, ...]
    seconds: float  # of processor time


@dataclass
class Bench:
    """Runs of every job that nothing befell, each done once, in folders of its own."""

    folder: Path
    known: dict[str, Undisturbed] = field(default_factory=dict)

    def undisturbed(self, job: Job) -> Undisturbed:
        """Return what a job does when nothing befalls it."""
        if job.name not in self.known:
            here = self.folder_of(job)
            here.mkdir()
            job.lay(here)
            told = partial(told_steps, here / "steps")
            ended = Running(here, job.command, job.arguments, told, timed=True).end()
            assert (ended.code in (0, 1), ended.err) == (True, ""), ended
            assert ended.code is not None
            assert ended.seconds is not None
            steps = tuple((here / "steps").read_text(encoding="utf-8").splitlines())
            results = {name: (here / name).read_bytes() for name in job.results}
            self.known[job.name] = Undisturbed(ended.code, results, steps, ended.seconds)
        return self.known[job.name]

    def folder_of(self, job: Job) -> Path:
        """Return where the run of a job lies that nothing befell."""
        return self.folder / job.name.replace(" ", "-")

    def complaints(self, job: Job, fault: Fault) -> list[str]:
        """Return what is wrong with what a fault did; nothing where the command survived."""
        expected = self.undisturbed(job)
        with TemporaryDirectory(dir=self.folder) as name, fault.surroundings(Path(name)) as disk:
            here = Path(name)
            job.lay(here)
            for result in job.results:
                (here / result).parent.mkdir(exist_ok=True)
                (here / result).write_bytes(OLDER)
            befallen = Running(here, job.command, job.arguments, fault.inject).end()
            found = [*dishonest(befallen, fault, expected, here), *torn(here, expected)]
            kept = job.kept(here)
            for folder in here.glob("*/"):
                folder.chmod(0o755)  # where it had become read-only
            if disk is not None:
                disk.grow()
            again = Running(here, job.command, job.arguments).end()
            found += [*lost(job, here, again, expected), *repeated(job, here, again, kept)]
        return [f"{job.name}, {fault}: {complaint}" for complaint in found]


def dishonest(ended: Ended, fault: Fault, expected: Undisturbed, here: Path) -> Iterator[str]:
    """Yield what a run that a fault befell says of itself that is not so."""
    whole = all((here / name).read_bytes() == content for name, content in expected.results.items())
    if ended.code not in fault.codes and not (ended.code == expected.code and whole):
        yield f"ended with {ended.code}, results {'whole' if whole else 'missing'}: {ended.err[:300]!r}"
    if ended.code is not None and ended.code > 1:
        if not (ended.err.startswith("qvm-verify: ") and ended.err.count("\n") == 1):
            yield f"said {ended.err[:300]!r}"
        if "defect" in ended.err:
            yield "took what befell it for a defect of its own"
    elif ended.err:
        yield f"said {ended.err[:300]!r}"


def torn(here: Path, expected: Undisturbed) -> Iterator[str]:
    """Yield the results that are neither the older ones nor whole."""
    for name, content in expected.results.items():
        if (here / name).read_bytes() not in (OLDER, content):
            yield f"{name} is neither old nor new"


def lost(job: Job, here: Path, again: Ended, expected: Undisturbed) -> Iterator[str]:
    """Yield what the next run did not make good."""
    if (again.code, again.err) != (expected.code, ""):
        yield f"the next run ended with {again.code}: {again.err[:300]!r}"
    for name, content in expected.results.items():
        if (here / name).read_bytes() != content:
            yield f"{name} of the next run is another than that of a run that nothing befell"
    if left := list(here.glob("reports/partial-*")):
        yield f"the next run left {left[0].name}"


def repeated(job: Job, here: Path, again: Ended, kept: set[int]) -> Iterator[str]:
    """Yield where the next run did again what was kept, or left out what was not."""
    done = job.done(here, again)
    if done != [number for number in job.work if number not in kept]:
        yield f"the next run did {done} of {list(job.work)}, where {sorted(kept)} was kept"
