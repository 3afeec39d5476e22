"""Commands in processes of their own, forked from one that has imported everything they need."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from qvm_verify.exits import run_command

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.running.warm"])

HUNG = 120.0  # seconds after which a process has to be over, on a machine that is busy with others
NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
Inject = Callable[[], None]
"""Arranges, in the process itself and before the command begins, what is to befall it."""


def heed_interrupts() -> None:
    """Let an interrupt end this process: a shell's background jobs ignore it, and so do their children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Ended(NamedTuple):
    """How a process ended; code as subprocess has it, None where it had to be ended."""

    code: int | None
    out: str
    err: str
    seconds: float | None = None  # of processor time in the command, where it was asked for


class Running:
    """A command that runs in a folder."""

    def __init__(
        self,
        folder: Path,
        command: str,
        arguments: Sequence[str],
        inject: Inject | None = None,
        environment: Mapping[str, str] | None = None,
        name: str = "run",
        timed: bool = False,
    ) -> None:
        self._files = [folder / f"{name}.{end}" for end in ("out", "err")]
        self._clock = folder / f"{name}.seconds" if timed else None
        self._process = SERVER.Process(
            target=_run,
            args=(folder, self._files, self._clock, command, arguments, inject, environment or {}),
        )
        self._process.start()

    def kill(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds, or the process is over."""
        deadline = time.monotonic() + HUNG
        while self._process.is_alive() and not condition() and time.monotonic() < deadline:
            time.sleep(0.002)

    def end(self) -> Ended:
        """Wait for its end."""
        self._process.join(HUNG)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
            self._process.join()
        out, err = (file.read_text(encoding="utf-8") if file.exists() else "" for file in self._files)
        seconds = float(self._clock.read_text()) if self._clock else None
        return Ended(code, out, err, seconds)


def _run(
    folder: Path,
    files: Sequence[Path],
    clock: Path | None,
    command: str,
    arguments: Sequence[str],
    inject: Inject | None,
    environment: Mapping[str, str],
) -> None:
    os.chdir(folder)
    for number, path in enumerate(files, start=1):
        os.dup2(os.open(path, NEW), number)
    told = os.open(clock, NEW) if clock else None
    os.environ |= {"COLUMNS": "200", **environment}
    heed_interrupts()
    run = import_module(command).command
    if inject is not None:
        inject()
    began = time.process_time()
    code = run_command(run, arguments)
    if told is not None:
        os.write(told, str(time.process_time() - began).encode())
    sys.exit(code)
