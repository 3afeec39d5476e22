"""How a command ends: the exit codes, the same in every command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum
from importlib import import_module
from typing import NoReturn, TextIO

from qvm_verify.verdict import Verdict


class Exit(IntEnum):
    """Exit codes of every command."""

    AS_EXPECTED = 0  # every claim came out as expected; the conversion is lossless
    COUNTEREXAMPLE = 1  # one was found, and replayed before it was printed
    BAD_INPUT = 2  # bad usage or unreadable input
    CONTRADICTION = 3  # the tool contradicts itself: two judges disagree, a witness does not replay
    INCONCLUSIVE = 4  # something was not looked at


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence that names it."""


class ContradictionError(RuntimeError):
    """The tool contradicts itself; the message is one sentence that says where."""


class CommandParser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence, like that of everything else."""

    def error(self, message: str) -> NoReturn:
        """Raise InputError."""
        raise InputError(f"{message} (see {self.prog} --help)")


def exit_for(verdict: Verdict) -> Exit:
    """Return the exit code of a merged verdict."""
    return {
        Verdict.REFUTED: Exit.COUNTEREXAMPLE,
        Verdict.ERROR: Exit.CONTRADICTION,
        Verdict.UNKNOWN: Exit.INCONCLUSIVE,
    }.get(verdict, Exit.AS_EXPECTED)


# What PyTorch says where there is too little memory: of its own, of C++, for a thread's stack, for oneDNN.
LACKS_MEMORY = (
    "can't allocate memory",
    "bad_alloc",
    "can't start new thread",
    "could not create a primitive",
)


def mishap(error: BaseException) -> str | None:
    """Return what befell this process, where the error is neither of the input nor of the tool; else None.

    That is memory that ran out, in Python's words or PyTorch's, and a process of PyTorch's that was killed
    while it loaded images. Whoever catches everything must let these pass: the work can be done elsewhere or
    later, and would come out differently.
    """
    said = str(error)
    if isinstance(error, RuntimeError) and said.startswith("DataLoader worker"):
        return "a process that loads images was lost"
    lacks_memory = isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and (
            type(error).__name__ == "OutOfMemoryError"  # of a GPU; PyTorch need not be here to be asked
            or any(words in said for words in LACKS_MEMORY)
        )
    )
    return "not enough memory" if lacks_memory else None


def run_module(name: str, arguments: Sequence[str] | None = None) -> int:
    """Run the `command` of a module as `run_command` does; an interrupt may come while it is imported."""

    def imported(given: Sequence[str]) -> Exit:
        import_module("numpy")  # else PyTorch imports it, and an interrupt meanwhile would be lost
        code: Exit = import_module(name).command(given)
        return code

    return run_command(imported, arguments)


def run_command(command: Callable[[Sequence[str]], Exit], arguments: Sequence[str] | None = None) -> int:
    """Run a command on `arguments` (default: those of the process) and return its exit code.

    An InputError becomes one sentence on stderr and exit code 2, as do a full disk and every `mishap`; a
    ContradictionError 3, and so does any other exception, which is a defect of this tool and must not pass
    for a verdict (QVM_TRACEBACK=1 shows where it came from); an interrupt 130, as shells have it.
    """
    try:
        code = int(command(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()  # here, where a full disk can still be told
        return code
    except InputError as error:
        _say(str(error))
        return int(Exit.BAD_INPUT)
    except ContradictionError as error:
        _say(f"contradiction: {error}")
        return int(Exit.CONTRADICTION)
    except BrokenPipeError:  # the reader of our output left (`| head`)
        _discard(sys.stdout)
        return int(Exit.INCONCLUSIVE)
    except OSError as error:
        _say(str(error).splitlines()[0])
        try:
            sys.stdout.flush()
        except OSError:  # so it was stdout
            _discard(sys.stdout)
        return int(Exit.BAD_INPUT)
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    except Exception as error:
        if befell := mishap(error):
            _say(befell)
            return int(Exit.BAD_INPUT)
        if os.environ.get("QVM_TRACEBACK"):
            raise
        # The last resort: exit code 1 would say that a counterexample was found.
        sentence = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        _say(f"defect of this tool, please report it: {sentence}")
        return int(Exit.CONTRADICTION)


def _say(sentence: str) -> None:
    """Write one line to stderr; what would end it, or what a terminal takes for a command, is written out.

    Where stderr is full, too, the exit code alone has to say it.
    """
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in sentence)
    try:
        print(f"qvm-verify: {shown}", file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    """Point a stream elsewhere: what it still holds would be an error again when Python closes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
