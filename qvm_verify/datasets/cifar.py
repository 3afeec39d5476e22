"""CIFAR-10 and CIFAR-100 in both official layouts, the binary version and the python version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qvm_verify.datasets.checksums import require_official
from qvm_verify.datasets.cifar_pickle import read_batch
from qvm_verify.datasets.files import folder_at, read_whole
from qvm_verify.datasets.images import ImageArray
from qvm_verify.exits import InputError

SIDE = 32
PIXELS = 3 * SIDE * SIDE  # all red bytes, then all green, then all blue, each row by row


@dataclass(frozen=True, kw_only=True)
class _Layout:
    name: str
    binary_folder: str
    python_folder: str
    files: Mapping[str, Sequence[str]]  # of each split, in the python version; the binary one adds .bin
    labels: Mapping[str, int]  # the bytes before the pixels of a binary record: how many values each has
    key: str  # of the labels in a pickle
    classes: int


CIFAR10 = _Layout(
    name="CIFAR-10",
    binary_folder="cifar-10-batches-bin",
    python_folder="cifar-10-batches-py",
    files={"train": [f"data_batch_{batch}" for batch in range(1, 6)], "test": ["test_batch"]},
    labels={"label": 10},
    key="labels",
    classes=10,
)
CIFAR100 = _Layout(
    name="CIFAR-100",
    binary_folder="cifar-100-binary",
    python_folder="cifar-100-python",
    files={"train": ["train"], "test": ["test"]},
    labels={"coarse label": 20, "fine label": 100},
    key="fine_labels",
    classes=100,
)


def cifar10(
    path: str | Path, *, split: str = "test", normalize: str = "cifar10", verify: str = "nothing"
) -> ImageArray:
    """Return CIFAR-10 images [3, 32, 32] with their labels 0..9.

    `path` is the folder `cifar-10-batches-bin` or `cifar-10-batches-py`, or the one around it; the binary
    version is taken where both are there. Any whole number of records is read, so a sample is as good as
    the official files. Raises InputError, with file and offset, for what is missing, truncated or
    mislabelled, and with `verify` "official" for any file whose MD5 is not the official one.
    """
    return _open(CIFAR10, path, split, normalize, verify)


def cifar100(
    path: str | Path, *, split: str = "test", normalize: str = "cifar100", verify: str = "nothing"
) -> ImageArray:
    """Return CIFAR-100 images [3, 32, 32] with their fine labels 0..99; everything else as `cifar10`.

    A binary record holds the coarse label too: one fine label under two coarse ones is refused.
    """
    return _open(CIFAR100, path, split, normalize, verify)


def read_records(path: Path, label_values: Mapping[str, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the pixels [records, 3, 32, 32] and the label bytes [records, labels] of one binary file.

    A record is one byte for each of `label_values`, then 3,072 pixels. Raises InputError where the file ends
    within a record, or a label has a value that its dataset does not.
    """
    length = len(label_values) + PIXELS
    data = np.frombuffer(read_whole(path), dtype=np.uint8)
    records, rest = divmod(len(data), length)
    if rest:
        raise InputError(
            f"{path}: record {records} at byte {records * length} ends after {rest} bytes, "
            f"and a record has {length}"
        )
    rows = data.reshape(records, length)
    for column, (name, values) in enumerate(label_values.items()):
        wrong = np.flatnonzero(rows[:, column] >= values)
        if len(wrong):
            record = int(wrong[0])
            raise InputError(
                f"{path}: record {record} at byte {record * length + column}: "
                f"{name} {rows[record, column]}, and must be 0..{values - 1}"
            )
    labels = rows[:, : len(label_values)].copy()
    return rows[:, len(label_values) :].reshape(records, 3, SIDE, SIDE).copy(), labels


def _open(layout: _Layout, path: str | Path, split: str, normalize: str, verify: str) -> ImageArray:
    folder, suffix = _find(layout, folder_at(path), layout.files[split][0])
    pixels, labels = [], []
    for name in layout.files[split]:
        file = folder / f"{name}{suffix}"
        require_official(file, verify)
        if suffix:
            images, columns = read_records(file, layout.labels)
            _check_hierarchy(file, columns)
            found: NDArray[np.int64] = columns[:, -1].astype(np.int64)
        else:
            flat, found = read_batch(file, layout.key, layout.classes, PIXELS)
            images = flat.reshape(-1, 3, SIDE, SIDE)
        pixels.append(images)
        labels.append(found)
    return ImageArray(
        np.concatenate(pixels), np.concatenate(labels), classes=layout.classes, normalize=normalize
    )


def _find(layout: _Layout, path: Path, first: str) -> tuple[Path, str]:
    """Return the folder that holds the file `first`, and the suffix of its version."""
    for suffix, inner in ((".bin", layout.binary_folder), ("", layout.python_folder)):
        for folder in (path, path / inner):
            if (folder / f"{first}{suffix}").is_file():
                return folder, suffix
    raise InputError(f"{path}: holds neither {first}.bin nor {first}, the official files of {layout.name}")


def _check_hierarchy(path: Path, labels: NDArray[np.uint8]) -> None:
    """Raise InputError where two records with one fine label have different coarse ones."""
    if labels.shape[1] == 1:
        return
    first: dict[int, tuple[int, int]] = {}
    for record, (coarse, fine) in enumerate(labels.tolist()):
        seen, known = first.setdefault(fine, (record, coarse))
        if known != coarse:
            raise InputError(
                f"{path}: record {record} at byte {record * (2 + PIXELS)}: fine label {fine} under the "
                f"coarse label {coarse}, and record {seen} has it under {known}"
            )
