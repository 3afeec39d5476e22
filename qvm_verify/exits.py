"""How a command ends: the exit codes, the same in every command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NoReturn

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


def run_command(command: Callable[[Sequence[str]], Exit], arguments: Sequence[str] | None = None) -> int:
    """Run a command on `arguments` (default: those of the process) and return its exit code.

    An InputError becomes one sentence on stderr and exit code 2, as do a full disk and memory that runs out;
    a ContradictionError 3, and so does any other exception, which is a defect of this tool and must not pass
    for a verdict (QVM_TRACEBACK=1 shows where it came from); an interrupt 130, as shells have it.
    """
    try:
        return int(command(sys.argv[1:] if arguments is None else arguments))
    except InputError as error:
        _say(f"{error}")
        return int(Exit.BAD_INPUT)
    except ContradictionError as error:
        _say(f"contradiction: {error}")
        return int(Exit.CONTRADICTION)
    except BrokenPipeError:
        # The reader of our output left (`| head`). Point stdout elsewhere so that closing it stays quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.INCONCLUSIVE)
    except (OSError, MemoryError) as error:
        _say((str(error) or "not enough memory").splitlines()[0])
        return int(Exit.BAD_INPUT)
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    except Exception as error:  # the last resort: exit code 1 would say that a counterexample was found
        if os.environ.get("QVM_TRACEBACK"):
            raise
        sentence = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        _say(f"defect of this tool, please report it: {sentence}")
        return int(Exit.CONTRADICTION)


def _say(sentence: str) -> None:
    """Print one line; what would end it, or what a terminal takes for a command, is written out."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in sentence)
    print(f"qvm-verify: {shown}", file=sys.stderr)
