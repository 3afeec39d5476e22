"""`events.ndjson`: what an audit does, one JSON object a line, each line written as soon as it is known.

The events, in their order: `start`, `certificate` (a site), `resume` (where an earlier run was cut off),
`batch`, and at the end `site` (once in each mode), `claim` and `verdict`, or `stopped` with the reason. Every
line has `event` and `time` (UTC). A log that ends in neither is that of an audit that was killed, or is
still at work.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from qvm_verify.exits import InputError


class EventLog:
    """The events of one audit; without a path, nothing is written.

    The log of an audit that came to its end is begun anew, that of one that was cut off is continued.
    Raises InputError where the file cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: FileIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            if error is not None:
                with suppress(InputError):  # what stopped it counts, not that it cannot be told here
                    self.write("stopped", reason=str(error) or type(error).__name__)
            self._file.close()

    def write(self, event: str, **fields: Any) -> None:
        """Write one event, and see it out of this process before returning."""
        if self._path is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"event": event, "time": now, **fields}, separators=(",", ":"))
        try:
            if self._file is None:  # only now: a run that is refused at once leaves the older log alone
                kept = _kept(self._path)
                # Without a buffer: what did not fit on a full disk must not be tried again later.
                self._file = self._path.open("ab", buffering=0)
                self._file.truncate(kept)
            left = memoryview(line.encode() + b"\n")
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({error.strerror or error})") from error


def _kept(path: Path) -> int:
    """Return how many bytes of a log to keep: its whole lines, or none where it ends in a verdict."""
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    last = whole.splitlines()[-1:]
    return 0 if last and last[0].startswith(b'{"event":"verdict"') else len(whole)
