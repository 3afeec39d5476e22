"""The faults, by name: what can befall a command while it runs, at which step, batch, moment or size."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.running import befalls
from tests.running.process import Inject
from tests.running.tiny_disk import Disk, tiny_disk
from tests.running.when import at_batch, at_moment, at_step

KILLED = frozenset({-signal.SIGKILL, -signal.SIGPROF})  # `at_moment` says why the second
TERMINATED = frozenset({-signal.SIGTERM})
INTERRUPTED = frozenset({130})
REFUSED = frozenset({2})


@dataclass(frozen=True)
class Fault:
    """What befalls a process, and the exit codes that are honest then."""

    family: str
    name: str
    inject: Inject
    codes: frozenset[int]
    surroundings: Callable[[Path], AbstractContextManager[Disk | None]] = lambda folder: nullcontext()

    def __str__(self) -> str:
        return f"{self.family} {self.name}"


STEPS = {
    "killed": (partial(befalls.send_itself, signal.SIGKILL), KILLED),
    "terminated": (partial(befalls.send_itself, signal.SIGTERM), TERMINATED),
    "interrupted": (partial(befalls.send_itself, signal.SIGINT), INTERRUPTED),
    "disk full": (befalls.find_the_disk_full, REFUSED),
}
BATCHES = {
    "PyTorch's allocator": befalls.ask_for_too_much,
    "a GPU's": befalls.lack_memory_of_a_gpu,
    "Python's": befalls.lack_memory_of_python,
}


def at_steps(family: str, steps: Sequence[str], chosen: Sequence[int] | None = None) -> Iterator[Fault]:
    """Yield the fault of a family at each step of a command on the disk, or at those chosen (from 1)."""
    action, codes = STEPS[family]
    for number in range(1, len(steps) + 1) if chosen is None else chosen:
        name = f"at step {number}, {steps[number - 1]}"
        yield Fault(family, name, partial(at_step, number, action), codes)


def at_moments(family: str, seconds: float, *, count: int, seed: int) -> Iterator[Fault]:
    """Yield kills or interrupts at moments drawn from a run that takes so many seconds."""
    number, codes = {"killed": (signal.SIGKILL, KILLED), "interrupted": (signal.SIGINT, INTERRUPTED)}[family]
    draw = random.Random(seed)
    for _ in range(count):
        moment = draw.uniform(0.001, seconds)
        yield Fault(family, f"after {moment:.4f} s", partial(at_moment, moment, number), codes)


def at_sizes(largest: int, *, count: int, seed: int) -> Iterator[Fault]:
    """Yield disks on which no file can grow over a size, drawn evenly on a scale of magnitudes."""
    draw = random.Random(seed)
    for _ in range(count):
        size = round(largest ** draw.uniform(0.5, 1.0))
        inject = partial(befalls.let_no_file_grow_over, size)
        yield Fault("disk full", f"for files over {size} bytes", inject, REFUSED)


def on_tiny_disks(sizes: Sequence[int]) -> Iterator[Fault]:
    """Yield real disks of so many KiB, on which a command finds no room; needs the right to mount."""
    for size in sizes:
        name = f"of {size} KiB"
        yield Fault("disk full", name, befalls.nothing, REFUSED, partial(tiny_disk, kibibytes=size))


def full_output() -> Fault:
    """Return an output that is redirected to a full disk."""
    return Fault("disk full", "for its output", befalls.fill_stdout, REFUSED)


def read_only(folder: str, *steps: int) -> Iterator[Fault]:
    """Yield a folder into which nothing can be written: from the beginning, and from each of the steps on."""
    action = partial(befalls.make_read_only, Path(folder))
    yield Fault("read-only folder", "from the beginning", action, REFUSED)
    for step in steps:
        yield Fault("read-only folder", f"from step {step} on", partial(at_step, step, action), REFUSED)


def without_memory(batch: int) -> Iterator[Fault]:
    """Yield an audit that runs out of memory at a batch, in each of the ways in which that is told."""
    for name, action in BATCHES.items():
        yield Fault(
            "out of memory", f"of {name}, at batch {batch}", partial(at_batch, batch, action), REFUSED
        )


def with_little_memory(batch: int, *, count: int, seed: int) -> Iterator[Fault]:
    """Yield an audit that may have only some more memory from a batch on, which may or may not be enough."""
    draw = random.Random(seed)
    for _ in range(count):
        more = round(2 ** draw.uniform(10, 25))
        action = partial(befalls.lack_memory, more)
        name = f"with {more} more bytes from batch {batch} on"
        yield Fault("out of memory", name, partial(at_batch, batch, action), REFUSED)


def lost_loader(batch: int) -> Fault:
    """Return an audit whose process that loads images is killed."""
    action = partial(at_batch, batch, befalls.lose_the_loaders)
    return Fault("process lost", f"that loads images, at batch {batch}", action, REFUSED)
