"""Images in a NumPy `.npz` file: the shortest way to bring data of one's own."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import TensorDataset

from qvm_verify.exits import InputError
from qvm_verify.zips import opened, read_member

NO_LABEL = -1
KIND = "npz file of plain numbers"
READ_HEADER = {  # by version; 3.0 has names of fields beyond latin-1, and no plain number has a name
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def arrays(path: str | Path) -> TensorDataset:
    """Return the array `x` [images, ...] of an npz file with its labels `y` [images] (-1 where absent).

    Integers are taken as they are, without scaling. Raises InputError where the file is missing, is no
    npz, holds objects instead of numbers, or where x and y do not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with opened(path, KIND) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        if "x" not in names:
            raise InputError(f"{path}: holds no array 'x', only {', '.join(names) or 'nothing'}")
        x = _array(path, archive, "x")
        y = _array(path, archive, "y") if "y" in names else None
    if x.dtype.kind not in "fiub" or x.ndim < 2:
        raise InputError(f"{path}: 'x' must be numbers [images, ...], not {x.dtype} {list(x.shape)}")
    if len(x) and not x.size:  # of which a file of no length could claim any number
        raise InputError(f"{path}: 'x' has images {list(x.shape[1:])}, without a pixel")
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


def _array(path: Path, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Return a member as an array of just the bytes that it has, whatever its header claims."""
    raw = io.BytesIO(read_member(path, archive, f"{name}.npy"))
    try:
        header = READ_HEADER[np.lib.format.read_magic(raw)]
        shape, fortran, dtype = header(raw)
        start = raw.tell()
        if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(raw.getbuffer()) - start:
            raise ValueError("claims other bytes than it has")
        return np.frombuffer(raw.getvalue(), dtype, offset=start).reshape(
            shape, order="F" if fortran else "C"
        )
    except Exception as error:  # NumPy documents no list of errors for a header of strange bytes
        raise InputError(f"{path}: {name!r}: not a readable {KIND}") from error
