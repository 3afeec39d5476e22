"""The network that training starts from."""

from __future__ import annotations

import argparse
from collections.abc import Sized
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from qvm_verify import networks
from qvm_verify.exits import InputError
from qvm_verify.networks.architectures import BUILDERS, Architecture, choices_of
from qvm_verify.networks.containers import read
from qvm_verify.networks.users_own import build_users_own
from qvm_verify.snn import Quantizer

LEVELS = 8
QUANTIZER: Quantizer = "round"
CLASSES = 10


def started(options: argparse.Namespace, classes_of_data: int | None, channels: int) -> nn.Module:
    """Return the network of the checkpoint `options.model`, or a fresh one of the name `options.arch`.

    `channels` are those of the images, for a fresh network that can have as many.

    The levels and quantizer of this project's own checkpoints give way to those of the options: their
    weights and thresholds are where fine-tuning starts. Raises InputError where neither is given, or they do
    not fit, and for a ReLU network's checkpoint without a method of calibration.
    """
    if options.model is not None:
        network = _from_checkpoint(options)
        if networks.uncalibrated(network) and not options.calibrate:
            raise InputError(f"{options.model}: a ReLU network has no thresholds; --calibrate measures them")
        return network
    if options.arch is None:
        raise InputError("give a checkpoint to start from, or --arch NAME for random weights")
    levels, classes = options.levels or LEVELS, options.classes or classes_of_data or CLASSES
    quantizer: Quantizer = options.quantizer or QUANTIZER
    if ":" in options.arch:
        return build_users_own(options.arch, levels=levels, quantizer=quantizer, classes=classes)
    offered = choices_of(options.arch) if options.arch in BUILDERS else frozenset()
    return _built(
        Architecture(
            name=options.arch,
            levels=levels,
            quantizer=quantizer,
            classes=classes,
            variant=options.variant,
            pooling=options.pooling,
            channels=channels if "channels" in offered else None,
        )
    )


def header_of(network: nn.Module, options: argparse.Namespace) -> dict[str, Any]:
    """Return what a network is, by name and plain values."""
    architecture = networks.architecture_of(network)
    if architecture is not None:
        return architecture.header()
    return {
        "name": options.arch,
        "levels": options.levels or LEVELS,
        "quantizer": options.quantizer or QUANTIZER,
    }


def first_of(data: Dataset[Any]) -> tuple[Tensor, int]:
    """Return the first image and its label. Raises InputError where there is none."""
    if isinstance(data, Sized) and len(data) == 0:
        raise InputError("the data holds no image")
    first: tuple[Tensor, int] = data[0]
    return first


@torch.no_grad()
def check_fit(network: nn.Module, data: Dataset[Any]) -> None:
    """Raise InputError where the network cannot take the images, or they are none."""
    image, _ = first_of(data)
    training = network.training
    try:
        network.eval()(image.unsqueeze(0))
    except (RuntimeError, TypeError, ValueError) as error:
        raise InputError(
            f"images {list(image.shape)} do not fit {type(network).__name__} ({str(error).splitlines()[0]})"
        ) from error
    finally:
        network.train(training)


def _from_checkpoint(options: argparse.Namespace) -> nn.Module:
    path, wanted = options.model, {"levels": options.levels, "quantizer": options.quantizer}
    if options.arch is not None and ":" not in options.arch:
        raise InputError(f"--arch {options.arch}: {path} says itself what network it is")
    if options.arch is not None or not read(path).header:
        return networks.load(path, pooling=options.pooling, arch=options.arch, **wanted)
    network = networks.load(path, pooling=options.pooling)
    architecture = networks.architecture_of(network)
    assert architecture is not None  # its header named it
    if options.classes not in (None, architecture.classes):
        raise InputError(f"--classes {options.classes}: {path} has {architecture.classes} classes")
    given = {name: value for name, value in wanted.items() if value is not None}
    requantized = _built(replace(architecture, **given))
    requantized.load_state_dict(network.state_dict())
    return requantized.eval()


def _built(architecture: Architecture) -> nn.Module:
    try:
        return networks.build(architecture)
    except (ValueError, TypeError) as error:
        raise InputError(f"--arch {architecture.name}: {error}") from error
