"""One part of the scorecard: what was tried, what came out as it should, and the tables behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Line:
    """One line of the scorecard: so many tried, so many as they should be."""

    what: str
    tried: int
    good: int
    note: str = ""


@dataclass(frozen=True)
class Table:
    """What stands behind the lines, for who wants to know which."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Part:
    """What one measurement found. A wrong verdict is a lossy conversion passed, or a lossless one refuted."""

    title: str
    lines: tuple[Line, ...]
    wrong_verdicts: int = 0
    tables: tuple[Table, ...] = ()
    remarks: tuple[str, ...] = ()
    seconds: float = field(default=0.0)


@dataclass(frozen=True)
class Effort:
    """How long a part may search, and how it says how far it is."""

    seconds: float  # for what searches as long as it may: each fuzzed reader
    on_progress: Callable[[str], None]


def to_json(part: Part) -> dict[str, Any]:
    """Return the part as JSON holds it."""
    return asdict(part)


def from_json(content: dict[str, Any]) -> Part:
    """Return the part that `to_json` wrote."""
    rows: Sequence[dict[str, Any]] = content["tables"]
    return Part(
        title=content["title"],
        lines=tuple(Line(**line) for line in content["lines"]),
        wrong_verdicts=content["wrong_verdicts"],
        tables=tuple(
            Table(table["title"], tuple(table["headings"]), tuple(tuple(row) for row in table["rows"]))
            for table in rows
        ),
        remarks=tuple(content["remarks"]),
        seconds=content["seconds"],
    )
