"""Stochastic gradient descent with a cosine schedule, bit for bit the same in every run.

The order of the images has a generator of its own; augmentations follow from seed, epoch and index, and what
the network draws itself (dropout) from seed and epoch. Global random numbers are neither used nor changed.
Equal bits need the same machine, PyTorch and number of threads; on a GPU, deterministic kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from qvm_verify.exits import InputError
from qvm_verify.loading import loaded
from qvm_verify.snn import QuantizedActivation
from qvm_verify.training.augmentations import AUGMENTATIONS, random_for
from qvm_verify.training.images import TrainingImages
from qvm_verify.training.state import Run, restore_run, save_run


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What decides the outcome of a training run, bit for bit on one machine."""

    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    seed: int = 0
    augmentations: tuple[str, ...] = ()  # of AUGMENTATIONS; their order here does not matter
    channels_last: bool = False  # another order in memory: faster on many CPUs, and other roundings

    def __post_init__(self) -> None:
        for name in self.augmentations:
            if name not in AUGMENTATIONS:
                raise InputError(f"unknown augmentation {name!r}; one of {', '.join(AUGMENTATIONS)}")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run is; loss and accuracy are means over the images of this epoch so far."""

    epoch: int  # from 1
    step: int  # from 1
    steps: int  # of this epoch
    loss: float
    accuracy: float


def train(
    network: nn.Module,
    dataset: Dataset[Any],
    settings: TrainingSettings,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
    *,
    on_step: Callable[[Progress], None] = lambda progress: None,
    state: Path | None = None,
    recipe: Mapping[str, Any] | None = None,
    workers: int = 0,
) -> None:
    """Train `network` in place on (image, label) pairs and leave it in evaluation mode.

    `on_epoch` is called after every epoch with its number from 1 and its mean loss. With `state`, every epoch
    is written to that file, and a run whose file exists goes on after it, to the same bits as if it had never
    stopped; `recipe` holds whatever else decides the outcome, as plain values, and must then be the same.
    `workers` processes load images; they do not change the outcome.

    Raises InputError where there is no whole batch of images, the file does not fit, the loss is not finite,
    or a step leaves a threshold that is not positive. No neuron has such a threshold, and clipping it in
    silence would train a site that is dead; the state of the last epoch stays.
    """
    images = TrainingImages(dataset, augmentations=settings.augmentations, seed=settings.seed)
    if len(images) < settings.batch_size:
        raise InputError(f"{len(images)} images do not make one batch of {settings.batch_size}")
    _ = images[0]  # what no image of this kind can have is said here, not by a process that loads images
    recipe = {**_recipe(network, settings, len(images)), **(recipe or {})}
    if settings.channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    order = torch.Generator().manual_seed(settings.seed)
    loader = DataLoader(
        images,
        batch_size=settings.batch_size,
        shuffle=True,
        generator=order,
        drop_last=True,
        num_workers=workers,
    )
    run = _run(network, settings, order, len(loader))
    done = restore_run(state, run, recipe) if state else 0
    for epoch in range(done + 1, settings.epochs + 1):
        images.epoch = epoch
        loss = _epoch(run, loader, settings, epoch, on_step)
        if state:
            save_run(state, run, epoch, recipe)
        on_epoch(epoch, loss)
    if settings.channels_last:
        network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    network.eval()


@torch.no_grad()
def accuracy(network: nn.Module, dataset: Dataset[Any], batch_size: int = 128) -> float:
    """Return the share of images whose highest score is at their label."""
    device = _device(network)
    right = images = 0
    for x, y in DataLoader(dataset, batch_size=batch_size):
        right += int((network(x.to(device)).argmax(1) == y.to(device)).sum())
        images += len(y)
    return right / images


def _recipe(network: nn.Module, settings: TrainingSettings, images: int) -> dict[str, Any]:
    """Return what decides the bits of a run, as far as it is known here, as plain values."""
    return {
        **asdict(settings),
        "augmentations": sorted(settings.augmentations),
        "images": images,
        "device": _device(network).type,
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
    }


def _run(network: nn.Module, settings: TrainingSettings, order: torch.Generator, steps: int) -> Run:
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs * steps)
    return Run(network, optimizer, schedule, order)


def _epoch(
    run: Run,
    loader: DataLoader[Any],
    settings: TrainingSettings,
    epoch: int,
    on_step: Callable[[Progress], None],
) -> float:
    """Train for one epoch; return its mean loss."""
    device = _device(run.network)
    total, right, seen, steps = 0.0, 0, 0, len(loader)
    run.network.train()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(random_for(settings.seed, epoch, "network").getrandbits(63))
        for step, (images, labels) in enumerate(loaded(loader), start=1):
            images, labels = images.to(device), labels.to(device)
            if settings.channels_last and images.dim() == 4:
                images = images.contiguous(memory_format=torch.channels_last)
            loss, scores = _step(run, images, labels, f"epoch {epoch}, step {step}")
            total += loss
            right += int((scores.argmax(1) == labels).sum())
            seen += len(labels)
            on_step(Progress(epoch=epoch, step=step, steps=steps, loss=total / step, accuracy=right / seen))
    return total / steps


def _step(run: Run, images: Tensor, labels: Tensor, when: str) -> tuple[float, Tensor]:
    """Take one step of gradient descent; return the loss and the scores before it."""
    scores = run.network(images)
    _check_labels(labels, scores.shape[1])
    loss = F.cross_entropy(scores, labels)
    if not torch.isfinite(loss):
        raise InputError(f"{when}: the loss is {loss.item()}; lower the learning rate")
    run.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    run.optimizer.step()
    run.schedule.step()
    _check_thresholds(run.network.named_modules(), when)
    return loss.item(), scores.detach()


def _check_labels(labels: Tensor, classes: int) -> None:
    if labels.min() < 0 or labels.max() >= classes:
        wrong = labels[(labels < 0) | (labels >= classes)][0].item()
        raise InputError(f"an image has the label {wrong}, and the network the classes 0 to {classes - 1}")


def _check_thresholds(modules: Iterable[tuple[str, nn.Module]], when: str) -> None:
    for name, module in modules:
        if isinstance(module, QuantizedActivation) and not module.threshold.item() > 0:
            raise InputError(
                f"{when}: the threshold of {name!r} became {module.threshold.item():.6g}, and must be "
                "positive; lower the learning rate, or start from calibrated thresholds"
            )


def _device(network: nn.Module) -> torch.device:
    return next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
