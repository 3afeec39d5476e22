"""What mutmut has found, read from its own files under `mutants/`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

from tests.mutation.survivors import ROOT, Change

Result = TypeVar("Result")
Outcome = Literal["killed", "survived", "timed out", "crashed", "not reached"]
# pytest's exit codes, and signals: -24 is SIGXCPU, mutmut's own time limit. 5 and 33: no test gets there.
# The rest are crashes: 2 and 255 of a package that no longer imports, a negative one of a dead process.
OUTCOMES: dict[int | None, Outcome] = {
    None: "not reached",
    0: "survived",
    1: "killed",
    5: "survived",
    33: "survived",
    -24: "timed out",
    24: "timed out",
    36: "timed out",
    152: "timed out",
}


@dataclass(frozen=True)
class Mutant:
    """One mutant and what became of it."""

    name: str
    file: str
    outcome: Outcome

    @property
    def change(self) -> Change:
        """What the mutant changes."""
        function, owner = orig_function_and_class_names_from_key(self.name)
        diff = get_diff_for_mutant(self.name, path=self.file).splitlines()[2:]
        before, after = (
            "\n".join(line[1:].strip() for line in diff if line.startswith(sign)) for sign in ("-", "+")
        )
        return Change(self.file, f"{owner}.{function}" if owner else function, before, after)


def run() -> None:
    """Let mutmut try every mutant of which it has no current result; hours, on two cores.

    Raises RuntimeError where it fails. It may be interrupted: what is known by then stays known.
    """
    _mutmut("from mutmut.__main__ import cli; cli()", "run", "--max-children", "1")


def generate() -> None:
    """Let mutmut make the mutants of the code as it is; those of unchanged functions keep their results.

    Raises RuntimeError where it fails.
    """
    _mutmut("import mutmut.__main__ as mutmut; mutmut.copy_src_dir(); mutmut.create_mutants(1)")


def _mutmut(code: str, *arguments: str) -> None:
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "mutation"}
    command = [sys.executable, "-c", code, *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"mutmut failed: {(ended.stdout + ended.stderr)[-2000:]}")


def mutants() -> Iterator[Mutant]:
    """Yield every mutant that mutmut has made."""
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            yield Mutant(name, str(path), OUTCOMES.get(code, "crashed"))


def in_the_project(work: Callable[[], Result]) -> Result:
    """Return what `work` returns in the project's folder, where mutmut looks for its files."""
    before = os.getcwd()
    os.chdir(ROOT)
    try:
        return work()
    finally:
        os.chdir(before)
