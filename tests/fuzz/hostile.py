"""Pickles that run code where a pickle is loaded, in every file of ours that holds a pickle or could.

Each gadget, loaded by Python's own unpickler, makes a file; a test sees to that. Loaded by a reader of ours
it must be refused, and the file must not be there.
"""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.fuzz.attempts import attempt
from tests.fuzz.seeds import repacked, seeds_of
from tests.fuzz.targets import TARGETS


class _Calls:
    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, self.arguments


def gadgets(canary: Path) -> dict[str, bytes]:
    """Return pickles that would make the file `canary`, by what they do it with."""
    touch, code = f"touch {canary}", f"open({str(canary)!r}, 'w').close()"
    calls = {
        "os.system": _Calls(os.system, touch),
        "subprocess": _Calls(subprocess.check_call, ["touch", str(canary)]),
        "eval": _Calls(eval, code),
        "exec": _Calls(exec, code),
        "open": _Calls(open, str(canary), "w"),
        "in a list": [1, {"more": _Calls(os.system, touch)}],
    }
    made = {
        f"{name}, protocol {protocol}": pickle.dumps(content, protocol)
        for name, content in calls.items()
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    }
    module, text = "cimportlib\nimport_module\n(S'os'\ntR", f"S{touch!r}\n"
    system = f"cos\nsystem\n({text}tR"
    opcodes = {
        "getattr of a module": f"cbuiltins\ngetattr\n({module}S'system'\ntR({text}tR.",
        "getattr as Python 2 has it": f"c__builtin__\ngetattr\n({module}S'system'\ntR({text}tR.",
        "methodcaller": f"coperator\nmethodcaller\n(S'system'\n{text}tR({module}tR.",
        "partial": f"cfunctools\npartial\n(cos\nsystem\n{text}tR(tR.",
        "INST": f"({text}ios\nsystem\n.",
        "OBJ": f"(cos\nsystem\n{text}o.",
        "posix": f"cposix\nsystem\n({text}tR.",
        "runstring of NumPy": f"cnumpy.testing\nrunstring\n(S{code!r}\n(dtR.",
        "a type of PyTorch": f"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nN({text}tNtR.",
        "a state": f"ccopyreg\n__newobj__\n(cargparse\nNamespace\ntR(dS'x'\n{system}sb.",
        "a key": f"(d{system}Ns.",
        "before the end": f"{system}0N.",
    }
    short = touch.encode()
    made["STACK_GLOBAL"] = (
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c" + bytes([len(short)]) + short + b"\x85R."
    )
    return made | {name: content.encode() for name, content in opcodes.items()}


def older(raw: bytes) -> bytes:
    head = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True})
    return b"".join(pickle.dumps(part, 2) for part in head) + raw + pickle.dumps([], 2)


def zipped(members: list[tuple[str, bytes]]) -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def _two(raw: bytes) -> bytes:
    """A checkpoint that is good, with a second pickle in another folder."""
    with zipfile.ZipFile(io.BytesIO(repacked(seeds_of("checkpoint-pickle")[0]))) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    return zipped([("evil/data.pkl", raw), *members])


def _tar(raw: bytes) -> bytes:
    with tarfile.open(fileobj=(file := io.BytesIO()), mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return file.getvalue()


def _npy(raw: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1, 1), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + raw


CONTAINERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "checkpoint, zip": ("checkpoint", repacked),
    "checkpoint, older": ("checkpoint", older),
    "checkpoint, bare": ("checkpoint", bytes),
    "checkpoint, two pickles": ("checkpoint", _two),
    "checkpoint, tar": ("checkpoint", _tar),
    "training state": ("training-state", repacked),
    "CIFAR batch": ("cifar-pickle", bytes),
    "npz of objects": ("npz", lambda raw: zipped([("x.npy", _npy(raw))])),
    "npz of a bare pickle": ("npz", lambda raw: zipped([("x.npy", raw)])),
    "npz, a pickle for an npz": ("npz", bytes),
}


class Hostile(NamedTuple):
    """One hostile file, and the target that is to refuse it."""

    name: str
    target: str
    data: bytes


def hostile_files(canary: Path) -> Iterator[Hostile]:
    """Yield every gadget in every container."""
    for gadget, raw in gadgets(canary).items():
        for container, (target, packed) in CONTAINERS.items():
            yield Hostile(f"{gadget} in {container}", target, packed(raw))


def was_harmless(file: Hostile, canary: Path) -> bool:
    """Tell whether a file was refused in one sentence and its code did not run."""
    refused = not attempt(TARGETS[file.target], file.data)
    return refused and not canary.exists()
