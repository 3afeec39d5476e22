"""Images as processes of PyTorch load them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from qvm_verify.exits import InputError


def loaded(loader: DataLoader[Any]) -> Iterator[Any]:
    """Return the batches; the complaint of a process that loads images comes without its traceback."""
    return _told(iter(loader))  # its processes are forked now, by whoever asks for the batches


def _told(batches: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from batches
    except InputError as error:
        raise InputError(str(error).strip().splitlines()[-1].rpartition("InputError: ")[2]) from error
