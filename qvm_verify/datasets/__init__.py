"""Loaders of datasets, each a torch `Dataset` of (image, label) pairs."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from torch.utils.data import Dataset

from qvm_verify.datasets.handwritten_digits import digits
from qvm_verify.datasets.npz import NO_LABEL, arrays
from qvm_verify.exits import InputError

SPECIFICATIONS = "digits, digits:train, npz:PATH"

__all__ = ["NO_LABEL", "SPECIFICATIONS", "arrays", "digits", "open_dataset"]


def open_dataset(specification: str) -> Dataset[Any]:
    """Return the dataset that `--data` names: `digits[:SPLIT]` or `npz:PATH`.

    Raises InputError where the name is unknown, the data cannot be read, or there is no image in it.
    """
    kind, _, argument = specification.partition(":")
    if kind == "digits" and argument in ("", "train", "test"):
        return digits(argument or "test")
    if kind != "npz" or not argument:
        raise InputError(f"unknown data {specification!r}; one of {SPECIFICATIONS}")
    dataset = arrays(argument)
    if isinstance(dataset, Sized) and len(dataset) == 0:
        raise InputError(f"{argument}: holds no image")
    return dataset
