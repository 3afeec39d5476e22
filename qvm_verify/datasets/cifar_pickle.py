"""One batch of the python version of CIFAR: a pickled dict of an array and a list of labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qvm_verify.datasets.plain_pickle import load_plain
from qvm_verify.exits import InputError


def read_batch(
    path: Path, key: str, classes: int, pixels: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images [N, pixels] under "data" and the N labels under `key`.

    Raises InputError where one of them is missing or of another kind, or a label is outside 0..classes - 1.
    """
    batch = load_plain(path)
    for name in ("data", key):
        if name not in batch:
            raise InputError(f"{path}: holds no {name!r}, only {str(sorted(batch))[:100]}")
    data, labels = batch["data"], batch[key]
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (pixels,):
        found = f"{data.dtype} {list(data.shape)}" if isinstance(data, np.ndarray) else type(data).__name__
        raise InputError(f"{path}: 'data' must be uint8 [images, {pixels}], not {found}")
    if not isinstance(labels, list) or len(labels) != len(data):
        found = f"{len(labels)}" if isinstance(labels, list) else f"a {type(labels).__name__}"
        raise InputError(f"{path}: {key!r} must be a list of {len(data)} labels, one an image, not {found}")
    for image, label in enumerate(labels):
        if type(label) is not int or not 0 <= label < classes:
            raise InputError(f"{path}: {key}[{image}] is {label!r:.40}, and must be 0..{classes - 1}")
    return data, np.array(labels, dtype=np.int64)
