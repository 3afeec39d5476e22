"""How time grows: with the time-steps, the width, the images, the processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from benchmarks.alone import run_alone
from benchmarks.audit import batch_seconds
from benchmarks.results import Result, one
from benchmarks.subject import Setting, ann_of, runner, snn_of, with_levels
from benchmarks.targets import GROWTH_IMAGES, GROWTH_T
from benchmarks.timing import Times, exponent, interleaved
from qvm_verify import snn
from qvm_verify.networks.resnet import ResNet

TIME_STEPS = (2, 4, 8, 16, 32, 64)
WIDTHS = (16, 32, 64)  # x1, x2, x4
BATCHES = (1, 2, 4, 8)
PROCESSES = (1, 2)


def measure(setting: Setting) -> Iterator[Result]:
    """Yield the exponent p of time ~ size^p for each size."""
    small = replace(setting, batch=max(1, setting.batch // 4), rounds=max(3, setting.rounds // 3))
    yield from _in_time_steps(small)
    yield from _in_width(small)
    yield from _in_images(small)
    yield from _in_processes(small)


def _in_time_steps(setting: Setting) -> Iterator[Result]:
    torch.compiler.reset()  # a module's code is compiled for 8 networks at most
    images = setting.images()
    sizes = TIME_STEPS[::2] if setting.quick else TIME_STEPS
    networks = {size: snn_of(ann_of(with_levels(setting, size))) for size in sizes}
    cases = {str(size): runner(snn.compiled(network), images) for size, network in networks.items()}
    yield _fitted(GROWTH_T, sizes, interleaved(cases, setting.rounds))


def _in_width(setting: Setting) -> Iterator[Result]:
    torch.compiler.reset()
    images, cases = setting.images(), {}
    for width in WIDTHS:
        network = ResNet(levels=setting.levels, quantizer="round", classes=100, blocks=(2, 2, 2), width=width)
        cases[str(width)] = runner(snn.compiled(snn_of(ann_of(setting, network))), images)
    yield _fitted("growth of the SNN forward in width", WIDTHS, interleaved(cases, setting.rounds))


def _in_images(setting: Setting) -> Iterator[Result]:
    torch.compiler.reset()
    ann, images = ann_of(setting), setting.images()
    spiking = snn_of(ann)
    compiled = runner(snn.compiled(spiking), images)

    def forward(batches: int) -> None:
        for _ in range(batches):
            compiled()

    forwards = {str(n): lambda n=n: forward(n) for n in BATCHES}
    yield _fitted("growth of the SNN forward in images", BATCHES, interleaved(forwards, setting.rounds))
    audited = snn.convert(ann)
    # After the first batch, with which comes what is done once: to fit that, too, would hide the growth.
    audits: Times = {str(n): [] for n in BATCHES}
    for _ in range(1 if setting.quick else 3):
        batches = batch_seconds(ann, audited, images, max(BATCHES))
        for n in BATCHES:
            audits[str(n)].append(sum(batches[:n]))
    yield _fitted(GROWTH_IMAGES, BATCHES, audits, detail="in batches after the first")


def _in_processes(setting: Setting) -> Iterator[Result]:
    """Throughput: every process does the same work, with one thread each, so perfect scaling is 1."""
    alone = replace(setting, threads=1)
    rounds = 1 if setting.quick else 3
    throughput: Times = {str(n): [] for n in PROCESSES}
    for _ in range(rounds):
        for n in PROCESSES:
            throughput[str(n)].append(n / max(each.seconds for each in run_alone("ann", alone, processes=n)))
    yield _fitted("growth of the ANN's throughput in processes", PROCESSES, throughput, "1/s")


def _fitted(name: str, sizes: tuple[int, ...], measured: Times, unit: str = "s", detail: str = "") -> Result:
    """Return the exponent of every round; the detail names the median of each size."""
    rounds = len(next(iter(measured.values())))
    exponents = [exponent(sizes, [measured[str(size)][k] for size in sizes]) for k in range(rounds)]
    medians = {size: sorted(measured[str(size)])[rounds // 2] for size in sizes}
    each = ", ".join(f"{size}: {value:.3g} {unit}" for size, value in medians.items())
    return one("growth", name, "exponent", exponents, f"{detail}: {each}" if detail else each)
