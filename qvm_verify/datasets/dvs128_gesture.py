"""DVS128 Gesture: eleven gestures before a DVS128, as AEDAT 3.1 files and lists of when each was made."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qvm_verify.datasets.aedat3 import read_aedat3
from qvm_verify.datasets.events import Sensor
from qvm_verify.datasets.files import folder_at, is_whole_number, read_whole
from qvm_verify.datasets.frames import EventFrames, Recording
from qvm_verify.exits import InputError

SENSOR = Sensor(128, 128)
CLASSES = 11
COLUMNS = "class,startTime_usec,endTime_usec"


def dvs128gesture(
    path: str | Path,
    *,
    split: str = "test",
    frames: int | None = None,
    duration: int | None = None,
    size: int | None = None,
    unsorted: str = "refuse",
) -> EventFrames:
    """Return frames [2, 128, 128], or [2, size, size], of the gestures in the trials of one split.

    `path` is the folder `DvsGesture`: `trials_to_train.txt` and `trials_to_test.txt` list a file NAME.aedat a
    line, and NAME_labels.csv gives class 1..11 (label 0..10), start and end: start <= t < end. A trial that
    is listed must be there. `EventFrames` says what frames and duration do. Raises InputError, with file and
    line, for what is missing or malformed. Windows may overlap, as two of user22_led do.
    """
    folder = folder_at(path)
    trials = folder / f"trials_to_{split}.txt"
    recordings = []
    for name in _lines(trials):
        if not name.endswith(".aedat") or "/" in name or "\\" in name:
            raise InputError(f"{trials}: {name!r:.60}, and must be the name of an .aedat file")
        if not (folder / name).is_file():
            raise InputError(f"{folder / name}: no such file, and {trials.name} lists it")
        labels = folder / f"{name.removesuffix('.aedat')}_labels.csv"
        for label, start, end in read_labels(labels):
            recordings.append(Recording(path=folder / name, label=label, window=(start, end)))
    if not recordings:
        raise InputError(f"{trials}: lists no trial with a gesture")
    return EventFrames(
        recordings,
        partial(read_aedat3, sensor=SENSOR, unsorted=unsorted),
        sensor=SENSOR,
        classes=CLASSES,
        frames=frames,
        duration=duration,
        size=size,
    )


def read_labels(path: Path) -> list[tuple[int, int, int]]:
    """Return (label from 0, start, end) of each line. Raises InputError, with the line, for anything else."""
    header, *lines = _lines(path) or [""]
    if header != COLUMNS:
        raise InputError(f"{path}: line 1 is {header!r:.60}, and must be {COLUMNS!r}")
    labels = []
    for number, line in enumerate(lines, start=2):
        fields = line.split(",")
        if len(fields) != 3 or not all(map(is_whole_number, fields)):
            raise InputError(f"{path}: line {number} is {line!r:.60}, and must be three numbers, {COLUMNS}")
        gesture, start, end = map(int, fields)
        if not 1 <= gesture <= CLASSES:
            raise InputError(f"{path}: line {number}: class {gesture}, and must be 1..{CLASSES}")
        if start >= end or end >= 2**62:
            raise InputError(f"{path}: line {number}: from {start} to {end} us is no stretch of time")
        labels.append((gesture - 1, start, end))
    return labels


def _lines(path: Path) -> list[str]:
    """Return the lines of a text file that hold something, without the spaces around them."""
    text = read_whole(path).decode("utf-8", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]
