"""Training of quantized ANNs: stochastic gradient descent with a cosine schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What decides the outcome of a training run, bit for bit on one machine."""

    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    seed: int = 0


def train(
    network: nn.Module,
    dataset: Dataset[Any],
    settings: TrainingSettings,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> None:
    """Train `network` in place on (image, label) pairs and leave it in evaluation mode.

    `on_epoch` is called after every epoch with its number from 1 and its mean loss.
    """
    order = torch.Generator().manual_seed(settings.seed)
    loader = DataLoader(
        dataset, batch_size=settings.batch_size, shuffle=True, generator=order, drop_last=True
    )
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs * len(loader))
    network.train()
    for epoch in range(1, settings.epochs + 1):
        total = 0.0
        for images, labels in loader:
            loss = F.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            total += loss.item()
        on_epoch(epoch, total / len(loader))
    network.eval()


@torch.no_grad()
def accuracy(network: nn.Module, dataset: Dataset[Any], batch_size: int = 128) -> float:
    """Return the share of images whose highest score is at their label."""
    right = images = 0
    for x, y in DataLoader(dataset, batch_size=batch_size):
        right += int((network(x).argmax(1) == y).sum())
        images += len(y)
    return right / images
