"""The processes that share one audit, started by `torchrun`; without it, this one alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

from qvm_verify.devices import available_device
from qvm_verify.exits import InputError, mishap


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this one is."""

    rank: int = 0
    count: int = 1

    def gather(self, mine: Any) -> list[Any]:
        """Return what each process gave, in the order of the ranks; every process gets the same list.

        Raises InputError where another process is gone.
        """
        if self.count == 1:
            return [mine]
        everyone: list[Any] = [None] * self.count
        try:
            distributed.all_gather_object(everyone, mine)
        except RuntimeError as error:
            if mishap(error):
                raise
            raise InputError(
                "another process of this audit is gone; the same command goes on where all of them were"
            ) from error
        return everyone


def device_of_this_process(name: str) -> torch.device:
    """Return the device of a name; of several processes on GPUs each takes the one of its local rank.

    Raises InputError where it is not available here.
    """
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    return available_device(name)


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Join the processes that `torchrun` started, with gloo on the CPU and nccl on GPUs.

    Raises InputError where they do not find each other.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"the processes of this audit do not find each other ({reason})") from error
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
