"""MNIST in its official idx files, bare or gzipped."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qvm_verify.datasets.checksums import require_official
from qvm_verify.datasets.files import LARGEST, folder_at
from qvm_verify.datasets.images import ImageArray
from qvm_verify.exits import InputError

SIDE = 28
CLASSES = 10
PREFIX = {"train": "train", "test": "t10k"}
BLOCK = 2**20


def mnist(
    path: str | Path, *, split: str = "test", normalize: str = "none", verify: str = "nothing"
) -> ImageArray:
    """Return MNIST digits [1, 28, 28] with their labels 0..9, from the folder of the four idx files.

    Raises InputError, with file and offset, for what is missing, truncated or mislabelled, and with `verify`
    "official" for a file whose content has not the official MD5.
    """
    folder = folder_at(path)
    images_file = _find(folder, f"{PREFIX[split]}-images-idx3-ubyte")
    labels_file = _find(folder, f"{PREFIX[split]}-labels-idx1-ubyte")
    for file in (images_file, labels_file):
        require_official(file, verify)
    images = read_idx(images_file, (SIDE, SIDE))
    labels = read_idx(labels_file, ())
    if len(images) != len(labels):
        raise InputError(
            f"{labels_file}: {len(labels)} labels, and {images_file.name} has {len(images)} images"
        )
    wrong = np.flatnonzero(labels >= CLASSES)
    if len(wrong):
        at = int(wrong[0])
        raise InputError(f"{labels_file}: label {at} at byte {8 + at}: {labels[at]}, and must be 0..9")
    return ImageArray(images[:, np.newaxis], labels.astype(np.int64), classes=CLASSES, normalize=normalize)


def read_idx(path: Path, item: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the bytes [N, *item] of an idx file.

    Big-endian: 0, 0, type 8 (unsigned byte), the number of dimensions; each dimension in 4 bytes; the data.
    No more is allocated than the file holds, whatever its header says. Raises InputError where
    anything differs.
    """
    header = 4 + 4 * (1 + len(item))
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(header)
            dimensions = _dimensions(path, head, item)
            wanted = math.prod(dimensions)
            content = bytearray()
            while block := file.read(
                min(BLOCK, wanted + 1 - len(content))
            ):  # one byte more would be too much
                content += block
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read to its end ({error})".replace("\n", " ")) from error
    if len(content) != wanted:
        held = "more" if len(content) > wanted else f"only {len(content)}"
        raise InputError(f"{path}: {wanted} bytes must follow byte {header}, and there are {held}")
    return np.frombuffer(content, dtype=np.uint8).reshape(dimensions)


def _dimensions(path: Path, head: bytes, item: tuple[int, ...]) -> tuple[int, ...]:
    magic = bytes([0, 0, 8, 1 + len(item)])
    if head[:4] != magic:
        raise InputError(
            f"{path}: begins with {head[:4].hex() or 'nothing'}, and must with {magic.hex()} (idx)"
        )
    if len(head) < 4 + 4 * (1 + len(item)):
        raise InputError(f"{path}: ends at byte {len(head)}, within its header")
    found = tuple(np.frombuffer(head, dtype=">u4", offset=4).tolist())
    if found[1:] != item:
        raise InputError(f"{path}: items of {list(found[1:])} at byte 8, and must be {list(item)}")
    if math.prod(found) > LARGEST:
        raise InputError(
            f"{path}: claims {found[0]} items at byte 4, and files up to {LARGEST} bytes are read"
        )
    return found


def _find(folder: Path, name: str) -> Path:
    for candidate in (name, f"{name}.gz"):
        if (folder / candidate).is_file():
            return folder / candidate
    raise InputError(f"{folder}: holds neither {name} nor {name}.gz")
