"""Journals and reports that were cut off or changed on the disk."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from qvm_verify.audit.journal import Journal
from qvm_verify.exits import InputError
from qvm_verify.report import read_report


class Written(NamedTuple):
    """A journal that a killed audit left."""

    path: Path
    content: bytes
    settings: dict[str, Any]
    tallies: dict[int, Any]  # of each batch, as JSON holds it


def written(path: Path) -> Written:
    """Return what a journal holds, by its lines alone."""
    content = path.read_bytes()
    lines = [json.loads(line) for line in content.splitlines()]
    return Written(path, content, lines[0]["audit"], {line["batch"]: line["tally"] for line in lines[1:]})


def read_back(journal: Written, content: bytes) -> dict[int, Any]:
    """Return the tallies that the audit takes from the journal where it holds `content`."""
    journal.path.write_bytes(content)
    found = Journal(journal.path.parent, journal.settings, 0).batches()
    return {number: json.loads(json.dumps(tally.to_json())) for number, tally in found}


def cuts_not_survived(journal: Written, cuts: Iterable[int]) -> list[str]:
    """Return the lengths at which a journal that was cut off there gives anything but its whole lines."""
    wrong = []
    for cut in cuts:
        whole = journal.content[:cut].count(b"\n")
        expected = dict(list(journal.tallies.items())[: max(0, whole - 1)])
        if read_back(journal, journal.content[:cut]) != expected:
            wrong.append(f"cut off after {cut} bytes")
            continue
        with Journal(journal.path.parent, journal.settings, 0):
            pass  # the next audit takes what is torn away, so that it can write on
        left = journal.path.read_bytes()
        if not left.endswith(b"\n") or left.count(b"\n") != max(1, whole):
            wrong.append(f"cut off after {cut} bytes, and written on")
    return wrong


def changes_not_survived(journal: Written, places: Iterable[int], seed: int) -> list[str]:
    """Return the places at which another byte makes the journal say what no audit saw."""
    draw, wrong = random.Random(seed), []
    for place in places:
        changed = bytearray(journal.content)
        changed[place] = draw.choice([byte for byte in range(256) if byte != changed[place]])
        try:
            found = read_back(journal, bytes(changed))
        except InputError:
            continue
        if any(journal.tallies[number] != tally for number, tally in found.items()):
            wrong.append(f"byte {place} changed to {changed[place]}")
    return wrong


def reports_not_survived(report: Path, cuts: Iterable[int]) -> list[str]:
    """Return the lengths at which a report that was cut off there is read as another one."""
    content, wrong = report.read_bytes(), []
    whole = json.loads(content)
    for cut in cuts:
        report.write_bytes(content[:cut])
        try:
            if read_report(report) != whole:
                wrong.append(f"cut off after {cut} bytes")
        except InputError:
            continue
    report.write_bytes(content)
    return wrong
