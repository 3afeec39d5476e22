"""The audit of both networks against one forward pass of the ANN: time and peak memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

from torch import Tensor, nn

from benchmarks.alone import WORKS, run_alone
from benchmarks.results import Result, one, ratio
from benchmarks.subject import Setting, ann_of, runner
from benchmarks.targets import AUDIT_MEMORY, AUDIT_OVER_ANN
from benchmarks.timing import interleaved
from qvm_verify import snn
from qvm_verify.audit import verify

BATCHES = 4
"""How many batches are timed in each audit."""
PARTS = {
    "convolutions": "each convolution of the network alone, on what it receives",
    "eager": "the network as it is, with those; the rest of an audit counts and compares",
}
"""What an audit of a batch has to do twice in any case, for its two networks."""


def measure_time(setting: Setting) -> Iterator[Result]:
    """Yield what the audit of one more batch takes, as a ratio to the ANN's forward pass, and its parts."""
    ann, images = ann_of(setting), setting.images()
    spiking = snn.convert(ann)  # as the audit's command does: it has tables of its own
    of_a_batch: list[float] = []

    def audit() -> None:
        of_a_batch.append(statistics.median(batch_seconds(ann, spiking, images, BATCHES)))

    cases = {
        "ANN": runner(snn.compiled(ann), images),
        "convolutions": convolutions(ann, images),
        "eager": runner(ann, images),
        "audit": audit,
    }
    times = interleaved(cases, max(3, setting.rounds // 3))
    times["batch"] = of_a_batch[1:]  # the first is that of the run unmeasured
    detail = "both networks, all statistics, shadow and end to end; the ANN compiled"
    yield ratio("audit", AUDIT_OVER_ANN, times, "batch", "ANN", detail)
    for part, detail in PARTS.items():
        times[f"twice {part}"] = [2 * seconds for seconds in times[part]]
        yield ratio("audit", f"twice ANN, {part} / ANN forward", times, f"twice {part}", "ANN", detail)
    yield ratio("audit", "audit / eager ANN forward", times, "batch", "eager")
    yield one("audit", "audit of a batch", "s", times["batch"])
    yield one("audit", f"audit of {BATCHES + 1} batches, with all that is done once", "s", times["audit"])


def convolutions(network: nn.Module, images: Tensor) -> Callable[[], None]:
    """Return what runs every convolution of a network, eagerly, on what it receives with these images."""
    calls: list[tuple[nn.Module, Tensor]] = []
    hooks = [
        module.register_forward_pre_hook(lambda module, received: calls.append((module, received[0])))
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    runner(network, images)()
    for hook in hooks:
        hook.remove()

    def run() -> None:
        for module, received in calls:
            runner(module, received)()

    return run


def batch_seconds(ann: nn.Module, spiking: nn.Module, images: Tensor, batches: int) -> list[float]:
    """Return what each of `batches` batches takes that an audit looks at after its first.

    With the first comes what is done once an audit: sites, tables, the reference, counterexamples.
    """
    asked: list[float] = []

    def data() -> Iterator[Tensor]:
        for _ in range(batches + 1):
            asked.append(time.perf_counter())
            yield images
        asked.append(time.perf_counter())

    verify(ann, spiking, data(), certify="off")
    return [after - before for before, after in pairwise(asked[1:])]


def measure_memory(setting: Setting) -> Iterator[Result]:
    """Yield the audit's peak memory as a ratio to the ANN's forward pass, and what makes it up."""
    rounds = 1 if setting.quick else 3
    peaks = {work: [run_alone(work, setting)[0].peak_mib for _ in range(rounds)] for work in WORKS}
    detail = "each in a process of its own, eager, with all of Python and PyTorch"
    yield ratio("memory", AUDIT_MEMORY, peaks, "audit", "ann", detail)
    for work, seen in peaks.items():
        yield one("memory", f"peak memory: {work}", "MiB", seen, WORKS[work])
