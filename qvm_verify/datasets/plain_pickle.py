"""Pickles of nothing but arrays of numbers and plain containers, such as CIFAR's python version.

The few names by which NumPy stores an array are acted out here; `qvm_verify.plain_pickle` does the rest.
"""

from __future__ import annotations

import io
import math
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qvm_verify.datasets.files import read_whole
from qvm_verify.exits import InputError
from qvm_verify.plain_pickle import CorruptPickleError, Machine, RefusedPickleError, to_text

MOST_SIDES, LONGEST_SIDE = 32, 2**63  # of an array's shape


class _Name(Enum):
    RECONSTRUCT = "_reconstruct"
    NDARRAY = "ndarray"
    DTYPE = "dtype"
    ENCODE = "encode"
    BYTES = "bytes"


DTYPES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")


class _DType:
    def __init__(self, code: str) -> None:
        self.value = np.dtype(code)


class _Array:
    value: NDArray[Any] | None = None


def load_plain(path: Path) -> dict[str, Any]:
    """Return the dict of a pickle, its arrays as NumPy arrays and its keys as text.

    Raises InputError, with the byte, where the file is truncated, corrupt, names anything that is no array,
    claims more than it holds, or is no dict.
    """
    data = read_whole(path)
    try:
        result = _ArrayMachine(budget=len(data)).run(io.BytesIO(data))
    except RefusedPickleError as refusal:
        raise InputError(f"{path}: the pickle {refusal}, and is refused") from refusal
    except CorruptPickleError as error:
        raise InputError(f"{path}: the pickle is {error}") from error
    if not isinstance(result, dict):
        raise InputError(
            f"{path}: the pickle holds a {type(result).__name__.strip('_')}, and must hold a dict"
        )
    return {
        to_text(key): value.value if isinstance(value, _Array) else value for key, value in result.items()
    }


class _ArrayMachine(Machine):
    names = {  # noqa: RUF012  # the base says that it belongs to the class
        "numpy.core.multiarray _reconstruct": _Name.RECONSTRUCT,
        "numpy._core.multiarray _reconstruct": _Name.RECONSTRUCT,
        "numpy ndarray": _Name.NDARRAY,
        "numpy dtype": _Name.DTYPE,
        "_codecs encode": _Name.ENCODE,  # how protocol 2 spells bytes
        "__builtin__ bytes": _Name.BYTES,  # and how it spells none of them
    }
    holds = "array or plain container"

    def call(self) -> None:
        function, arguments = self.pop(2)
        match function, arguments:
            case _Name.RECONSTRUCT, (_Name.NDARRAY, (0,), "b" | b"b"):
                self.stack.append(_Array())
            case _Name.DTYPE, (str() | bytes() as code, *_) if to_text(code) in DTYPES:
                self.stack.append(_DType(to_text(code)))
            case _Name.ENCODE, (str() as text, "latin1" | "latin-1"):
                self.stack.append(self.to_bytes(text))
            case _Name.BYTES, ():
                self.stack.append(b"")
            case _:
                raise RefusedPickleError("calls something other than an array's own parts")

    def build(self) -> None:
        target, state = self.pop(2)
        match target, state:
            case _DType(), (_, "<" | ">" | "|" | "=" | b"<" | b">" | b"|" | b"=" as order, *_):
                target.value = target.value.newbyteorder(to_text(order))  # type: ignore[arg-type]
            case _Array(), (1, tuple() as shape, _DType(value=dtype), fortran, str() | bytes() as raw):
                content = self.to_bytes(raw) if isinstance(raw, str) else raw
                target.value = _array(shape, dtype, bool(fortran), content)
            case _:
                raise RefusedPickleError("sets the state of something that is no array of numbers")
        self.stack.append(target)


def _array(shape: tuple[Any, ...], dtype: np.dtype[Any], fortran: bool, content: bytes) -> NDArray[Any]:
    if len(shape) > MOST_SIDES or not all(type(side) is int and 0 <= side < LONGEST_SIDE for side in shape):
        raise RefusedPickleError("has an array of a shape that no array has")
    claimed = math.prod(shape) * dtype.itemsize
    if claimed != len(content):
        raise RefusedPickleError(f"claims an array of {claimed} bytes, holds {len(content)} of them")
    return np.frombuffer(content, dtype=dtype).reshape(shape, order="F" if fortran else "C")
