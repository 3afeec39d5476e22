"""The network that all benchmarks measure, and how it is run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify import networks, snn
from qvm_verify.snn import QuantizedActivation

THRESHOLD = 2.0
"""θ of every site: behind batch-norm some inputs exceed it, and every level occurs."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is measured, and how often."""

    architecture: str = "resnet18"
    batch: int = 64
    size: int = 32  # of the images, in pixels
    levels: int = 8
    threads: int = 2
    rounds: int = 15
    quick: bool = False

    def images(self, count: int | None = None, seed: int = 1) -> Tensor:
        """Return images [batch, 3, size, size], channels last, which is the faster layout."""
        random = torch.Generator().manual_seed(seed)
        images = torch.randn(count or self.batch, 3, self.size, self.size, generator=random)
        return images.contiguous(memory_format=torch.channels_last)


QUICK = Setting(architecture="resnet20", batch=4, size=16, rounds=3, quick=True)
"""Small enough to try the benchmarks; its numbers mean little."""


def ann_of(setting: Setting, network: nn.Module | None = None) -> nn.Module:
    """Return the quantized ANN with the statistics of random images in its batch-norms, channels last."""
    torch.manual_seed(0)
    if network is None:
        build = getattr(networks, setting.architecture)
        network = build(levels=setting.levels, quantizer="round", classes=100, variant="cifar")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean over all batches, here over one
        if isinstance(module, QuantizedActivation):
            module.threshold.data.fill_(THRESHOLD)
    with torch.no_grad():
        network.train()(setting.images(16, seed=0))
    network.eval().requires_grad_(False)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # torch's stub lacks it


def snn_of(ann: nn.Module) -> nn.Module:
    """Return the converted network, every neuron a table. Raises RuntimeError if one had to stay a loop."""
    network = snn.fuse(snn.convert(ann))
    loops = snn.left_as_loops(network)
    if loops:
        raise RuntimeError(f"not as fast as it could be: {loops}")
    return network


def runner(
    network: nn.Module, images: Tensor, mode: Callable[[], AbstractContextManager[Any]] = torch.inference_mode
) -> Callable[[], Tensor]:
    """Return what runs a network on images, in inference mode unless told otherwise."""

    def run() -> Tensor:
        with mode():
            output: Tensor = network(images)
            return output

    return run


def with_levels(setting: Setting, levels: int) -> Setting:
    """Return a setting with another number of levels, and so of time-steps."""
    return replace(setting, levels=levels)
