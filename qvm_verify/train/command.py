"""The command line of training."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence, Sized
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

from qvm_verify import calibration, datasets, networks, training
from qvm_verify.devices import available_device
from qvm_verify.exits import Exit, InputError
from qvm_verify.train.options import parser
from qvm_verify.train.progress import Shown
from qvm_verify.train.start import check_fit, first_of, header_of, started
from qvm_verify.whole_files import ensure_folder, written_whole


def command(arguments: Sequence[str]) -> Exit:
    """Calibrate and train a network, write its checkpoint; go on where an earlier run was killed."""
    options = parser().parse_args(arguments)
    console = Console()
    torch.manual_seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    whole = datasets.open_dataset(options.data)
    data = _spread(whole, options.limit)
    test = datasets.open_dataset(options.test_data) if options.test_data else None
    network = started(options, datasets.classes_of(whole), channels=len(first_of(data)[0]))
    check_fit(network, data)
    if test is not None:
        check_fit(network, test)  # now, and not after the training
        if first_of(test)[1] < 0:
            raise InputError(f"--test-data {options.test_data}: has no labels to be right about")
    output = _output(options, network)
    ensure_folder(output.parent)  # before the long work, not after it
    state = output.with_name(f"{output.name}.state")
    network.to(available_device(options.device))
    torch.backends.cudnn.deterministic = True  # on a GPU, and without any effect elsewhere
    if options.calibrate and not (options.epochs and state.exists()):
        _calibrate(network, data, options, console)
    if options.epochs:
        _train(network, data, options, state, console)
    _save(network.cpu(), output)
    console.print(f"trained: {output}", highlight=False, soft_wrap=True)
    if test is not None:
        share = training.accuracy(network, test)
        assert isinstance(test, Sized)  # every dataset of ours is
        line = f"accuracy: {share:.2%} of {len(test)} images of {options.test_data}"
        console.print(line, highlight=False, soft_wrap=True)
    return Exit.AS_EXPECTED


def _calibrate(network: nn.Module, data: Dataset[Any], options: argparse.Namespace, console: Console) -> None:
    device = next(network.parameters()).device
    images = _spread(data, options.calibration_images)
    thresholds = calibration.calibrate(
        network,
        (x.to(device) for x, _ in DataLoader(images, batch_size=options.batch_size)),
        method=options.calibrate,
        percentile=options.percentile,
    )
    span = f"{min(thresholds.values()):.6g} to {max(thresholds.values()):.6g}"
    console.print(
        f"calibrated: {len(thresholds)} thresholds from {span}, by {options.calibrate}",
        highlight=False,
        soft_wrap=True,
    )


def _train(
    network: nn.Module, data: Dataset[Any], options: argparse.Namespace, state: Path, console: Console
) -> None:
    settings = training.TrainingSettings(
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
        seed=options.seed,
        augmentations=options.augment,
        channels_last=options.channels_last,
    )
    if state.exists():
        console.print(f"resuming: {state}", highlight=False, soft_wrap=True)
    with Shown(console, options.epochs) as shown:
        training.train(
            network,
            data,
            settings,
            shown.on_epoch,
            on_step=shown.on_step,
            state=state,
            recipe=_recipe(network, options),
            workers=options.workers,
        )


def _recipe(network: nn.Module, options: argparse.Namespace) -> dict[str, Any]:
    """Return what decides the outcome beside the settings of training."""
    start = "random weights"
    if options.model:
        start = f"sha256 {hashlib.sha256(options.model.read_bytes()).hexdigest()}"
    return {
        "architecture": header_of(network, options),
        "start": start,
        "data": options.data,
        "limit": options.limit,
        "calibrate": options.calibrate,
        "percentile": options.percentile if options.calibrate == "percentile" else None,
        "calibration_images": options.calibration_images if options.calibrate else None,
    }


def _output(options: argparse.Namespace, network: nn.Module) -> Path:
    header = header_of(network, options)
    name = f"{header['name']}-{header['quantizer']}-L{header['levels']}.pt".replace(":", "-")
    output: Path = options.output
    return output if output.suffix and not output.is_dir() else output / name


def _save(network: nn.Module, output: Path) -> None:
    """Write a checkpoint; of a user's own network the bare state dict, since no header can name it."""
    if networks.architecture_of(network) is not None:
        networks.save(network, output)
        return
    with written_whole(output) as temporary, temporary.open("wb") as file:
        torch.save(network.state_dict(), file)


def _spread(data: Dataset[Any], images: int | None) -> Dataset[Any]:
    """Return that many images from all over the data, which may be sorted by class."""
    assert isinstance(data, Sized)  # every dataset of ours is
    if images is None or len(data) <= images:
        return data
    return Subset(data, [index * len(data) // images for index in range(images)])
