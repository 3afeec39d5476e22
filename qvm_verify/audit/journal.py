"""Partial results: what each batch showed, written down as soon as it is known.

A journal is a file of JSON lines: first what the audit is, then a tally for every batch. A killed audit
leaves its journals behind, and the same command goes on where they end. The name carries a digest of
everything the tallies depend on, so the journals of another audit are never taken for this one's; every line
carries one of itself, because a digit that a bad disk changed would still be a number.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from qvm_verify.audit.tally import Tally
from qvm_verify.exits import InputError


def digest(settings: dict[str, Any]) -> str:
    """Return a name for an audit: equal for equal settings, whatever the order of their keys."""
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class Journal:
    """The journal that one process writes; several may lie in one folder.

    Raises InputError where the folder cannot be written or the disk is full; what was written stays.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], rank: int) -> None:
        self._folder, self._name = folder, f"partial-{digest(settings)}"
        self._path = folder / f"{self._name}-{rank}.ndjson"
        self._settings = settings

    def __enter__(self) -> Self:
        try:
            # Without a buffer: what did not fit on a full disk must not be tried again when it is closed.
            self._file = self._path.open("a+b", buffering=0)
            self._file.truncate(sum(map(len, _whole_lines(self._path))))  # a kill may have torn the last one
        except OSError as error:
            raise self._unwritable(error) from error
        if self._file.seek(0, os.SEEK_END) == 0:
            self._write({"audit": self._settings})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, batch: int, tally: Tally) -> None:
        """Write down what one batch showed; when this returns, a kill can no longer lose it."""
        self._write({"batch": batch, "tally": tally.to_json()})

    def batches(self) -> Iterator[tuple[int, Tally]]:
        """Yield every batch that any process wrote down into this folder, once, with its tally.

        Raises InputError where a journal is damaged.
        """
        known: set[int] = set()
        for path in self._paths():
            for number, line in enumerate(_whole_lines(path), start=1):
                try:
                    content = self._checked(json.loads(line))
                    batch = content.get("batch")
                    if batch is None or batch in known:
                        continue  # the header, or a batch that two runs did
                    tally = Tally.from_json(content["tally"])
                except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                    raise InputError(f"{path}: line {number} is damaged; remove the file") from error
                known.add(batch)
                yield batch, tally

    def remove(self) -> None:
        """Remove the journals of this audit, which is over."""
        for path in self._paths():
            path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._name}-*.ndjson"))

    def _seal(self, content: dict[str, Any]) -> str:
        """Return a digest of a line's content, which holds in this audit's journals only."""
        return digest({"journal": self._name, "line": content})

    def _checked(self, line: dict[str, Any]) -> dict[str, Any]:
        """Return the content of a line. Raises ValueError where its seal is not that of its content."""
        seal = line.pop("seal")
        if seal != self._seal(line):
            raise ValueError("the content is not what was written")
        return line

    def _write(self, content: dict[str, Any]) -> None:
        line = json.dumps(content | {"seal": self._seal(content)}, separators=(",", ":"))
        left = memoryview(line.encode() + b"\n")
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(f"{self._path}: cannot be written ({error.strerror or error})")


def _whole_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file that end as lines do; the last one may have been cut off by a kill."""
    with path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))
