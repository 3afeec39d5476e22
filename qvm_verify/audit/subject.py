"""What is audited: the network of a checkpoint, calibrated if it needs to be, or one trained on the spot."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn
from torch.utils.data import DataLoader

from qvm_verify import calibration, datasets, networks, snn, training
from qvm_verify.audit.dataset import Batches
from qvm_verify.audit.sites import find_sites, is_activation
from qvm_verify.exits import ContradictionError, InputError
from qvm_verify.folding import check_folding, fold_batch_norm
from qvm_verify.progress_bars import progress_on
from qvm_verify.verdict import Verdict


def load_subject(path: Path, options: argparse.Namespace, device: torch.device) -> nn.Module:
    """Return the network of a checkpoint on `device`, its thresholds measured where the file has none.

    Raises InputError where the file cannot be read or lacks what the options do not give.
    """
    ann = networks.load(
        path, levels=options.levels, quantizer=options.quantizer, pooling=options.pooling, arch=options.arch
    ).to(device)
    method, source = options.calibrate, options.calibrate_data
    if (method is None) != (source is None):
        raise InputError("--calibrate and --calibrate-data go together: how to measure, and on what")
    unknown = networks.uncalibrated(ann)
    if unknown and method is None:
        raise InputError(
            f"{path}: holds a ReLU network, whose {len(unknown)} thresholds are not known; "
            "measure them with --calibrate and --calibrate-data"
        )
    if method is not None and not unknown:
        raise InputError(f"--calibrate {method}: {path} holds thresholds of its own")
    if method is not None:
        images = DataLoader(datasets.open_dataset(source), batch_size=options.batch_size)
        batches = (batch[0].to(device, torch.float32) for batch in images)
        try:
            calibration.calibrate(ann, batches, method=method, percentile=options.percentile)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"--calibrate-data {source}: does not run through the network: {reason}"
            ) from error
    return ann


def folded(ann: nn.Module, batches: Batches) -> tuple[nn.Module, str]:
    """Return a copy with its batch-norms folded, and what that changes on the first batch.

    Raises InputError where there is none, ContradictionError where more than rounding is wrong with it.
    """
    copy = fold_batch_norm(ann)
    check = check_folding(ann, copy, batches.load([0]))
    if check.evidence.verdict is Verdict.ERROR:
        raise ContradictionError(check.sentence)
    if check.evidence.verdict is Verdict.UNKNOWN:
        raise InputError(f"--fold-batch-norm: {check.sentence}")
    return copy, check.sentence


def describe(path: Path, ann: nn.Module, options: argparse.Namespace) -> dict[str, Any]:
    """Return what the report says of the network and its conversion; what sites disagree on is left out."""
    architecture = networks.architecture_of(ann)
    header = {"name": options.arch} if architecture is None else architecture.header()
    sites = find_sites(ann, is_activation).values()
    levels, quantizers = ({getattr(site, name) for site in sites} for name in ("levels", "quantizer"))
    one_level = next(iter(levels)) if len(levels) == 1 else None
    quantizer = next(iter(quantizers)) if len(quantizers) == 1 else None
    matched: dict[Any, float] = {**snn.MATCHED_V_INIT}  # a site may name a quantizer that we do not know
    calibrated = f"{options.calibrate} on {options.calibrate_data}" if options.calibrate else None
    if options.calibrate == "percentile":
        calibrated = f"{options.percentile:g} {calibrated}"
    known = {
        "file": str(path),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "architecture": header["name"],
        "variant": header.get("variant"),
        "pooling": header.get("pooling"),
        "levels": one_level,
        "quantizer": quantizer,
        "calibration": calibrated,
        "time_steps": options.time_steps or one_level,
        "v_init": matched.get(quantizer) if options.v_init is None else options.v_init,
        "firing": options.firing,
        "reset": options.reset,
        "threshold_scale": options.threshold_scale,
        "dtype": options.dtype,
        "data": options.data,
    }
    return {name: value for name, value in known.items() if value is not None}


def train_default(options: argparse.Namespace, console: Console) -> Path:
    """Train the small digits network and return the path of its checkpoint."""
    for name in ("arch", "pooling", "calibrate", "calibrate_data"):
        if (value := getattr(options, name)) is not None:
            raise InputError(f"--{name.replace('_', '-')} {value}: needs a checkpoint: name one")
    levels: int = options.levels or 8
    quantizer: snn.Quantizer = options.quantizer or "round"
    network = networks.digits_cnn(levels=levels, quantizer=quantizer)
    settings = training.TrainingSettings(seed=options.seed)
    with progress_on(console) as progress:
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
