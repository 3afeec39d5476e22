"""Ways to run the ANN that an audit could choose from: what each saves, and whether the bits are the same."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.results import Result, ratio
from benchmarks.subject import Setting, ann_of, runner
from benchmarks.timing import interleaved

USUAL, INFERENCE, CHANNELS_LAST = "no gradients", "inference mode", "channels last"


def measure(setting: Setting) -> Iterator[Result]:
    """Yield inference mode, and channels last, against how an audit runs networks: eagerly, as they are."""
    ann = ann_of(setting)
    images = setting.images().contiguous()
    plain = copy.deepcopy(ann).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # torch's stub lacks it
    cases = {
        USUAL: runner(plain, images, torch.no_grad),
        INFERENCE: runner(plain, images),
        CHANNELS_LAST: runner(ann, setting.images(), torch.no_grad),
    }
    usual = cases[USUAL]()
    details = {name: _comparison(usual, cases[name]()) for name in (INFERENCE, CHANNELS_LAST)}
    times = interleaved(cases, setting.rounds)
    for name, detail in details.items():
        yield ratio("modes", f"{name} / {USUAL}, eager ANN forward", times, name, USUAL, detail)


def _comparison(usual: Tensor, other: Tensor) -> str:
    if torch.equal(usual, other):
        return "the same bits"
    return f"other bits: scores differ by up to {float((usual - other).abs().max()):.1e}"
