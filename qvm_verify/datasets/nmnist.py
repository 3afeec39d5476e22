"""N-MNIST: MNIST digits before a moving event camera, in the official layout and in that of slayerPytorch.

Both hold a recording as events of 40 bits: x in 8, y in 8, polarity in 1 (1: brighter), time in
microseconds in 23, most significant bit first. y = 240 is no pixel but an overflow of the time: 2^13 us are
added from there on, as the dataset's own reader does.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from qvm_verify.datasets.events import Events, Sensor, checked
from qvm_verify.datasets.files import folder_at, is_whole_number, listed, read_whole
from qvm_verify.datasets.frames import EventFrames, Recording
from qvm_verify.exits import InputError

SENSOR = Sensor(34, 34)
CLASSES = 10
EVENT = 5
OVERFLOW, OVERFLOW_TIME = 240, 2**13
SPLITS = {"train": "Train", "test": "Test"}


def nmnist(
    path: str | Path,
    *,
    split: str = "test",
    frames: int | None = None,
    duration: int | None = None,
    size: int | None = None,
    unsorted: str = "refuse",
) -> EventFrames:
    """Return frames [2, 34, 34], or [2, size, size], of the recordings of one split.

    `path` holds either Train/0..9/*.bin and Test/0..9/*.bin, or *.bs2 files with one list of samples and
    classes for each split, train*.txt and test*.txt. Such a list may name recordings that are not there: a
    sample of the dataset is spread with the whole list, so they are left out, and `missing` counts them.
    `EventFrames` says what frames and duration do. Raises InputError, with file and line, for anything else.
    """
    folder = folder_at(path)
    missing = 0
    if any((folder / name).is_dir() for name in SPLITS.values()):
        recordings = _official(folder / SPLITS[split])
    else:
        recordings, missing = _listed(folder, split)
    return EventFrames(
        recordings,
        partial(read_nmnist, unsorted=unsorted),
        sensor=SENSOR,
        classes=CLASSES,
        frames=frames,
        duration=duration,
        size=size,
        missing=missing,
    )


def read_nmnist(path: Path, *, unsorted: str = "refuse") -> Events:
    """Return the events of a recording. Raises InputError, with the byte, where it is truncated or wrong."""
    data = np.frombuffer(read_whole(path), dtype=np.uint8)
    events, rest = divmod(len(data), EVENT)
    if rest:
        raise InputError(
            f"{path}: event {events} at byte {EVENT * events} ends after {rest} of {EVENT} bytes"
        )
    x, y, high, middle, low = data.reshape(-1, EVENT).astype(np.int64).T
    overflow = y == OVERFLOW
    t = ((high & 127) << 16 | middle << 8 | low) + OVERFLOW_TIME * np.cumsum(overflow)
    pixels = np.flatnonzero(~overflow)
    found = Events(t=t[pixels], x=x[pixels], y=y[pixels], p=high[pixels] >> 7)
    return checked(path, found, SENSOR, unsorted, lambda event: EVENT * int(pixels[event]))


def _official(folder: Path) -> list[Recording]:
    recordings = []
    for inner in listed(folder_at(folder)):
        if not inner.is_dir():
            continue
        if inner.name not in {str(label) for label in range(CLASSES)}:
            raise InputError(f"{inner}: the class must be one of 0..{CLASSES - 1}")
        files = [file for file in listed(inner) if file.suffix == ".bin"]
        recordings += [Recording(path=file, label=int(inner.name)) for file in files]
    if not recordings:
        raise InputError(f"{folder}: holds no recording 0..{CLASSES - 1}/*.bin")
    return recordings


def _listed(folder: Path, split: str) -> tuple[list[Recording], int]:
    """Return the recordings of a list, and how many of its others are not there."""
    lists = [path for path in listed(folder) if path.name.startswith(split) and path.suffix == ".txt"]
    if len(lists) != 1:
        found = ", ".join(path.name for path in lists) or "none"
        raise InputError(
            f"{folder}: must hold a folder {SPLITS[split]}, or one list {split}*.txt of recordings "
            f"(found: {found})"
        )
    samples = _read_list(lists[0])
    recordings = [
        Recording(path=path, label=label)
        for sample, label in samples
        if (path := folder / f"{sample}.bs2").is_file()
    ]
    if not recordings:
        raise InputError(
            f"{folder}: holds none of the {len(samples)} recordings *.bs2 that {lists[0].name} lists"
        )
    return recordings, len(samples) - len(recordings)


def _read_list(path: Path) -> list[tuple[int, int]]:
    """Return (sample, label) of each line that is no comment."""
    samples = []
    for number, line in enumerate(read_whole(path).decode("utf-8", errors="replace").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) != 2 or not all(map(is_whole_number, fields)):
            raise InputError(f"{path}: line {number} is {line!r:.60}, and must be a sample and its class")
        sample, label = map(int, fields)
        if label >= CLASSES:
            raise InputError(f"{path}: line {number}: class {label}, and must be 0..{CLASSES - 1}")
        samples.append((sample, label))
    return samples
