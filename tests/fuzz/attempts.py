"""One input to one reader, and what counts as a finding."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qvm_verify.exits import Exit, InputError, run_command

SECONDS = 10.0  # for one input of a few kilobytes, on a machine that does other things too


class TooSlowError(BaseException):
    """An input took longer than any reader may; nothing under test can take it for an error of its own."""


class FindingError(AssertionError):
    """A refusal that is none: of more than one sentence, or after memory had run out."""


@dataclass(frozen=True)
class Target:
    """A reader as a function of bytes; it may raise the project's refusal, and nothing else.

    `read` is given a folder of its own, the input and the place of nothing else. A command line may also
    raise OSError, which `run_command` turns into one sentence.
    """

    name: str
    read: Callable[[Path, bytes], None]
    refuses_with: tuple[type[Exception], ...] = (InputError,)


def attempt(target: Target, data: bytes, seconds: float = SECONDS) -> bool:
    """Return whether the reader took the input, or else refused it in one sentence.

    Raises whatever else comes of it: that is a finding.
    """
    with _alone() as folder, _limited(seconds):
        try:
            target.read(folder, data)
        except target.refuses_with as refusal:
            _check(refusal)
            return False
        except SystemExit as end:
            if end.code != 0:  # --help ends a command, and nothing else does
                raise
    return True


def _check(refusal: Exception) -> None:
    def refused(_: Sequence[str]) -> Exit:
        raise refusal

    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = run_command(refused, [])
    if code != Exit.BAD_INPUT or len(said.getvalue().splitlines()) != 1:
        raise FindingError(f"not one sentence: {said.getvalue()!r}") from refusal
    cause: BaseException | None = refusal
    while cause is not None:
        if isinstance(cause, MemoryError) or "allocate memory" in str(cause):
            raise FindingError(f"refused only when memory had run out: {refusal}") from refusal
        cause = cause.__cause__ or cause.__context__


@contextlib.contextmanager
def _alone() -> Iterator[Path]:
    """Yield an empty folder, the current one; let nothing be printed, and no warning pass."""
    before = Path.cwd()
    with (
        tempfile.TemporaryDirectory(prefix="fuzz-") as folder,
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooSlowError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def signature(error: BaseException) -> str:
    """Return what two findings of one cause have in common: the error, and the last line of ours."""
    place, trace = "", error.__traceback__
    while trace is not None:
        if "qvm_verify" in trace.tb_frame.f_code.co_filename:
            place = f"{Path(trace.tb_frame.f_code.co_filename).stem}-{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}-{place or 'outside'}"
