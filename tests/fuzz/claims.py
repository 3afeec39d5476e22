"""Files of up to a few kilobytes that claim 2^29 to 2^40 elements, for every format that can claim any.

    python -m tests.fuzz.claims

reads them all in little memory, and prints as JSON what each one took; it is a process of its own, so that
its limit is nobody else's.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import resource
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import safetensors.torch

from qvm_verify.counterexamples import run_case
from qvm_verify.report.reading import counterexample_of
from tests.datasets.files import aedat3, idx, packet
from tests.fuzz.attempts import attempt
from tests.fuzz.hostile import older, zipped
from tests.fuzz.seeds import header_and_weights, repacked, saved, seeds_of
from tests.fuzz.targets import TARGETS

SIZES = (2**29, 2**33, 2**40)  # what a large machine would give, what it might, and what none has
SMALL = 2**14  # bytes of a file
LITTLE = 2**23  # bytes that a refusal may take
SHORT = 2**28  # bytes of address space there are, beyond what the process has when it begins


def _number(value: int) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def _call(name: str, *arguments: bytes) -> bytes:
    module, _, function = name.rpartition(".")
    return b"\x80\x02c" + f"{module}\n{function}\n".encode() + b"(" + b"".join(arguments) + b"tR."


def _tensor(size: int, storage: int, stride: int = 1) -> bytes:
    """A state dict of one tensor of `size` numbers, over a storage that claims `storage`."""
    claim = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    claim += _number(storage) + b"tQ"
    shape = b"K\x00" + _number(size) + b"\x85" + _number(stride) + b"\x85"
    view = b"ctorch._utils\n_rebuild_tensor_v2\n(" + claim + shape + b"\x89ccollections\nOrderedDict\n)RtR"
    return b"\x80\x02}X\x01\x00\x00\x00a" + view + b"s."


def _torch(size: int) -> Iterator[tuple[str, bytes]]:
    yield "a bytearray", _call("builtins.bytearray", _number(size))
    yield "an empty tensor", _call("torch.Tensor", _number(size))
    yield "an untyped storage", _call("torch.storage.UntypedStorage", _number(size))
    yield "a storage that is not there", _tensor(4, size)
    yield "a view that repeats", _tensor(size, 1, stride=0)
    yield "a view beyond its storage", _tensor(size, 144)
    yield (
        "a quantized tensor",
        _call("torch._utils._rebuild_qtensor", b"N", b"K\x00", _number(size) + b"\x85"),
    )
    doubled = b"X\x08\x00\x00\x00aaaaaaaa"
    for _ in range(size.bit_length()):
        doubled = b"c_codecs\nencode\n" + doubled + b"X\x03\x00\x00\x00hex\x86R"
    yield "text encoded upon itself", b"\x80\x02" + doubled + b"."
    yield "text", b"\x80\x02X" + struct.pack("<I", min(size, 2**32 - 1)) + b"abc."
    yield "bytes", b"\x80\x04\x8e" + struct.pack("<Q", size) + b"abc."


def _npy(shape: str, descr: str = "<f4", body: bytes = b"abcd") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def _lying_zip(name: str, content: bytes, size: int) -> bytes:
    """A zip whose member says that it unpacks to `size` bytes."""
    with zipfile.ZipFile(file := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    raw = file.getvalue()
    lie = struct.pack("<I", min(size, 2**32 - 2))
    at = raw.rindex(b"PK\x01\x02")
    return raw[:22] + lie + raw[26 : at + 24] + lie + raw[at + 28 :]


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def _safetensors(size: int) -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": [size], "data_offsets": [0, 4 * size]}}).encode()
    return struct.pack("<Q", len(header)) + header + b"abcd"


def _others(size: int) -> Iterator[tuple[str, str, bytes]]:
    side = int(size**0.5)
    header, weights = header_and_weights()
    for name in ("levels", "classes"):
        claimed = header | {name: size}
        yield "checkpoint", f"a header's {name}", saved({"header": claimed, "weights": weights})
        metadata = {key: str(value) for key, value in claimed.items()}
        yield "safetensors", f"a header's {name}", safetensors.torch.save(weights, metadata)
    yield "safetensors", "a tensor", _safetensors(size)
    yield "safetensors", "a header", struct.pack("<Q", size) + b"{}"
    yield "npz", "an array", zipped([("x.npy", _npy(f"({size}, 1)"))])
    yield "npz", "images without a pixel", zipped([("x.npy", _npy(f"({size}, 0)", body=b""))])
    yield "npz", "labels", zipped([("x.npy", _npy("(1, 1)")), ("y.npy", _npy(f"({size},)", "<i8"))])
    yield "npz", "a long text", zipped([("x.npy", _npy("(1, 1)", f"<U{min(size, 2**29)}"))])
    yield "npz", "a member", _lying_zip("x.npy", _npy("(1, 1)"), size)
    yield "image-zip", "a member", _lying_zip("a/test/c/1.png", b"abc", size)
    yield "image", "a PNG", _png(side, side)
    yield "image", "a PNG of one line", _png(min(size, 2**31 - 1), 1)
    yield "image-zip", "a PNG", zipped([("a/test/c/1.png", _png(side, side))])
    head = idx(b"", min(size, 2**32 - 1), 28, 28)
    yield "idx", "images", b"\0" + head + b"abc"
    yield "idx", "labels", b"\1" + idx(b"abc", min(size, 2**32 - 1))
    yield "idx", "images in a gzip", b"\2" + gzip.compress(head + bytes(2**20), 9, mtime=0)
    most = min(size, 2**31 - 1)
    yield "aedat3", "events", aedat3(packet(number=most, capacity=most, valid=0))
    yield "aedat3", "an event", aedat3(packet(number=1, capacity=1, size=most, kind=5, valid=0))


def _reports(size: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield reports with one of their numbers made huge: of each name the first."""
    seed = seeds_of("report-replay")[0]
    ways = {
        next(filter(lambda key: isinstance(key, str), reversed(way))): way
        for way in _integers(json.loads(seed))
    }
    for *way, last in ways.values():
        report = place = json.loads(seed)
        for key in way:
            place = place[key]
        place[last] = size
        data = json.dumps(report).encode()
        what = ".".join(map(str, (*way, last)))
        yield "report-render", what, data
        if way[:1] == ["counterexamples"]:
            yield "report-replay", what, data
    yield "report-replay", "levels, and all that follows from it", _consistent(size)


