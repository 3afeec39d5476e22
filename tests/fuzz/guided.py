"""The second driver's process: one reader under inputs that coverage guides, until the time is over.

    python -m tests.fuzz.guided TARGET FOLDER [libFuzzer options] CORPUS

What is found is written into FOLDER, one file for each cause, and the input at hand into FOLDER/current, for
who looks at a process that died. Memory is limited to little more than the readers need.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["qvm_verify"]):
    import qvm_verify.audit.command
    import qvm_verify.replay.command  # noqa: F401
    from tests.fuzz.attempts import attempt, signature
    from tests.fuzz.mutations import mutated
    from tests.fuzz.targets import TARGETS

MEMORY = 2**30  # bytes beyond what the process has when it begins


def main(name: str, folder: Path, options: list[str]) -> None:
    target, current = TARGETS[name], folder / "current"
    known: set[str] = set()

    def one(data: bytes) -> None:
        current.write_bytes(data)
        try:
            attempt(target, data)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            cause = signature(error)
            if cause not in known:
                known.add(cause)
                (folder / f"found-{cause}").write_bytes(data)

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.5:
            return atheris.Mutate(data, longest)
        return mutated(data, random)[:longest]

    attempt(target, b"")  # imports what is imported late, before memory is short
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    atheris.Setup([sys.argv[0], *options], one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
