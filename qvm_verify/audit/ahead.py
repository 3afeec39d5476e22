"""Two forward passes in turns, so that neither has to be held in memory until the other is done.

The one that runs ahead has a thread of its own, since a network may set what PyTorch keeps for each thread
(autocast, say) while it computes; but it runs only while its owner waits, so there is never more than one.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from threading import Semaphore
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor


class Ahead:
    """A computation that its owner lets go on from one `pause` to the next.

    It runs in a thread of an executor that outlives it: a new thread that finds no memory left never says so.
    """

    def __init__(self, work: Callable[[], Tensor], threads: Executor) -> None:
        self._work, self._state, self._threads = work, _state_of_thread(), threads
        self._mine, self._owners = Semaphore(0), Semaphore(0)
        self._over = self._stopped = False
        self._result: Tensor | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        """Make ready; where the other thread would compute otherwise than this one, be done at once."""
        self._running = self._threads.submit(self._run)
        try:
            self._owners.acquire()
        except BaseException:  # an interrupt
            self._stop()
            raise
        if self._over and self._error is None and self._result is None:
            self._result = self._work()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the computation where it pauses, if it is not over."""
        self._stop()
        self._running.result()

    def _stop(self) -> None:
        self._stopped = True
        self._mine.release()

    def pause(self) -> None:
        """Give the turn back to the owner. The computation itself calls this."""
        self._owners.release()
        self._mine.acquire()
        if self._stopped:
            raise _StoppedError

    def go_on(self) -> bool:
        """Let the computation go on to its next pause, and tell whether it is not over. Raises its error."""
        if not self._over:
            self._mine.release()
            self._owners.acquire()
        if self._error is not None:
            raise self._error
        return not self._over

    def result(self) -> Tensor:
        """Let the computation come to its end, and return its result. Raises its error."""
        while self.go_on():
            pass
        assert self._result is not None
        return self._result

    def _run(self) -> None:
        grad, *_ = self._state
        with torch.set_grad_enabled(grad):
            try:
                if _state_of_thread() == self._state:
                    self.pause()
                    self._result = self._work()
            except BaseException as error:  # it is raised again in the thread of the owner
                self._error = error
            finally:
                self._over = True
                self._owners.release()


class _StoppedError(BaseException):
    """The owner wants no more of this; no network catches it."""


def _state_of_thread() -> tuple[Any, ...]:
    """Return what PyTorch keeps for each thread, and a network's result may depend on."""
    devices = ("cpu", "cuda")
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        *((torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)) for device in devices),
        torch.get_default_device(),
        torch.cuda.current_device() if torch.cuda.is_available() else None,
    )
