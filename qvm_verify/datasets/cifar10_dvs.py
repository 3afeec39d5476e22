"""CIFAR10-DVS: 10,000 recordings of CIFAR-10 images by a DVS128, AEDAT 2.0 files in class folders."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from qvm_verify.datasets.aedat2 import DVS128, read_dvs128
from qvm_verify.datasets.files import folder_at, listed
from qvm_verify.datasets.frames import EventFrames, Recording
from qvm_verify.exits import InputError

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SPLITS = ("test", "train", "all")
ORIENTATIONS = ("jaer", "spikingjelly")
HELD_OUT = 100  # of each class; there is no official split, and this is the one of TEBN and SpikingJelly


def cifar10dvs(
    path: str | Path,
    *,
    split: str = "test",
    frames: int | None = None,
    duration: int | None = None,
    size: int | None = None,
    orientation: str = "jaer",
    unsorted: str = "refuse",
) -> EventFrames:
    """Return frames [2, 128, 128], or [2, size, size], of `path`/CLASS/cifar10_CLASS_NUMBER.aedat.

    The split "test" is the numbers 0..99 of each class, "train" the rest, "all" both. `EventFrames` says what
    frames and duration do. Raises InputError for a folder that is no class, and for a file without a number.
    """
    folder = folder_at(path)
    recordings = []
    for inner in [entry for entry in listed(folder) if entry.is_dir()]:
        if inner.name not in NAMES:
            raise InputError(f"{inner}: the class must be one of {', '.join(NAMES)}")
        for file in [entry for entry in listed(inner) if entry.suffix == ".aedat"]:
            if split == "all" or (_number(file) < HELD_OUT) == (split == "test"):
                recordings.append(Recording(path=file, label=NAMES.index(inner.name)))
    if not recordings:
        raise InputError(f"{folder}: holds no recording CLASS/*.aedat of the split {split!r}")
    return EventFrames(
        recordings,
        partial(read_dvs128, orientation=orientation, unsorted=unsorted),
        sensor=DVS128,
        classes=len(NAMES),
        frames=frames,
        duration=duration,
        size=size,
    )


def _number(path: Path) -> int:
    match = re.search(r"_(\d{1,9})\.aedat$", path.name)
    if match is None:
        raise InputError(f"{path}: the name must end with _NUMBER.aedat, by which the splits are made")
    return int(match[1])
