"""The state of a training run in a file: a run that was killed goes on from its last epoch, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qvm_verify.exits import InputError
from qvm_verify.torch_files import load_tensors
from qvm_verify.whole_files import written_whole

FORMAT = "qvm-verify/training/1"

Schedule = torch.optim.lr_scheduler.LRScheduler


@dataclass(frozen=True)
class Run:
    """All that an epoch changes: whatever else training needs follows from the recipe and the epoch."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    order: torch.Generator  # of the images


def save_run(path: Path, run: Run, epoch: int, recipe: Mapping[str, Any]) -> None:
    """Write the state after `epoch`; the file appears whole or not at all.

    `recipe` holds plain values: everything that decides the outcome.
    """
    content = {
        "format": FORMAT,
        "recipe": dict(recipe),
        "epoch": epoch,
        "network": run.network.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "schedule": run.schedule.state_dict(),
        "order": run.order.get_state(),
    }
    with written_whole(path) as temporary, temporary.open("wb") as file:
        torch.save(content, file)


def restore_run(path: Path, run: Run, recipe: Mapping[str, Any]) -> int:
    """Put `run` into the state of the file and return its epoch; 0 where there is no file.

    Raises InputError, naming the file, where it is not readable or was made by another recipe.
    """
    if not path.exists():
        return 0
    content = _read(path)
    _check_recipe(path, content["recipe"], recipe)
    try:
        run.network.load_state_dict(content["network"])
        run.optimizer.load_state_dict(content["optimizer"])
        run.schedule.load_state_dict(content["schedule"])
        run.order.set_state(content["order"])
        return int(content["epoch"])
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise InputError(f"{path}: does not fit this network; delete it to start anew") from error


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = load_tensors(path)
    except InputError as error:
        raise InputError(f"{path}: not a readable training state; delete it to start anew") from error
    if (
        not isinstance(content, dict)
        or content.get("format") != FORMAT
        or not isinstance(content.get("recipe"), dict)
    ):
        raise InputError(f"{path}: not a training state of this version; delete it to start anew")
    return content


def _check_recipe(path: Path, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for name in sorted(stored.keys() | wanted.keys()):
        if stored.get(name) != wanted.get(name):
            raise InputError(
                f"{path}: a run with {name} = {stored.get(name)!r}, not {wanted.get(name)!r}; "
                "finish it as it began, or choose another output"
            )
