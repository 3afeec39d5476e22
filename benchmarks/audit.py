"""The audit of both networks against one forward pass of the ANN: time and peak memory."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.alone import WORKS, run_alone
from benchmarks.results import Result, one, ratio
from benchmarks.subject import Setting, ann_of, runner
from benchmarks.targets import AUDIT_MEMORY, AUDIT_OVER_ANN
from benchmarks.timing import Times, interleaved
from qvm_verify import snn
from qvm_verify.audit import verify

BATCHES = 2
"""How many more batches the longer of two audits has: their difference is what a batch costs."""


def measure_time(setting: Setting) -> Iterator[Result]:
    """Yield what the audit of one more batch takes, as a ratio to the ANN's forward pass of it."""
    ann, images = ann_of(setting), setting.images()
    spiking = snn.convert(ann)  # as the audit's command does: it has tables of its own

    def audit(batches: int) -> None:
        verify(ann, spiking, [images] * batches, certify="off")

    cases = {
        "ANN": runner(snn.compiled(ann), images),
        "ANN, eager": runner(ann, images),
        "short audit": lambda: audit(1),
        "long audit": lambda: audit(1 + BATCHES),
    }
    times = interleaved(cases, max(3, setting.rounds // 3))
    times["batch"] = _differences(times)
    detail = "both networks, all statistics, shadow and end to end; the ANN compiled"
    yield ratio("audit", AUDIT_OVER_ANN, times, "batch", "ANN", detail)
    yield ratio("audit", "audit / eager ANN forward", times, "batch", "ANN, eager")
    yield one("audit", "audit of a batch", "s", times["batch"])


def _differences(times: Times) -> list[float]:
    pairs = zip(times["long audit"], times["short audit"], strict=True)
    return [max(0.0, long - short) / BATCHES for long, short in pairs]


def measure_memory(setting: Setting) -> Iterator[Result]:
    """Yield the audit's peak memory as a ratio to the ANN's forward pass, and what makes it up."""
    rounds = 1 if setting.quick else 3
    peaks = {work: [run_alone(work, setting)[0].peak_mib for _ in range(rounds)] for work in WORKS}
    detail = "each in a process of its own, eager, with all of Python and PyTorch"
    yield ratio("memory", AUDIT_MEMORY, peaks, "audit", "ann", detail)
    for work, seen in peaks.items():
        yield one("memory", f"peak memory: {work}", "MiB", seen, WORKS[work])
