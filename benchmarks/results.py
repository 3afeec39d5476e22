"""What was measured, as data, as a table, and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.subject import Setting
from benchmarks.targets import TARGETS, Target
from benchmarks.timing import Spread, Times, ratios, spread
from qvm_verify.whole_files import write_text

SCHEMA = "qvm-verify/benchmarks/1"
PACKAGES = ("qvm-verify", "torch", "numpy", "spikingjelly")


@dataclass(frozen=True, kw_only=True)
class Result:
    """One number: the median of its runs, with the quartiles around it."""

    benchmark: str
    name: str
    unit: str  # "x" for a ratio
    low: float
    median: float
    high: float
    runs: int
    best: float | None = None  # of a ratio: that of the two smallest times
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """What was not measured, and why."""

    benchmark: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A target and what became of it."""

    target: Target
    measured: float | None  # the median, None where it was not measured

    @property
    def met(self) -> bool | None:
        """Whether the target is met, None where nothing was measured."""
        return None if self.measured is None else self.target.holds_for(self.measured)

    def __str__(self) -> str:
        measured = "not measured" if self.measured is None else f"{self.measured:.4g}"
        return f"{self.target.name}: {measured}, target {self.target.comparison} {self.target.value:g}"


def one(benchmark: str, name: str, unit: str, values: Sequence[float], detail: str = "") -> Result:
    """Return the result of some runs."""
    return _result(benchmark, name, unit, spread(values), len(values), None, detail)


def ratio(benchmark: str, name: str, times: Times, case: str, base: str, detail: str = "") -> Result:
    """Return the ratio of two cases that ran in turns."""
    each = ratios(times, case, base)
    best = min(times[case]) / min(times[base])
    return _result(benchmark, name, "x", spread(each), len(each), best, detail)


def _result(
    benchmark: str, name: str, unit: str, seen: Spread, runs: int, best: float | None, detail: str
) -> Result:
    return Result(
        benchmark=benchmark, name=name, unit=unit, runs=runs, best=best, detail=detail, **seen._asdict()
    )


def outcomes(results: Sequence[Result], benchmarks: Sequence[str]) -> list[Outcome]:
    """Return what became of every target of these benchmarks."""
    medians = {result.name: result.median for result in results}
    return [
        Outcome(target=target, measured=medians.get(target.name))
        for target in TARGETS
        if target.benchmark in benchmarks
    ]


def machine(setting: Setting) -> dict[str, Any]:
    """Return on what, and with what, the numbers were measured."""
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": list(os.getloadavg()),  # of the last 1, 5 and 15 minutes: was the machine ours alone?
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "setting": asdict(setting),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def to_json(
    results: Sequence[Result], skipped: Sequence[Skipped], reached: Sequence[Outcome], about: dict[str, Any]
) -> dict[str, Any]:
    """Return everything as JSON holds it."""
    return {
        "schema": SCHEMA,
        "machine": about,
        "results": [asdict(result) for result in results],
        "skipped": [asdict(one) for one in skipped],
        "targets": [{**asdict(o.target), "measured": o.measured, "met": o.met} for o in reached],
    }


def save(content: dict[str, Any], path: Path) -> None:
    """Write the JSON file. Raises InputError where the folder cannot be written."""
    write_text(path, json.dumps(content, indent=1) + "\n")


def show(
    results: Sequence[Result], skipped: Sequence[Skipped], reached: Sequence[Outcome], console: Console
) -> None:
    """Print the table of results, and what was skipped."""
    by_name = {outcome.target.name: outcome for outcome in reached}
    table = Table(title="Medians of interleaved runs, with their quartiles", caption=_load())
    table.add_column("what")
    for heading in ("median", "quartiles", "of the best", "runs", "target"):
        table.add_column(heading, justify="right")
    table.add_column("")
    last = ""
    for result in results:
        if result.benchmark != last:
            table.add_section()
            last = result.benchmark
        outcome = by_name.get(result.name)
        target = "" if outcome is None else f"{outcome.target.comparison} {outcome.target.value:g}"
        table.add_row(
            result.name,
            f"{result.median:.4g} {result.unit}",
            f"{result.low:.4g} to {result.high:.4g}",
            "" if result.best is None else f"{result.best:.4g}",
            str(result.runs),
            target,
            {None: "", True: "met", False: "missed"}[None if outcome is None else outcome.met],
        )
    console.print(table)
    for result in results:
        if result.detail:
            console.print(f"{result.name}: {result.detail}", highlight=False, soft_wrap=True)
    for missing in skipped:
        console.print(f"skipped: {missing.benchmark}: {missing.reason}", highlight=False, soft_wrap=True)


def _load() -> str:
    return "load of the machine: " + ", ".join(f"{load:.2f}" for load in os.getloadavg())
