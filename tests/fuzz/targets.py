"""Every reader of foreign bytes, by name: the checkpoints, the datasets, the reports, the command lines."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from qvm_verify import datasets, networks
from qvm_verify.audit.command import _parser as audit_parser
from qvm_verify.audit.journal import Journal
from qvm_verify.datasets.aedat2 import DVS128, read_dvs128
from qvm_verify.datasets.aedat3 import read_aedat3
from qvm_verify.datasets.dvs128_gesture import read_labels
from qvm_verify.datasets.events import Sensor
from qvm_verify.datasets.nmnist import read_nmnist
from qvm_verify.devices import available_device
from qvm_verify.exits import CommandParser, InputError
from qvm_verify.prove.command import _asked as asked
from qvm_verify.prove.command import _chosen as chosen
from qvm_verify.prove.command import _parser as prove_parser
from qvm_verify.replay.command import _parser as replay_parser
from qvm_verify.replay.command import command as replay
from qvm_verify.report.command import command as render
from qvm_verify.reproduce.command import _parser as reproduce_parser
from qvm_verify.train.options import parser as train_parser
from qvm_verify.training.state import Run, restore_run
from tests.datasets.files import idx
from tests.fuzz.attempts import Target
from tests.fuzz.seeds import GIVEN, JOURNAL, repacked

Read = Callable[[Path, bytes], None]


def _file(name: str, read: Callable[[Path], object]) -> Read:
    def in_folder(folder: Path, data: bytes) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        read(path)

    return in_folder


def _all(dataset: Sequence[object]) -> None:
    """Ask for the first, the middle and the last item."""
    for index in sorted({0, len(dataset) // 2, len(dataset) - 1}) if len(dataset) else ():
        dataset[index]


def _checkpoint(path: Path) -> None:
    """Load a file as a checkpoint of ours, and as a state dict of which the rest is known."""
    refused = []
    for given in ({}, GIVEN):
        try:
            networks.load(path, **given)
        except InputError as refusal:
            refused.append(refusal)
    if len(refused) == 2:
        raise refused[1]


def _training_state(path: Path) -> None:
    network = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3)
    restore_run(path, Run(network, optimizer, schedule, torch.Generator()), {"levels": 4})


def _events(read: Callable[..., object]) -> Callable[[Path], None]:
    """Read once in the order that files should have, and once in any."""

    def both(path: Path) -> None:
        read(path, unsorted="sort")
        read(path)

    return both


def _in_folder(specification: str) -> Callable[[Path], None]:
    return lambda path: _all(datasets.open_dataset(specification))


def _durations(path: Path) -> None:
    (path.parent / "airplane").mkdir()
    for number in range(3):
        (path.parent / "airplane" / f"cifar10_airplane_{number}.aedat").write_bytes(path.read_bytes())
    _all(datasets.open_dataset(f"cifar10dvs:{path.parent}?duration=1&unsorted=sort"))


def _idx(folder: Path, data: bytes) -> None:
    """The first byte says which of the two files is strange, and whether it is packed."""
    names = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    good = (idx(bytes(784), 1, 28, 28), idx([7], 1))
    which, packed = data[0] & 1 if data else 0, bool(data and data[0] & 2)
    (folder / names[1 - which]).write_bytes(good[1 - which])
    content = gzip.compress(data[1:], 1) if packed and data[0] & 4 else data[1:]
    (folder / (names[which] + ".gz" * packed)).write_bytes(content)
    _all(datasets.mnist(folder))


def _journal(path: Path) -> None:
    for _ in Journal(path.parent, JOURNAL, 0).batches():
        pass


def _specification(folder: Path, data: bytes) -> None:
    datasets.open_dataset(os.fsdecode(data.replace(b"\0", b"")))


PARSERS: dict[str, Callable[[], CommandParser]] = {
    "audit": audit_parser,
    "prove": prove_parser,
    "replay": replay_parser,
    "train": train_parser,
    "reproduce": reproduce_parser,
}


def _command_line(folder: Path, data: bytes) -> None:
    """Parse what stands between NULs, the command first, and refuse what can be before any work."""
    name, *arguments = (os.fsdecode(part) for part in data.split(b"\0"))
    if name == "report":
        render(arguments)
    if name not in PARSERS:
        return
    options = vars(PARSERS[name]().parse_args(arguments))
    if name == "prove":
        chosen(options["claims"])
        asked(options["solvers"])
    for option in ("data", "test_data", "calibrate_data"):
        if options.get(option) not in (None, "digits", "digits:train", "digits:test"):
            datasets.open_dataset(options[option])
    if "device" in options:
        available_device(options["device"])
    if name == "replay":
        replay(arguments)


FILES = {
    "checkpoint": _file("a.pt", _checkpoint),
    "checkpoint-pickle": lambda folder, data: _file("a.pt", _checkpoint)(folder, repacked(data)),
    "safetensors": _file("a.safetensors", _checkpoint),
    "training-state": _file("a.state", _training_state),
    "aedat2": _file("a.aedat", _events(read_dvs128)),
    "aedat2-frames": _file("a.dat", _durations),
    "aedat3": _file("a.aedat", _events(lambda path, **how: read_aedat3(path, Sensor(*DVS128), **how))),
    "gesture-labels": _file("a.csv", read_labels),
    "nmnist": _file("a.bin", _events(read_nmnist)),
    "idx": _idx,
    "cifar-binary": _file("test.bin", _in_folder("cifar100:.")),
    "cifar-pickle": _file("test_batch", _in_folder("cifar10:.")),
    "image": _file("class/a.jpg", _in_folder("imagenet:.?size=8")),
    "image-zip": _file("a.zip", _in_folder("imagezip:a.zip?size=8")),
    "npz": _file("a.npz", _in_folder("npz:a.npz")),
    "journal": _file(f"{Journal(Path(), JOURNAL, 0)._name}-0.ndjson", _journal),
    "report-replay": _file("report.json", lambda path: replay([str(path)])),
    "report-render": _file("report.json", lambda path: render([str(path)])),
}
TARGETS = {name: Target(name, read) for name, read in FILES.items()} | {
    "data-option": Target("data-option", _specification),
    "command-line": Target("command-line", _command_line, (InputError, OSError)),
}
