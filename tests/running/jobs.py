"""The commands that faults befall, what each leaves behind, and what it keeps from one run to the next."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from qvm_verify import networks
from tests.running.process import Ended


def lay_model(folder: Path) -> None:
    """Write the checkpoint of a small network; of random weights, for faults do not ask how good they are."""
    torch.manual_seed(0)
    networks.save(networks.digits_cnn(levels=4, quantizer="round"), folder / "model.pt")


def batches_kept(folder: Path) -> set[int]:
    """Return the batches that an audit has written down for good."""
    lines = [
        json.loads(line)
        for path in (folder / "reports").glob("partial-*.ndjson")
        for line in path.read_bytes().splitlines(keepends=True)
        if line.endswith(b"\n")
    ]
    return {line["batch"] for line in lines if "batch" in line}


def batches_looked_at(folder: Path, ended: Ended) -> list[int]:
    """Return the batches that the last run looked at, by its events."""
    text = (folder / "reports" / "events.ndjson").read_text(encoding="utf-8")
    events = [json.loads(line) for line in text.splitlines()]
    began = max(k for k, event in enumerate(events) if event["event"] == "start")
    return [event["batch"] for event in events[began:] if event["event"] == "batch"]


def epochs_kept(folder: Path) -> set[int]:
    """Return the epochs that a training has written down for good."""
    state = folder / "tuned.pt.state"
    return set(range(1, torch.load(state, weights_only=True)["epoch"] + 1)) if state.exists() else set()


def epochs_trained(folder: Path, ended: Ended) -> list[int]:
    """Return the epochs that a run trained, by what it says."""
    return [int(epoch) for epoch in re.findall(r"^epoch (\d+)/", ended.out, re.MULTILINE)]


@dataclass(frozen=True)
class Job:
    """A command with its arguments; `work` is numbered, and what is kept of it is not to be done again."""

    name: str
    command: str  # the module
    arguments: tuple[str, ...]
    results: tuple[str, ...]  # files that appear whole or not at all
    lay: Callable[[Path], object] = lay_model  # puts what it reads into a folder
    work: range = range(0)
    kept: Callable[[Path], set[int]] = lambda folder: set()
    done: Callable[[Path, Ended], list[int]] = lambda folder, ended: []


REPORTS = tuple(f"reports/{name}" for name in ("report.json", "report.html", "report.md", "junit.xml"))
ONE = ("--threads=1",)


def _audit(name: str, batches: int, *arguments: str, size: int = 4) -> Job:
    return Job(
        name=name,
        command="qvm_verify.audit.command",
        arguments=("model.pt", f"--batch-size={size}", f"--limit={size * batches}", *ONE, *arguments),
        results=REPORTS,
        work=range(batches),
        kept=batches_kept,
        done=batches_looked_at,
    )


AUDIT = _audit("audit", 4, "--certify=off")
REFUTED = _audit("audit that refutes", 3, "--v-init=0.25")
LARGE = _audit("audit of large batches", 2, "--certify=off", size=180)
LOADED = _audit("audit with a loader", 4, "--certify=off", "--workers=1")
SHARED = _audit("audit of two processes", 8, "--certify=off")
TRAIN = Job(
    name="train",
    command="qvm_verify.train.command",
    arguments=("--arch=digits_cnn", "--limit=64", "--batch-size=32", "--epochs=3", "--output=tuned.pt"),
    results=("tuned.pt",),
    lay=lambda folder: None,
    work=range(1, 4),
    kept=epochs_kept,
    done=epochs_trained,
)
REPRODUCE = Job(
    name="reproduce",
    command="qvm_verify.reproduce.command",
    arguments=("table1", "--report=out"),
    results=tuple(f"out/table1{end}" for end in (".csv", "-facts.csv", ".md", ".svg", ".png")),
    lay=lambda folder: None,
)


def report_of(folder: Path) -> Job:
    """Return the job that renders the report of an audit again."""
    return Job(
        name="report",
        command="qvm_verify.report.command",
        arguments=("report.json", "--output=reports"),
        results=REPORTS[1:],
        lay=lambda here: (here / "report.json").write_bytes((folder / REPORTS[0]).read_bytes()),
    )
