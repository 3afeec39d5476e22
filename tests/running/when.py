"""When something befalls a process: at a step that it takes on the disk, at a batch, or at a moment.

A step is what other programs can see: a file opened to be written, a line written through, a name changed or
removed. They are counted by an audit hook of Python, in the process itself, so a step has the same number in
every run.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qvm_verify.audit.side_by_side import SideBySide
from qvm_verify.audit.tally import Tally

WRITES = os.O_WRONLY | os.O_RDWR
PROCESS = r"(?<=\.)\d+\.(?=part$)"  # its number in the name of a file that is not whole yet
CHANGES = ("os.rename", "os.remove", "os.mkdir")


def at_step(number: int, action: Callable[[], None]) -> None:
    """Have `action` befall this process at that step, counted from 1."""
    taken = iter(range(1, sys.maxsize))

    def on_step(what: str) -> None:
        if next(taken) == number:
            action()

    _watch(on_step)


def told_steps(path: Path) -> None:
    """Have the names of all steps of this process written to a file, one a line."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    _watch(lambda what: os.write(file, f"{what}\n".encode()))


def _watch(on_step: Callable[[str], Any]) -> None:
    here, through = os.getcwd(), os.fsync

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and not arguments[2] & WRITES:
            return
        if (event == "open" or event in CHANGES) and isinstance(arguments[0], str | os.PathLike):
            path = os.path.abspath(arguments[0])
            if path.startswith(f"{here}/"):  # what is compiled or kept elsewhere is not the command's
                on_step(f"{event} {re.sub(PROCESS, '', path[len(here) + 1 :])}")

    def written_through(file: int) -> None:
        on_step("before a line is written through")
        through(file)
        on_step("after a line is written through")

    sys.addaudithook(hook)
    os.fsync = written_through


def at_batch(number: int, action: Callable[[], None]) -> None:
    """Have `action` befall this process when it is about to look at its batch of that number, from 0."""
    look, looked = SideBySide.look, iter(range(sys.maxsize))

    def befallen(self: SideBySide, *arguments: Any) -> Tally:
        if next(looked) == number:
            action()
        return look(self, *arguments)

    SideBySide.look = befallen  # type: ignore[method-assign]


def at_moment(seconds: float, number: signal.Signals) -> None:
    """Send this process a signal after so many seconds of processor time, whatever else the machine does.

    SIGPROF ends a process as SIGKILL does unless somebody handles it; here nobody does, or the handler of
    the signal that is wanted.
    """
    handler = signal.SIG_DFL if number == signal.SIGKILL else signal.getsignal(number)
    signal.signal(signal.SIGPROF, handler)
    signal.setitimer(signal.ITIMER_PROF, seconds)
