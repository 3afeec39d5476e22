"""What the command line of training understands."""

from __future__ import annotations

import argparse
from pathlib import Path

from qvm_verify import calibration, datasets, networks, snn, training
from qvm_verify.exits import CommandParser
from qvm_verify.networks.architectures import BUILDERS
from qvm_verify.networks.blocks import VARIANTS
from qvm_verify.option_types import (
    count,
    not_negative,
    percentage,
    positive_integer,
    seed,
    threads,
    time_steps,
)


def parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="qvm-verify train",
        description="Calibrate a network's thresholds and fine-tune it with its quantized activations.",
        epilog="A run that was killed goes on from its last epoch when it is started again with the same "
        "options, to the same weights bit for bit. Exit codes: 0 trained, 2 bad usage or input.",
    )
    add = parser.add_argument
    add("model", nargs="?", type=Path, help="checkpoint to start from")
    names = ", ".join(sorted(BUILDERS))
    add("--arch", metavar="NAME", help=f"start from random weights: {names}; or MODULE:FACTORY of your own")
    add("--variant", choices=VARIANTS, help="stem and head of --arch, for images of which kind")
    add("--pooling", choices=networks.POOLINGS, help="pooling that neither a state dict nor --arch tells")
    add(
        "--levels",
        type=time_steps,
        metavar="L",
        help="levels (default: the checkpoint's, or 8)",
    )
    add("--quantizer", choices=snn.QUANTIZERS, help="quantizer (default: the checkpoint's, or round)")
    add(
        "--classes",
        type=positive_integer,
        metavar="K",
        help="classes of --arch (default: the data's, or 10)",
    )
    _add_data(parser)
    _add_training(parser)
    add("--device", default="cpu", help="PyTorch device (default: cpu)")
    add(
        "--workers",
        type=count,
        default=0,
        metavar="P",
        help="processes that load images (default: none)",
    )
    add(
        "--threads",
        type=threads,
        metavar="P",
        help="threads of PyTorch (default: PyTorch's own choice)",
    )
    add("--output", type=Path, default=Path("reports"), metavar="PATH", help="checkpoint, or its folder")
    return parser


def _add_data(parser: CommandParser) -> None:
    add = parser.add_argument
    add("--data", default="digits:train", metavar="DATA", help=datasets.SPECIFICATIONS)
    add("--test-data", metavar="DATA", help="measure the accuracy on these at the end")
    add(
        "--limit",
        type=positive_integer,
        metavar="N",
        help="train on N images only, from all over the data",
    )
    add("--calibrate", choices=calibration.METHODS, help="set the thresholds from the data first")
    add(
        "--percentile",
        type=percentage,
        default=99.9,
        metavar="P",
        help="of --calibrate (default: 99.9)",
    )
    add(
        "--calibration-images",
        type=positive_integer,
        default=1024,
        metavar="N",
        help="calibrate on N images from all over the data, not augmented (default: 1024)",
    )


def _add_training(parser: CommandParser) -> None:
    add = parser.add_argument
    add("--epochs", type=count, default=30, metavar="E", help="default: 30; 0 only calibrates")
    add(
        "--batch-size",
        type=positive_integer,
        default=64,
        metavar="B",
        help="images a step (default: 64)",
    )
    add(
        "--learning-rate",
        type=not_negative,
        default=0.1,
        metavar="R",
        help="at the start (default: 0.1)",
    )
    add("--momentum", type=not_negative, default=0.9, metavar="M", help="default: 0.9")
    add("--weight-decay", type=not_negative, default=5e-4, metavar="W", help="default: 0.0005")
    add("--seed", type=seed, default=0, help="of weights, order and augmentations (default: 0)")
    add(
        "--augment",
        type=_augmentations,
        default=(),
        metavar="NAME,...",
        help=f"of {', '.join(training.AUGMENTATIONS)} (default: none)",
    )
    add("--channels-last", action="store_true", help="faster convolutions on many CPUs; other roundings")


def _augmentations(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in training.AUGMENTATIONS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(training.AUGMENTATIONS)}")
    return names
