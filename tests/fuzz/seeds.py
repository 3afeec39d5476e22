"""Small valid files of every format, from which the strange ones are made."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from PIL import Image

from qvm_verify import networks
from qvm_verify.audit.journal import Journal
from qvm_verify.audit.side_by_side import SideBySide
from qvm_verify.audit.tally import Tally
from qvm_verify.snn import convert
from tests.datasets.files import aedat2, aedat3, cifar_record, dvs128_address, idx, nmnist, packet, polarity
from tests.replay.corpus import written
from tests.report.contents import lossless
from tests.small_networks import TinyNetwork, dyadic_images

GIVEN = {"levels": 4, "quantizer": "floor"}
JOURNAL = {"model": "a.pt"}


def saved(content: object, **options: object) -> bytes:
    """Return what `torch.save` writes."""
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


@cache
def header_and_weights() -> tuple[dict[str, object], dict[str, torch.Tensor]]:
    """Return what a checkpoint of the digits network holds."""
    torch.manual_seed(0)
    network = networks.digits_cnn(levels=4, quantizer="floor")
    header = {"format": "qvm-verify/checkpoint/1", "name": "digits_cnn", "classes": 10, **GIVEN}
    return header, network.state_dict()


def _checkpoints() -> list[bytes]:
    state = {"conv.weight": torch.ones(2, 1, 3, 3), "fc.weight": torch.ones(2, 2), "fc.bias": torch.ones(2)}
    older = {"_use_new_zipfile_serialization": False}
    nested = {"epoch": 3, "state_dict": torch.nn.Linear(2, 1).state_dict()}
    small = [saved(state), saved(state, **older), saved(nested), saved(nested, **older)]
    return [*small, _whole(), saved(header_and_weights()[1], **older)]


@cache
def _whole() -> bytes:
    header, weights = header_and_weights()
    return saved({"header": header, "weights": weights})


def _pickles() -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(_whole())) as archive:
        return [archive.read("archive/data.pkl")]


def repacked(data_pkl: bytes) -> bytes:
    """Return the checkpoint of a small network with another pickle around its weights."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_whole())) as archive, zipfile.ZipFile(file, "w") as changed:
        for name in archive.namelist():
            changed.writestr(name, data_pkl if name.endswith("/data.pkl") else archive.read(name))
    return file.getvalue()


def _safetensors() -> list[bytes]:
    header, weights = header_and_weights()
    small = {"conv.weight": torch.ones(2, 1, 3, 3), "fc.weight": torch.ones(2, 2)}
    metadata = {key: str(value) for key, value in header.items()}
    return [safetensors.torch.save(small, metadata), safetensors.torch.save(weights, metadata)]


def _states() -> list[bytes]:
    network = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3)
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    schedule.step()
    parts = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
    parts |= {"schedule": schedule.state_dict(), "order": torch.Generator().get_state()}
    return [saved({"format": "qvm-verify/training/1", "recipe": {"levels": 4}, "epoch": 1, **parts})]


def _aedat2() -> list[bytes]:
    return [aedat2((dvs128_address(1, 2, 1), 10), (dvs128_address(127, 127, 0), 30), (1 << 15, 40))]


def _aedat3() -> list[bytes]:
    events = packet(polarity(1, 2, 1, 10), polarity(127, 127, 0, 30), polarity(5, 5, 0, 31, valid=0))
    special = packet(b"\0" * 8, kind=0, valid=0)
    return [aedat3(events, special, packet(polarity(3, 3, 1, 5), overflows=1))]


def _idx() -> list[bytes]:
    images, labels = idx(bytes(784), 1, 28, 28), idx([3], 1)
    packed = gzip.compress(images, 9, mtime=0)
    return [b"\0" + images, b"\1" + labels, b"\2" + packed, b"\6" + images, b"\7" + labels]


def _pictures() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    kinds = {"JPEG": {}, "PNG": {}, "BMP": {}, "GIF": {}, "WEBP": {}, "PPM": {}}
    files = []
    for kind in kinds:
        Image.fromarray(pixels).save(file := io.BytesIO(), kind)
        files.append(file.getvalue())
    Image.fromarray(pixels).convert("L").save(file := io.BytesIO(), "JPEG", progressive=True)
    return [*files, file.getvalue()]


def _zips() -> list[bytes]:
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(file := io.BytesIO(), "w", method) as archive:
            archive.writestr("a/test/cat/1.png", _pictures()[1])
            archive.writestr("a/test/dog/1.jpg", _pictures()[0])
        made.append(file.getvalue())
    return made


def _npz() -> list[bytes]:
    content = {"x": np.zeros((2, 1, 2, 2), dtype=np.float32), "y": np.arange(2)}
    np.savez(bare := io.BytesIO(), **content)
    np.savez_compressed(packed := io.BytesIO(), x=content["x"].astype(">f8"))
    return [bare.getvalue(), packed.getvalue()]


def _journals() -> list[bytes]:
    ann, images = TinyNetwork("round"), dyadic_images(4)
    audit = SideBySide(ann, convert(ann, v_init=0.0), images, seed=3, certify="off")
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        with Journal(Path(folder), JOURNAL, 0) as journal:
            journal.append(0, audit.look(0, 0, images, None, Tally()))
            journal.append(1, Tally())
        return [next(Path(folder).iterdir()).read_bytes()]


@cache
def _reports() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as folder:
        found = [
            written(name, Path(folder) / name).read_bytes() for name in ("float32", "half-even", "module")
        ]
    return (*found, json.dumps(lossless()).encode())


def _command_lines() -> list[bytes]:
    lines = [
        "audit model.pt --data npz:a.npz --levels 4 --quantizer round --time-steps 8 --v-init 0.5 --seed 1",
        "audit m.pt --calibrate percentile --percentile 99 --threshold-scale 1.5 --dtype float16",
        "prove theorem-1 --solvers z3,cvc5 --time-limit 10",
        "replay report.json#C1 --model a.pt --trace --emit-test test_it.py",
        "train a.pt --data cifar10:. --epochs 3 --augment crop,flip --learning-rate 0.1 --calibrate mse",
        "reproduce table1 --time-steps 8 --limit 10 --seed 2",
        "report report.json --output here",
        "audit --help",
    ]
    return [b"\0".join(word.encode() for word in line.split()) for line in lines]


SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "checkpoint": _checkpoints,
    "checkpoint-pickle": _pickles,
    "safetensors": _safetensors,
    "training-state": _states,
    "aedat2": _aedat2,
    "aedat2-frames": _aedat2,
    "aedat3": _aedat3,
    "gesture-labels": lambda: [b"class,startTime_usec,endTime_usec\n1,10,20\n11,30,4000000\n"],
    "nmnist": lambda: [nmnist((1, 2, 1, 10), (0, 240, 0, 0), (33, 33, 0, 2000))],
    "idx": _idx,
    "cifar-binary": lambda: [cifar_record(1, 5) + cifar_record(2, 6, seed=1)],
    "cifar-pickle": lambda: [
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [3, 9]}, protocol=p) for p in (2, 4)
    ],
    "image": _pictures,
    "image-zip": _zips,
    "npz": _npz,
    "journal": _journals,
    "report-replay": lambda: list(_reports()),
    "report-render": lambda: list(_reports()),
    "data-option": lambda: [b"cifar10:.?split=train&normalize=imagenet", b"npz:a.npz", b"digits:test"],
    "command-line": _command_lines,
}


@cache
def seeds_of(name: str) -> tuple[bytes, ...]:
    """Return valid inputs of a target."""
    return tuple(SEEDS[name]())
