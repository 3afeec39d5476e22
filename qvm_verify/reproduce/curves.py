"""Accuracy of a converted network over the number of time-steps T, the ANN being trained once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from functools import cache, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from qvm_verify import datasets, networks, snn
from qvm_verify.exits import InputError
from qvm_verify.networks.resnet import ResNet
from qvm_verify.reproduce.outcome import percent
from qvm_verify.reproduce.settings import Settings
from qvm_verify.snn import Quantizer
from qvm_verify.training import TrainingSettings, train

BATCH = 128
COLUMNS = (
    "network",
    "quantizer",
    "L",
    "V0 / θ",
    "T",
    "correct",
    "images",
    "accuracy (%)",
    "ANN accuracy (%)",
)
Batches = list[tuple[Tensor, Tensor]]
ON_DIGITS: dict[str, Callable[..., nn.Module]] = {
    "digits_cnn": networks.digits_cnn,
    "resnet18 of width 16": partial(ResNet, blocks=(2, 2, 2, 2), width=16, channels=1),
    "resnet20": partial(networks.resnet20, channels=1),
}
"""What is trained where no model is named: networks that take images of 8x8 pixels, in seconds."""


class Subject(NamedTuple):
    """A trained network with quantized activations."""

    name: str
    network: nn.Module
    levels: int
    quantizer: Quantizer


class Curve(NamedTuple):
    """How many images are right at T = 1, 2, ..., and how many with the ANN."""

    subject: Subject
    v_init: float  # as a fraction of each threshold
    time_steps: Sequence[int]
    correct: list[int]
    ann_correct: int
    images: int

    @property
    def best(self) -> int:
        """The smallest T with the most images right."""
        return self.time_steps[self.correct.index(max(self.correct))]

    def at(self, time_steps: int) -> str:
        """Return the accuracy at one T, in percent."""
        return percent(self.correct[self.time_steps.index(time_steps)], self.images)

    def rows(self) -> list[tuple[object, ...]]:
        """Return the rows of the CSV, in the order of `COLUMNS`."""
        name, _, levels, quantizer = self.subject
        return [
            (
                name,
                quantizer,
                levels,
                self.v_init,
                t,
                right,
                self.images,
                percent(right, self.images),
                percent(self.ann_correct, self.images),
            )
            for t, right in zip(self.time_steps, self.correct, strict=True)
        ]


def subjects(settings: Settings, wanted: Iterable[tuple[str, Quantizer, int]]) -> list[Subject]:
    """Return the networks of `settings.models`, or else the `wanted` (name, quantizer, L), trained on digits.

    Raises InputError where a checkpoint cannot be read or says nothing of levels and quantizer.
    """
    if not settings.models:
        if settings.data != "digits":
            raise InputError(f"--data {settings.data} needs networks trained for it: name them with --model")
        return [
            Subject(name, _trained(name, quantizer, levels, settings.seed), levels, quantizer)
            for name, quantizer, levels in wanted
        ]
    found = []
    for path in settings.models:
        network = networks.load(path)
        architecture = networks.architecture_of(network)
        if architecture is None:
            raise InputError(f"{path}: says nothing of its levels and quantizer")
        found.append(Subject(architecture.name, network, architecture.levels, architecture.quantizer))
    return found


@cache
def _trained(name: str, quantizer: Quantizer, levels: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    network = ON_DIGITS[name](levels=levels, quantizer=quantizer, classes=10)
    train(network, datasets.digits("train"), TrainingSettings(epochs=12, seed=seed))
    return network


def batches_of(settings: Settings) -> Batches:
    """Return the images with their labels. Raises InputError where the data cannot be read."""
    data: Dataset[Any] = datasets.open_dataset(settings.data)
    assert isinstance(data, Sized)  # every dataset of ours is
    if settings.limit is not None:
        data = Subset(data, range(min(len(data), settings.limit)))
    return [(images, labels) for images, labels in DataLoader(data, batch_size=BATCH)]


@torch.inference_mode()
def curve(
    subject: Subject, v_init: float, batches: Batches, time_steps: Sequence[int], settings: Settings
) -> Curve:
    """Return the accuracy of a network converted with V0 = `v_init` θ, for every T."""
    correct = []
    what = f"{subject.name} {subject.quantizer} L = {subject.levels}, V0 = {v_init:g} θ"
    for done, t in enumerate(time_steps):
        settings.on_progress(what, done, len(time_steps))
        spiking = snn.fuse(snn.convert(subject.network, time_steps=t, v_init=v_init))
        correct.append(_correct(spiking, batches))
    images = sum(len(labels) for _, labels in batches)
    return Curve(subject, v_init, time_steps, correct, _correct(subject.network, batches), images)


def _correct(network: nn.Module, batches: Batches) -> int:
    try:
        return sum(int((network(images).argmax(1) == labels).sum()) for images, labels in batches)
    except RuntimeError as error:
        shape, reason = list(batches[0][0].shape[1:]), str(error).splitlines()[0]
        raise InputError(f"images of shape {shape} do not run through the network: {reason}") from error
