"""The command line of the audit."""

from __future__ import annotations

import argparse
import hashlib
import math
from collections.abc import Callable, Iterator, Sequence, Sized
from pathlib import Path
from typing import Any, get_args

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from qvm_verify import datasets, networks, snn, training
from qvm_verify.audit.certification import Certify
from qvm_verify.audit.side_by_side import verify
from qvm_verify.exits import CommandParser, Exit, InputError
from qvm_verify.report import save_report
from qvm_verify.report.terminal import print_report
from qvm_verify.whole_files import ensure_folder

DTYPES = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}


def command(arguments: Sequence[str]) -> Exit:
    """Audit a checkpoint, or a network trained on the spot; return the exit code of the verdict."""
    options = _parser().parse_args(arguments)
    console = Console()
    torch.manual_seed(options.seed)
    device = _device(options.device)
    ensure_folder(options.report)  # before the long work, not after it
    path = options.model or _train_default(options, console)
    ann = networks.load(path)
    architecture = networks.architecture_of(ann)
    assert architecture is not None  # load() builds nothing else
    _refuse_contradictions(path, architecture, options)
    data = _limited(datasets.open_dataset(options.data), options.limit)
    dtype = DTYPES[options.dtype]
    ann = ann.to(device, dtype)
    converted = _convert(ann, options)
    model = _describe(path, architecture, options)
    with _progress(console) as progress:
        task = progress.add_task("auditing", total=len(data) if isinstance(data, Sized) else None)
        certifying = progress.add_task("certifying", total=None, visible=False)

        def on_inputs(site: str, inputs: int) -> None:
            progress.update(
                certifying, visible=True, description=f"certifying {site}", completed=inputs, total=2**32
            )

        report = verify(
            ann,
            converted,
            _batches(data, options.batch_size, device, dtype),
            seed=options.seed,
            certify=options.certify,
            model=model,
            on_inputs=on_inputs,
            on_batch=lambda images: progress.update(task, completed=images),
        )
    print_report(report, console)
    console.print(f"report: {save_report(report, options.report)}", highlight=False, soft_wrap=True)
    return report.exit_code


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="qvm-verify audit",
        description="Compare a spiking network with its ANN on real data: every spike count with its level.",
        epilog="Exit codes: 0 lossless, 1 not lossless (a counterexample was replayed), "
        "2 bad usage or input, 3 the tool contradicts itself, 4 inconclusive.",
    )
    add = parser.add_argument
    add("model", nargs="?", type=Path, help="checkpoint; left out, a small network is trained on digits")
    add("--data", default="digits", metavar="DATA", help=f"{datasets.SPECIFICATIONS} (default: digits)")
    add("--levels", type=_positive, metavar="L", help="levels of the network to train (default: 8)")
    add("--quantizer", choices=snn.QUANTIZERS, help="quantizer of the network to train (default: round)")
    add("--time-steps", type=_positive, metavar="T", help="time-steps (default: the levels)")
    add("--v-init", type=_finite, metavar="V", help="V0 as a fraction of each threshold (default: matched)")
    add("--firing", choices=snn.FIRINGS, default=">=", help="when a neuron fires (default: >=)")
    add("--reset", choices=snn.RESETS, default=snn.RESETS[0], help="what a spike does (default: subtraction)")
    add(
        "--threshold-scale",
        type=_scale,
        default=1.0,
        metavar="S",
        help="multiply every threshold (default: 1)",
    )
    add(
        "--currents",
        choices=snn.CURRENTS,
        default="constant",
        help="what layers exchange (default: constant)",
    )
    add("--batch-size", type=_positive, default=64, metavar="B", help="images at a time (default: 64)")
    add("--limit", type=_positive, metavar="N", help="audit the first N images only")
    add("--device", default="cpu", help="PyTorch device (default: cpu)")
    add("--dtype", choices=DTYPES, default="float32", help="arithmetic of both networks (default: float32)")
    add(
        "--certify",
        choices=get_args(Certify),
        default="boundary",
        help="decide every site for every number: by bisection, by a sweep, or not (default: boundary)",
    )
    add("--seed", type=_seed, default=0, help="of the training and of the sampled neurons (default: 0)")
    add("--report", type=Path, default=Path("reports"), metavar="DIR", help="folder (default: reports)")
    return parser


def _number(convert: Callable[[str], Any], fits: Callable[[Any], bool], wanted: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not fits(value):
            raise argparse.ArgumentTypeError(f"must be {wanted}, got {text!r}")
        return value

    return parse


_positive = _number(int, lambda value: value >= 1, "an integer of at least 1")
_seed = _number(int, lambda value: 0 <= value < 2**63, "an integer from 0 to 2^63 - 1")
_finite = _number(float, math.isfinite, "a finite number")
_scale = _number(float, lambda value: value > 0 and math.isfinite(value), "a positive number")


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"--device {name}: not available here ({str(error).splitlines()[0]})") from error
    return device


def _refuse_contradictions(
    path: Path, architecture: networks.Architecture, options: argparse.Namespace
) -> None:
    for name in ("levels", "quantizer"):
        wanted, stored = getattr(options, name), getattr(architecture, name)
        if wanted not in (None, stored):
            raise InputError(f"--{name} {wanted}: {path} was trained with {stored}, and says so itself")


def _train_default(options: argparse.Namespace, console: Console) -> Path:
    """Train the small digits network and return the path of its checkpoint."""
    levels: int = options.levels or 8
    quantizer: snn.Quantizer = options.quantizer or "round"
    network = networks.digits_cnn(levels=levels, quantizer=quantizer)
    settings = training.TrainingSettings(seed=options.seed)
    with _progress(console) as progress:
        task = progress.add_task("training on digits", total=settings.epochs)
        training.train(
            network,
            datasets.digits("train"),
            settings,
            on_epoch=lambda epoch, loss: progress.update(task, completed=epoch),
        )
    path: Path = options.report / f"digits-{quantizer}-L{levels}.pt"
    networks.save(network, path)
    console.print(f"trained: {path} (seed {options.seed})", highlight=False, soft_wrap=True)
    return path


def _convert(ann: nn.Module, options: argparse.Namespace) -> nn.Module:
    return snn.convert(
        ann,
        time_steps=options.time_steps,
        v_init=options.v_init,
        firing=options.firing,
        reset=options.reset,
        currents=options.currents,
        threshold_scale=options.threshold_scale,
    )


def _describe(path: Path, architecture: networks.Architecture, options: argparse.Namespace) -> dict[str, Any]:
    matched = snn.MATCHED_V_INIT[architecture.quantizer]
    return {
        "file": str(path),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "architecture": architecture.name,
        "levels": architecture.levels,
        "quantizer": architecture.quantizer,
        "time_steps": options.time_steps or architecture.levels,
        "v_init": matched if options.v_init is None else options.v_init,
        "firing": options.firing,
        "reset": options.reset,
        "threshold_scale": options.threshold_scale,
        "dtype": options.dtype,
        "data": options.data,
    }


def _limited(data: Dataset[Any], limit: int | None) -> Dataset[Any]:
    if limit is None or (isinstance(data, Sized) and len(data) <= limit):
        return data
    return torch.utils.data.Subset(data, range(limit))


def _batches(
    data: Dataset[Any], batch_size: int, device: torch.device, dtype: torch.dtype
) -> Iterator[tuple[Tensor, Tensor]]:
    for images, labels in DataLoader(data, batch_size=batch_size):
        yield images.to(device, dtype), labels.to(device)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
