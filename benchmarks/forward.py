"""The spiking network against its ANN, each compiled as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from benchmarks.results import Result, one, ratio
from benchmarks.subject import Setting, ann_of, runner, snn_of
from benchmarks.targets import SNN_OVER_ANN
from benchmarks.timing import interleaved
from qvm_verify import snn


def measure(setting: Setting) -> Iterator[Result]:
    """Yield SNN / ANN, and what both take; the SNN's bits are first held against the plain loop's."""
    ann, images = ann_of(setting), setting.images()
    spiking = snn_of(ann)
    fast = runner(snn.compiled(spiking), images)
    equal = torch.equal(fast(), runner(snn.convert(ann), images)())
    cases = {"ANN": runner(snn.compiled(ann), images), "SNN": fast}
    times = interleaved(cases, setting.rounds)
    same = "the same bits as" if equal else "NOT the same bits as"
    detail = f"both compiled; the SNN's scores have {same} those of the eager step-by-step loop"
    yield ratio("forward", SNN_OVER_ANN, times, "SNN", "ANN", detail)
    for name in cases:
        yield one("forward", f"{name} forward", "s", times[name])
