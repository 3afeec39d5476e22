"""The command line of the audit."""

from __future__ import annotations

import argparse
from collections.abc import Sequence, Sized
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import torch
from rich.console import Console
from torch import nn

from qvm_verify import calibration, datasets, networks, snn
from qvm_verify.audit.certification import Certify
from qvm_verify.audit.dataset import Batches, audit_dataset
from qvm_verify.audit.journal import Journal
from qvm_verify.audit.processes import Processes, device_of_this_process, joined
from qvm_verify.audit.progress import listeners, tell_report
from qvm_verify.audit.subject import describe, folded, load_subject, train_default
from qvm_verify.exits import CommandParser, Exit, InputError
from qvm_verify.option_types import (
    count,
    finite,
    percentage,
    positive,
    positive_integer,
    seed,
    threads,
    time_steps,
)
from qvm_verify.progress_bars import progress_on
from qvm_verify.report import Report, read_report, save_formats, save_report
from qvm_verify.report.events import EventLog
from qvm_verify.report.terminal import print_report
from qvm_verify.whole_files import ensure_folder

DTYPES = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}


def command(arguments: Sequence[str]) -> Exit:
    """Audit a checkpoint, or a network trained on the spot; return the exit code of the verdict."""
    options = _parser().parse_args(arguments)
    device = device_of_this_process(options.device)
    ensure_folder(options.report)  # before the long work, not after it
    with joined(device) as processes:
        speaks = processes.rank == 0  # the first process, for all
        console = Console(quiet=not speaks)
        with EventLog(options.report / "events.ndjson" if speaks else None) as events:
            report, journal = _audit(options, device, console, processes, events)
            if not speaks:
                return Exit.AS_EXPECTED
            tell_report(report, events)
            print_report(report, console)
            _save(report, options.report, console)
            journal.remove()
    return report.exit_code


def quiet_audit(arguments: Sequence[str]) -> Report:
    """Return the report of an audit with the command's own arguments; print and keep nothing of it.

    Raises InputError as the command would report it.
    """
    with TemporaryDirectory() as folder, EventLog(None) as events:
        options = _parser().parse_args([*arguments, f"--report={folder}"])
        device = device_of_this_process(options.device)
        report, _ = _audit(options, device, Console(quiet=True), Processes(), events)
    return report


def _save(report: Report, folder: Path, console: Console) -> None:
    path = save_report(report, folder)
    save_formats(read_report(path), folder)
    console.print(f"report: {path} (and .html, .md, junit.xml)", highlight=False, soft_wrap=True)


def _audit(
    options: argparse.Namespace,
    device: torch.device,
    console: Console,
    processes: Processes,
    events: EventLog,
) -> tuple[Report, Journal]:
    torch.manual_seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.model is None and processes.count > 1:
        raise InputError("several processes need a checkpoint to audit: name one")
    path = options.model or train_default(options, console)
    ann = load_subject(path, options, device)
    data = datasets.open_dataset(options.data)
    assert isinstance(data, Sized)  # every dataset of ours is
    images = min(len(data), options.limit or len(data))
    dtype = DTYPES[options.dtype]
    ann = ann.to(dtype)
    batches = Batches(data, images, options.batch_size, device, dtype, options.workers)
    model = describe(path, ann, options)
    if options.fold_batch_norm:
        ann, model["folding"] = folded(ann, batches)
        console.print(f"folding: {model['folding']}, on the first batch", highlight=False)
    events.write("start", model=model, images=images, process=processes.rank, processes=processes.count)
    with progress_on(console) as progress:
        return audit_dataset(
            ann,
            _convert(ann, options),
            batches,
            seed=options.seed,
            certify=options.certify,
            compare=options.compare_streaming,
            model=model,
            folder=options.report,
            processes=processes,
            listeners=listeners(progress, console, events),
        )


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
    add(
        "--levels",
        type=time_steps,
        metavar="L",
        help="levels of a bare state dict (to train: 8)",
    )
    add("--quantizer", choices=snn.QUANTIZERS, help="quantizer of a bare state dict (to train: round)")
    add("--pooling", choices=networks.POOLINGS, help="pooling of a bare state dict")
    add("--arch", metavar="MODULE:FACTORY", help="a network of your own; the factory is called to make it")
    add("--calibrate", choices=calibration.METHODS, help="how to measure the thresholds of a ReLU network")
    add("--calibrate-data", metavar="DATA", help="the images to measure them on, named as for --data")
    add(
        "--percentile",
        type=percentage,
        default=99.9,
        metavar="P",
        help="share of the currents that --calibrate percentile does not clip, in %% (default: 99.9)",
    )
    add(
        "--fold-batch-norm",
        action="store_true",
        help="audit the network with its batch-norms folded, and say what that changes",
    )
    add(
        "--time-steps",
        type=time_steps,
        metavar="T",
        help="time-steps (default: the levels)",
    )
    add(
        "--v-init",
        type=finite,
        metavar="V",
        help="V0 as a fraction of each threshold (default: matched)",
    )
    add("--firing", choices=snn.FIRINGS, default=">=", help="when a neuron fires (default: >=)")
    add("--reset", choices=snn.RESETS, default=snn.RESETS[0], help="what a spike does (default: subtraction)")
    add(
        "--threshold-scale",
        type=positive,
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
    add(
        "--batch-size",
        type=positive_integer,
        default=64,
        metavar="B",
        help="images at a time (default: 64)",
    )
    add(
        "--workers",
        type=count,
        default=0,
        metavar="N",
        help="processes that load images (default: 0)",
    )
    add(
        "--threads",
        type=threads,
        metavar="N",
        help="threads of PyTorch (default: its own choice)",
    )
    add("--limit", type=positive_integer, metavar="N", help="audit the first N images only")
    add("--device", default="cpu", help="PyTorch device (default: cpu)")
    add("--dtype", choices=DTYPES, default="float32", help="arithmetic of both networks (default: float32)")
    add(
        "--certify",
        choices=get_args(Certify),
        default="boundary",
        help="decide every site for every number: by bisection, by a sweep, or not (default: boundary)",
    )
    add(
        "--compare-streaming",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="show what streaming currents would cost, on the first images (default: yes)",
    )
    add(
        "--seed",
        type=seed,
        default=0,
        help="of the training and of the sampled neurons (default: 0)",
    )
    add("--report", type=Path, default=Path("reports"), metavar="DIR", help="folder (default: reports)")
    return parser


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
