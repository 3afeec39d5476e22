"""The files of `torch.save`, zip or older, read without PyTorch's own unpickler.

Even with `weights_only` that one calls a list of functions on whatever arguments a file names:
`bytearray(2**40)`, `torch.Tensor(2**33)`, `_codecs.encode` upon itself. Here tensors are views of bytes
that the file holds, and plain containers are the only other thing.
"""

from __future__ import annotations

import io
import math
import mmap
import zipfile
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from qvm_verify.exits import InputError
from qvm_verify.plain_pickle import CorruptPickleError, Machine, RefusedPickleError
from qvm_verify.zips import BROKEN, member_size, opened, read_member

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of the older format, two pickles of their own
LARGEST_PICKLE = 2**28  # bytes of the containers around the tensors
MOST_VIEWS = 16  # times, on average, that tensors may show the bytes they share
MOST_SIDES, LONGEST = 64, 2**63
TYPES = {
    **{"Float": torch.float32, "Double": torch.float64, "Half": torch.float16, "BFloat16": torch.bfloat16},
    **{"Long": torch.int64, "Int": torch.int32, "Short": torch.int16, "Char": torch.int8},
    **{"Byte": torch.uint8, "Bool": torch.bool},
    **{"ComplexFloat": torch.complex64, "ComplexDouble": torch.complex128},
}


class _Name(Enum):
    DICT = "OrderedDict"
    COUNTER = "Counter"
    TENSOR = "_rebuild_tensor_v2"
    PARAMETER = "_rebuild_parameter"
    SIZE = "Size"
    DEVICE = "device"
    ENCODE = "encode"


class _Type(NamedTuple):
    dtype: torch.dtype


class _Claim(NamedTuple):
    """What a pickle says of a storage."""

    key: str
    dtype: torch.dtype
    numbers: int

    @property
    def size(self) -> int:
        return self.numbers * self.dtype.itemsize


Storages = Callable[[_Claim], Tensor | None]


def load_tensors(path: Path) -> Any:
    """Return what `torch.save` wrote, on the CPU: tensors and plain containers.

    Raises InputError where the file is truncated or of another kind, names anything else, claims more bytes
    than it holds, or holds tensors that repeat them.
    """
    try:
        with path.open("rb") as file:
            zipped = file.read(4) == b"PK\x03\x04"
        return _read_zip(path) if zipped else _read_older(path)
    except RefusedPickleError as refusal:
        raise InputError(f"{path}: the pickle {refusal}, and is refused") from refusal
    except InputError:
        raise
    except (CorruptPickleError, *BROKEN) as error:
        raise InputError(f"{path}: not a readable checkpoint (truncated, or of another kind)") from error


