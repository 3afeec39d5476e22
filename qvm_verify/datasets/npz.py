"""Images in a NumPy `.npz` file: the shortest way to bring data of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.utils.data import TensorDataset

from qvm_verify.exits import InputError

NO_LABEL = -1


def arrays(path: str | Path) -> TensorDataset:
    """Return the array `x` [images, ...] of an npz file with its labels `y` [images] (-1 where absent).

    Integers are taken as they are, without scaling. Raises InputError where the file is missing, is no
    npz, holds objects instead of numbers, or where x and y do not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        # Opened here, because np.load leaves a file open that turns out to be no zip.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if "x" not in file:
                raise InputError(f"{path}: holds no array 'x', only {', '.join(file) or 'nothing'}")
            x, y = file["x"], file.get("y")
            if not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray | None):
                raise InputError(f"{path}: 'x' and 'y' must be arrays")
    except InputError:
        raise
    except Exception as error:  # whatever bytes a stranger sends: np.load documents no list of errors
        raise InputError(f"{path}: not a readable npz file of plain numbers") from error
    if x.dtype.kind not in "fiub" or x.ndim < 2:
        raise InputError(f"{path}: 'x' must be numbers [images, ...], not {x.dtype} {list(x.shape)}")
    if y is None:
        y = np.full(len(x), NO_LABEL)
    if y.dtype.kind not in "iu" or y.shape != (len(x),):
        raise InputError(
            f"{path}: 'y' must be {len(x)} integers, one an image, not {y.dtype} {list(y.shape)}"
        )
    with np.errstate(over="ignore"):
        images = x.astype(np.float32)
    if not np.array_equal(np.isinf(images), np.isinf(x)):
        raise InputError(f"{path}: 'x' holds numbers that float32 cannot hold")
    return TensorDataset(torch.from_numpy(images), torch.from_numpy(y.astype(np.int64)))
