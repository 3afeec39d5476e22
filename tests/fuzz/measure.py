"""Measures how the readers take foreign bytes: every target under both drivers, and the hostile files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from tests.fuzz.attempts import attempt, signature
from tests.fuzz.claims import took
from tests.fuzz.driver import Fuzzed, fuzz, keep
from tests.fuzz.hostile import hostile_files, was_harmless
from tests.fuzz.random_inputs import inputs
from tests.fuzz.targets import TARGETS
from tests.scorecard.part import Effort, Line, Part, Table

EXAMPLES = 500  # of a target, by Hypothesis


def measure(effort: Effort) -> Part:
    """Return what came of all of it; `effort.seconds` is for each target under the guided fuzzer."""
    rows, lines = [], []
    tried = {"coverage-guided (atheris)": 0, "by Hypothesis": 0}
    found = dict.fromkeys(tried, 0)
    for name in TARGETS:
        effort.on_progress(f"{name}, guided by coverage")
        guided = fuzz(name, effort.seconds)
        effort.on_progress(f"{name}, by Hypothesis")
        drawn = random_inputs(name, EXAMPLES)
        causes = ", ".join(sorted({*guided.found, *drawn.found})) or "-"
        rows.append((name, f"{guided.tried:,}", f"{guided.coverage:,}", f"{drawn.tried:,}", causes))
        for driver, outcome in zip(tried, (guided, drawn), strict=True):
            tried[driver] += outcome.tried
            found[driver] += len(keep(name, outcome))
    for driver, number in tried.items():
        note = f"{len(TARGETS)} readers; read, or refused in one sentence"
        lines.append(Line(f"fuzz inputs, {driver}", number, number - found[driver], note))
    effort.on_progress("hostile pickles")
    lines += [_hostile(), _claims()]
    headings = ("reader", "inputs, guided", "edges of qvm_verify", "inputs, drawn", "findings")
    return Part(
        "Fuzzing", tuple(lines), tables=(Table("Every reader of foreign bytes", headings, tuple(rows)),)
    )


def random_inputs(name: str, examples: int) -> Fuzzed:
    """Return what so many strange inputs of the Hypothesis driver did to a target."""
    outcome = Fuzzed()

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(inputs(name))
    def each(data: bytes) -> None:
        outcome.tried += 1
        try:
            attempt(TARGETS[name], data)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            outcome.found[signature(error)] = data

    each()
    return outcome


def _hostile() -> Line:
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "ran"
        harmless = [was_harmless(file, canary) for file in hostile_files(canary)]
    return Line("hostile pickles", len(harmless), sum(harmless), "refused, and no code of theirs ran")


def _claims() -> Line:
    found = took()
    good = sum(not what for what in found.values())
    return Line("files that claim 2^29 to 2^40 elements", len(found), good, "refused before any allocation")