def _read_zip(path: Path) -> Any:
    with opened(path, "checkpoint") as archive:
        roots = [name[: -len("data.pkl")] for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise InputError(f"{path}: not a readable checkpoint: holds {len(roots)} files data.pkl")
        known: dict[str, Tensor] = {}
        there = left = path.stat().st_size
        order = f"{roots[0]}byteorder"
        swapped = order in archive.namelist() and read_member(path, archive, order, 16) == b"big"

        def storage(claim: _Claim) -> Tensor:
            nonlocal left
            name = f"{roots[0]}data/{claim.key}"
            if claim.key not in known:
                left -= member_size(path, archive, name)
                if left < 0:
                    raise RefusedPickleError("holds more bytes than the file")
                known[claim.key] = _unpacked(archive, name)
            return _typed(known[claim.key], claim, swapped)

        raw = read_member(path, archive, f"{roots[0]}data.pkl", LARGEST_PICKLE)
        return _TensorMachine(len(raw), there, storage).run(io.BytesIO(raw))


def _unpacked(archive: zipfile.ZipFile, name: str) -> Tensor:
    """Return a member's bytes, in memory that is aligned as PyTorch's own."""
    content = torch.empty(archive.getinfo(name).file_size, dtype=torch.uint8)
    with archive.open(name) as member:
        left = content.numpy().data
        while block := member.read(min(len(left), 2**20)):
            left[: len(block)] = block
            left = left[len(block) :]
    if len(left):
        raise EOFError(f"{name} ends early")
    return content


def _read_older(path: Path) -> Any:
    """Read five pickles, the fourth of them the content, and then the bytes of each storage."""
    with path.open("rb") as opened_file, mmap.mmap(opened_file.fileno(), 0, access=mmap.ACCESS_READ) as file:
        there = len(file)
        claims: dict[str, _Claim] = {}

        def claim_only(claim: _Claim) -> None:
            claims.setdefault(claim.key, claim)

        def unpickled(storages: Storages) -> Any:
            return _TensorMachine(there, there, storages).run(file)  # type: ignore[arg-type]  # reads as a file does

        head = [unpickled(claim_only) for _ in range(3)]
        if head[:2] != [MAGIC, PROTOCOL] or not isinstance(head[2], dict) or not head[2].get("little_endian"):
            raise CorruptPickleError("another kind")
        start = file.tell()
        unpickled(claim_only)
        keys = unpickled(claim_only)
        if not isinstance(keys, list) or not claims.keys() == set(map(str, keys)):
            raise CorruptPickleError("a list of other storages than it uses")
        known = {key: _stored(file, claims[key]) for key in keys}
        file.seek(start)
        return unpickled(lambda claim: _typed(known[claim.key], claim, False))


def _stored(file: mmap.mmap, claim: _Claim) -> Tensor:
    """Return the bytes of a storage that begins here, in memory that is aligned as PyTorch's own."""
    numbers = int.from_bytes(file.read(8), "little")
    content = memoryview(file.read(claim.size))
    if numbers != claim.numbers or len(content) != claim.size:
        raise RefusedPickleError(f"claims {claim.size} bytes of the storage {claim.key!r}, not there,")
    storage = torch.empty(claim.size, dtype=torch.uint8)
    storage.numpy()[:] = content
    return storage


def _typed(content: Tensor, claim: _Claim, swapped: bool) -> Tensor:
    if len(content) != claim.size:
        raise RefusedPickleError(f"claims {claim.size} bytes of a storage that has {len(content)}")
    if swapped:
        content = content.reshape(-1, claim.dtype.itemsize).flip(1).flatten()
    return content.view(claim.dtype)


class _TensorMachine(Machine):
    names = {  # noqa: RUF012  # the base says that it belongs to the class
        "collections OrderedDict": _Name.DICT,
        "collections Counter": _Name.COUNTER,
        "torch._utils _rebuild_tensor": _Name.TENSOR,
        "torch._utils _rebuild_tensor_v2": _Name.TENSOR,
        "torch._utils _rebuild_parameter": _Name.PARAMETER,
        "torch Size": _Name.SIZE,
        "torch device": _Name.DEVICE,
        "_codecs encode": _Name.ENCODE,  # how protocol 2 spells bytes
        **{f"torch {name}Storage": _Type(dtype) for name, dtype in TYPES.items()},
        **{str(dtype).replace(".", " "): dtype for dtype in TYPES.values()},
    }
    holds = "plain tensor of numbers, and no plain container,"

    def __init__(self, budget: int, there: int, storages: Storages) -> None:
        super().__init__(budget)
        self._storages = storages
        self._views = MOST_VIEWS * there

    def step(self, name: str, argument: Any) -> None:
        if name == "BINPERSID":
            self.stack.append(self._storage(self.pop(1)[0]))
        else:
            super().step(name, argument)

    def call(self) -> None:
        function, arguments = self.pop(2)
        match function, arguments:
            case _Name.DICT, ():
                self.stack.append({})
            case _Name.COUNTER, (dict() as counts,):
                self.stack.append(counts)
            case _Name.SIZE, (tuple() as size,):
                self.stack.append(size)
            case _Name.DEVICE, (str(), *_):
                self.stack.append("cpu")
            case _Name.PARAMETER, (Tensor() | None as tensor, *_):
                self.stack.append(tensor)
            case _Name.TENSOR, (
                Tensor() | None as storage,
                int() as offset,
                tuple() as size,
                tuple() as step,
                *_,
            ):
                self.stack.append(None if storage is None else self._view(storage, offset, size, step))
            case _Name.ENCODE, (str() as text, "latin1" | "latin-1"):
                self.stack.append(self.to_bytes(text))
            case _:
                raise RefusedPickleError("calls something other than a tensor's own parts")

    def build(self) -> None:
        target, state = self.pop(2)
        if not (isinstance(target, dict) and isinstance(state, dict)):
            raise RefusedPickleError("sets the state of something that is no state dict")
        self.stack.append(target)  # what PyTorch notes beside a state dict is not needed

    def _storage(self, claim: Any) -> Tensor | None:
        match claim:
            case ("storage", _Type(dtype=dtype), str() as key, str(), int() as numbers, *view):
                if not 0 <= numbers < LONGEST or view not in ([], [None]):
                    raise RefusedPickleError("has a storage of a size or a view that none has")
                return self._storages(_Claim(key, dtype, numbers))
        raise RefusedPickleError("asks for something that is no storage of numbers")

    def _view(self, storage: Tensor, offset: Any, size: Any, step: Any) -> Tensor:
        if len(size) != len(step) or len(size) > MOST_SIDES:
            raise RefusedPickleError("has a tensor of a shape that none has")
        if not all(type(side) is int and 0 <= side < LONGEST for side in (offset, *size, *step)):
            raise RefusedPickleError("has a tensor of a shape that none has")
        numbers = math.prod(size)
        last = offset + sum((side - 1) * stride for side, stride in zip(size, step, strict=True))
        if numbers and last >= len(storage):
            raise RefusedPickleError(f"has a tensor up to number {last} of a storage of {len(storage)}")
        self._views -= numbers * storage.itemsize
        if self._views < 0 or (not numbers and max((0, *size, *step)) >= 2**31):
            raise RefusedPickleError("has no plain tensor: it repeats what it holds too often")
        return storage.as_strided(size, step, min(offset, len(storage)))
