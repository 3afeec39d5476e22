"""Which branches of the package the tests run, room by room.

Read from what one command writes, some twenty minutes later:

    coverage run -m pytest && coverage combine && coverage json
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from qvm_verify.exits import InputError
from tests.scorecard.part import Effort, Line, Part, Table

FILE = Path("coverage.json")
COMMAND = "coverage run -m pytest && coverage combine && coverage json"
WANTED = 0.95
OWN_FILES = "qvm_verify/*.py"

REASONS: dict[str, str] = {}
"""Why a room stays below, beside the gap."""


class Branches(NamedTuple):
    """Of one room; a branch is one way on from a condition."""

    all: int = 0
    run: int = 0

    def plus(self, other: Branches) -> Branches:
        """Return both together."""
        return Branches(self.all + other.all, self.run + other.run)

    @property
    def enough(self) -> bool:
        """Tell whether as many are run as should be."""
        return self.run >= WANTED * self.all

    @property
    def share(self) -> str:
        """How many of them are run, in percent, rounded down."""
        return f"{1000 * self.run // self.all / 10} %" if self.all else "no branch"


def measure(effort: Effort) -> Part:
    """Report what the last run of the whole suite covered. Raises InputError where there is no such run."""
    effort.on_progress(str(FILE))
    try:
        content = json.loads(FILE.read_text(encoding="utf-8"))
        rooms = by_room(content["files"])
        version = content["meta"]["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{FILE}: no measured coverage ({error}); make it by: {COMMAND}") from error
    return part_of(rooms, REASONS, version)


def by_room(files: dict[str, Any]) -> dict[str, Branches]:
    """Return the branches of every folder of the package, and of the files beside these folders."""
    rooms: dict[str, Branches] = defaultdict(Branches)
    for path, found in files.items():
        parts = PurePath(path).parts
        room = "/".join(parts[:2]) if len(parts) > 2 else OWN_FILES
        summary = found["summary"]
        rooms[room] = rooms[room].plus(Branches(summary["num_branches"], summary["covered_branches"]))
    if not rooms:
        raise ValueError("no file of the package was measured")
    return dict(sorted(rooms.items()))


def part_of(rooms: dict[str, Branches], reasons: dict[str, str], version: str) -> Part:
    """Return the scorecard's part. A room is as it should be at 95 %, or with the reason beside its gap."""
    good = [room for room, found in rooms.items() if found.enough or room in reasons]
    total = Branches()
    for found in rooms.values():
        total = total.plus(found)
    rows = [
        (
            room,
            f"{found.all:,}",
            f"{found.run:,}",
            found.share,
            "" if found.enough else reasons.get(room, "-"),
        )
        for room, found in (*rooms.items(), ("all", total))
    ]
    enough = sum(found.enough for found in rooms.values())
    note = f"{total.run:,} of {total.all:,} branches, {total.share}; {enough} rooms without a reason needed"
    return Part(
        title="Branches that the tests run",
        lines=(Line("rooms of the package with 95 % of their branches run", len(rooms), len(good), note),),
        tables=(
            Table("Branch coverage", ("room", "branches", "run", "share", "reason for a gap"), tuple(rows)),
        ),
        remarks=(f"Measured by coverage.py {version} over the whole suite: `{COMMAND}`.",),
    )
