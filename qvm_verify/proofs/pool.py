"""Worker processes that can be killed: a call that crashes or hangs costs its own answer, nothing else."""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

PR_SET_PDEATHSIG = 1  # of prctl(2)
SPAWN = multiprocessing.get_context("spawn")  # a fork would copy solver state and locks of other threads


class Outcome(NamedTuple):
    """What came of one call: its value, or the reason why there is none."""

    value: Any
    failure: str | None  # None where the call returned
    overdue: bool  # true where it was killed for its time
    seconds: float


def _serve(connection: Connection, function: Callable[..., Any]) -> None:
    """Answer calls one after another until the other side leaves."""
    _end_with_parent()
    while True:
        try:
            arguments = connection.recv()
        except EOFError:
            return
        reply: tuple[Any, str | None]
        try:
            reply = (function(*arguments), None)
        except Exception as error:
            reply = (None, f"{type(error).__name__}: {error}")
        try:
            connection.send(reply)
        except ConnectionError:  # nobody is left to hear it
            return


def _end_with_parent() -> None:
    """Have this process killed when its parent ends, where the kernel can (Linux).

    A call in the middle of which the parent is killed is within a solver, which hears of nothing, and nobody
    is left to hold it to its time limit.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let interrupts wait; a process started meanwhile never gets one, and leaves them to its parent."""
    resource_tracker.ensure_running()  # whatever starts it lets interrupts through again
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


class _Worker:
    """One process, and the call it is busy with."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.connection, theirs = SPAWN.Pipe()
        self.process = SPAWN.Process(target=_serve, args=(theirs, function), daemon=True)
        with _interrupts_held():
            self.process.start()
        theirs.close()  # so that the worker's death reads as an end of file here
        self.index: int | None = None
        self.started = 0.0

    def begin(self, index: int, arguments: tuple[Any, ...]) -> None:
        self.index, self.started = index, time.monotonic()
        with suppress(ConnectionError):  # a process that died meanwhile is found out when it does not reply
            self.connection.send(arguments)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def call_all(
    function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], *, time_limit: float, workers: int
) -> Iterator[tuple[int, Outcome]]:
    """Call `function(*arguments)` for every entry of `calls`, `workers` at a time.

    Yields (number of the call, outcome) as they finish. A call that takes over `time_limit` seconds is
    killed with its process; so is everything that still runs when the iterator is closed. `function` must
    be importable by name. Raises ValueError unless `time_limit` and `workers` are positive.
    """
    if time_limit <= 0 or workers < 1:
        raise ValueError(f"time_limit and workers must be positive, got {time_limit} and {workers}")
    waiting = deque(enumerate(calls))
    idle: list[_Worker] = []
    busy: list[_Worker] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                worker = _alive(idle) or _Worker(function)
                busy.append(worker)
                worker.begin(*waiting.popleft())
            for worker in _ready(busy, time_limit):
                busy.remove(worker)
                index = worker.index
                outcome = _collect(worker, time_limit)
                if worker.process.is_alive():
                    idle.append(worker)
                assert index is not None
                yield index, outcome
    finally:
        for worker in idle + busy:
            worker.stop()


def _alive(idle: list[_Worker]) -> _Worker | None:
    """Take a worker that is still there; those that died while they had nothing to do are put away."""
    while idle:
        worker = idle.pop()
        if worker.process.is_alive():
            return worker
        worker.stop()
    return None


def _ready(busy: list[_Worker], time_limit: float) -> list[_Worker]:
    """Wait for the next reply, death or deadline, and return the workers that it concerns."""
    nearest = min(worker.started for worker in busy) + time_limit
    replied = wait([worker.connection for worker in busy], timeout=max(0.0, nearest - time.monotonic()))
    now = time.monotonic()
    return [w for w in busy if w.connection in replied or now >= w.started + time_limit]


def _collect(worker: _Worker, time_limit: float) -> Outcome:
    """Take a reply; a worker that has none is dead or overdue, and is put away."""
    seconds = time.monotonic() - worker.started
    try:
        if worker.connection.poll():
            value, failure = worker.connection.recv()
            return Outcome(value, failure, False, seconds)
    except (EOFError, ConnectionError):
        worker.process.join()
        code = worker.process.exitcode
        worker.stop()
        return Outcome(None, f"the process died with exit code {code}", False, seconds)
    worker.stop()
    return Outcome(None, f"killed after {time_limit:g} s", True, seconds)
