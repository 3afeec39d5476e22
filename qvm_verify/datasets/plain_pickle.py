"""A reader of pickles that can build nothing but arrays and plain containers.

Python's own unpickler runs whatever a file names, and believes whatever length it claims. This one is a small
stack machine over the opcodes that `pickletools` lists: numbers, text, bytes, lists, tuples and dicts, plus
the few names by which NumPy stores an array. Those are not imported or called but acted out here, so that
nothing is allocated before the bytes for it have been seen in the file.
"""

from __future__ import annotations

import io
import math
import pickletools
import warnings
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qvm_verify.datasets.files import read_whole
from qvm_verify.exits import InputError

MOST_OPCODES = 2_000_000  # CIFAR-100, the largest official pickle, takes about 200,000
MOST_SIDES, LONGEST_SIDE = 32, 2**63  # of an array's shape
MOST_PLACES = 2**32  # of the memo; beyond, numbers could be chosen that a dict is slow with


class _Name(Enum):
    RECONSTRUCT = "_reconstruct"
    NDARRAY = "ndarray"
    DTYPE = "dtype"
    ENCODE = "encode"
    BYTES = "bytes"


NAMES = {
    "numpy.core.multiarray _reconstruct": _Name.RECONSTRUCT,
    "numpy._core.multiarray _reconstruct": _Name.RECONSTRUCT,
    "numpy ndarray": _Name.NDARRAY,
    "numpy dtype": _Name.DTYPE,
    "_codecs encode": _Name.ENCODE,  # how protocol 2 spells bytes
    "__builtin__ bytes": _Name.BYTES,  # and how it spells none of them
}
DTYPES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")
LITERALS = {
    *("INT", "LONG", "LONG1", "LONG4", "BININT", "BININT1", "BININT2", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}


class _RefusedError(Exception):
    """What the pickle asks for is not done; the message says what it was."""


class _Mark:
    pass


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
    machine = _Machine(budget=len(data))
    position = opcodes = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strange escapes in a corrupt name
            for opcode, argument, at in pickletools.genops(io.BytesIO(data)):
                position, opcodes = at or 0, opcodes + 1
                if opcodes > MOST_OPCODES:
                    raise _RefusedError(f"has more than {MOST_OPCODES} opcodes")
                machine.step(opcode.name, argument)
    except _RefusedError as refusal:
        raise InputError(f"{path}: the pickle {refusal} at byte {position}, and is refused") from refusal
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        raise InputError(f"{path}: the pickle is truncated or corrupt after byte {position}") from error
    result = machine.stack[-1] if machine.stack else None
    if not isinstance(result, dict):
        raise InputError(
            f"{path}: the pickle holds a {type(result).__name__.strip('_')}, and must hold a dict"
        )
    return {_text(key): value.value if isinstance(value, _Array) else value for key, value in result.items()}


def _text(key: Any) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


class _Machine:
    """The stack and the memo of a pickle."""

    def __init__(self, budget: int) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.budget = budget  # bytes that may still be copied: the file's length pays for each byte once

    def step(self, name: str, argument: Any) -> None:
        """Do one opcode. Raises _RefusedError, or any error of Python's where the stack is corrupt."""
        if name in LITERALS:
            self.stack.append(argument)
        elif name in CONSTANTS:
            self.stack.append(CONSTANTS[name]())
        elif name in STEPS:
            STEPS[name](self, argument)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise _RefusedError(f"uses the opcode {name}, which no array or plain container needs,")

    def remember(self, key: int | None) -> None:
        place = len(self.memo) if key is None else key
        if not 0 <= place < MOST_PLACES:
            raise _RefusedError("remembers something at a place beyond 2^32")
        self.memo[place] = self.stack[-1]

    def recall(self, key: int) -> None:
        self.stack.append(self.memo[key])

    def to_mark(self) -> list[Any]:
        """Remove and return what lies above the last mark, and the mark."""
        for depth in range(len(self.stack) - 1, -1, -1):
            if isinstance(self.stack[depth], _Mark):
                items = self.stack[depth + 1 :]
                del self.stack[depth:]
                return items
        raise LookupError("no mark on the stack")

    def pop(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise LookupError("the stack is empty")
        items = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return items

    def extend(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise TypeError("items for what is no list")
        self.stack[-1].extend(items)

    def fill(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise TypeError("items for what is no dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | bytes):  # their hashes nobody can choose
                raise _RefusedError("has a key that is no text")
            target[key] = value

    def dictionary(self) -> None:
        items = self.to_mark()
        self.stack.append({})
        self.fill(items)

    def name(self, module_and_name: str) -> None:
        if module_and_name not in NAMES:
            name = module_and_name[:80].replace(" ", ".")
            raise _RefusedError(f"names {name!r}, which is no array or plain container,")
        self.stack.append(NAMES[module_and_name])

    def call(self) -> None:
        function, arguments = self.pop(2)
        match function, arguments:
            case _Name.RECONSTRUCT, (_Name.NDARRAY, (0,), "b" | b"b"):
                self.stack.append(_Array())
            case _Name.DTYPE, (str() | bytes() as code, *_) if _text(code) in DTYPES:
                self.stack.append(_DType(_text(code)))
            case _Name.ENCODE, (str() as text, "latin1" | "latin-1"):
                self.stack.append(self.to_bytes(text))
            case _Name.BYTES, ():
                self.stack.append(b"")
            case _:
                raise _RefusedError("calls something other than an array's own parts")

    def build(self) -> None:
        target, state = self.pop(2)
        match target, state:
            case _DType(), (_, "<" | ">" | "|" | "=" | b"<" | b">" | b"|" | b"=" as order, *_):
                target.value = target.value.newbyteorder(_text(order))  # type: ignore[arg-type]
            case _Array(), (1, tuple() as shape, _DType(value=dtype), fortran, str() | bytes() as raw):
                content = self.to_bytes(raw) if isinstance(raw, str) else raw
                target.value = _array(shape, dtype, bool(fortran), content)
            case _:
                raise _RefusedError("sets the state of something that is no array of numbers")
        self.stack.append(target)

    def to_bytes(self, text: str) -> bytes:
        self.budget -= len(text)
        if self.budget < 0:
            raise _RefusedError("copies more bytes than it has")
        return text.encode("latin-1")


def _array(shape: tuple[Any, ...], dtype: np.dtype[Any], fortran: bool, content: bytes) -> NDArray[Any]:
    if len(shape) > MOST_SIDES or not all(type(side) is int and 0 <= side < LONGEST_SIDE for side in shape):
        raise _RefusedError("has an array of a shape that no array has")
    claimed = math.prod(shape) * dtype.itemsize
    if claimed != len(content):
        raise _RefusedError(f"claims an array of {claimed} bytes, holds {len(content)} of them")
    return np.frombuffer(content, dtype=dtype).reshape(shape, order="F" if fortran else "C")


CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "MARK": _Mark,
}
STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "PUT": _Machine.remember,
    "BINPUT": _Machine.remember,
    "LONG_BINPUT": _Machine.remember,
    "MEMOIZE": _Machine.remember,
    "GET": _Machine.recall,
    "BINGET": _Machine.recall,
    "LONG_BINGET": _Machine.recall,
    "LIST": lambda machine, _: machine.stack.append(machine.to_mark()),
    "DICT": lambda machine, _: machine.dictionary(),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.to_mark())),
    "TUPLE1": lambda machine, _: machine.stack.append(tuple(machine.pop(1))),
    "TUPLE2": lambda machine, _: machine.stack.append(tuple(machine.pop(2))),
    "TUPLE3": lambda machine, _: machine.stack.append(tuple(machine.pop(3))),
    "APPEND": lambda machine, _: machine.extend(machine.pop(1)),
    "APPENDS": lambda machine, _: machine.extend(machine.to_mark()),
    "SETITEM": lambda machine, _: machine.fill(machine.pop(2)),
    "SETITEMS": lambda machine, _: machine.fill(machine.to_mark()),
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": lambda machine, _: machine.name(" ".join(map(_text, machine.pop(2)))),
    "REDUCE": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.build(),
}