def _integers(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the ways to the integers within a value, of each list the first only."""
    if type(value) is int:
        yield way
    items = (
        value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    )
    for key, item in items:
        yield from _integers(item, (*way, key))


def _consistent(levels: int) -> bytes:
    """Return a report whose counterexample holds on the reference, with that many levels."""
    report = json.loads(seeds_of("report-replay")[0])
    case = report["counterexamples"][0]
    case["levels"] = levels
    level, spike_count = run_case(counterexample_of(case))
    case |= {"level": level, "reference_level": level, "reference_spike_count": spike_count}
    report["counterexamples"] = [case]
    return json.dumps(report).encode()


def claims() -> Iterator[tuple[str, str, bytes]]:
    """Yield (name, target, file)."""
    containers: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
        "checkpoint, zip": ("checkpoint", repacked),
        "checkpoint, older": ("checkpoint", older),
        "checkpoint, bare": ("checkpoint", bytes),
        "training state": ("training-state", repacked),
        "CIFAR batch": ("cifar-pickle", bytes),
    }
    for size in SIZES:
        for what, raw in _torch(size):
            for container, (target, packed) in containers.items():
                yield f"{container}: {what} of 2^{size.bit_length() - 1}", target, packed(raw)
        for target, what, data in chain(_others(size), _reports(size) if size == SIZES[0] else ()):
            yield f"{target}: {what} of 2^{size.bit_length() - 1}", target, data


def took() -> dict[str, str]:
    """Return what came of each claim, in a process of its own: "" where nothing was allocated."""
    command = [sys.executable, "-m", "tests.fuzz.claims"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    content: dict[str, str] = json.loads(done.stdout)
    return content


def _one(target: str, data: bytes) -> str:
    drawn = target.startswith("report")  # many small things, slow to trace; for them the limit has to do
    peak = 0
    if not drawn:
        tracemalloc.start()
    try:
        taken = attempt(TARGETS[target], data)
        peak = 0 if drawn else tracemalloc.get_traced_memory()[1]
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        tracemalloc.stop()
    if taken and not drawn:
        return "was read"
    return f"took {peak} bytes" if peak > LITTLE + 20 * len(data) else ""


def _main() -> None:
    cases = list(claims())
    for name in {target for _, target, _ in cases}:
        attempt(TARGETS[name], seeds_of(name)[0])  # imports what is imported late
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + SHORT
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    json.dump({name: _one(target, data) for name, target, data in cases}, sys.stdout)


if __name__ == "__main__":
    _main()
