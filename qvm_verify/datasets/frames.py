"""Event recordings as two-channel frames, integrated by fixed count or by fixed duration.

Both ways follow SpikingJelly's documented rules; durations are counted from a recording's first event.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from qvm_verify.datasets.events import Events, Sensor
from qvm_verify.exits import InputError

MOST_FRAMES = 2**24  # of a recording; at a millisecond each, four and a half hours


def count_bounds(events: int, frames: int, frame: int) -> tuple[int, int]:
    """Return the events [left, right) of one of `frames` frames with equally many events each.

    With N events and M frames: left = floor(N / M) · j, right = floor(N / M) · (j + 1), and N for the last.
    """
    each = events // frames
    return each * frame, events if frame == frames - 1 else each * (frame + 1)


def duration_frames(events: Events, duration: int) -> int:
    """Return how many frames of `duration` microseconds: ceil((t_last - t_first) / duration), at least 1."""
    return max(1, -int((events.t[0] - events.t[-1]) // duration))


def duration_bounds(events: Events, duration: int, frame: int) -> tuple[int, int]:
    """Return the events [left, right) with t_first + j · duration <= t < t_first + (j + 1) · duration.

    The last frame takes the event that falls on its end too.
    """
    start = events.t[0] + frame * duration
    left, right = np.searchsorted(events.t, [start, start + duration], side="left").tolist()
    return left, len(events.t) if frame == duration_frames(events, duration) - 1 else right


def integrate(events: Events, sensor: Sensor, size: int | None = None) -> Tensor:
    """Return the number of events of each polarity and pixel, float32 [2, H, W] (0 darker, 1 brighter).

    With `size`, pixel (y, x) counts for the cell (floor(y · size / H), floor(x · size / W)) of a frame
    [2, size, size]: sums of integers, so no event is lost and no rounding is involved.
    """
    height, width = (size, size) if size else sensor
    rows, columns = events.y * height // sensor.height, events.x * width // sensor.width
    cells = (events.p * height + rows) * width + columns
    counts = np.bincount(cells, minlength=2 * height * width).reshape(2, height, width)
    return torch.from_numpy(counts.astype(np.float32))


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One labelled stretch of an event file: all of it, or window[0] <= t < window[1] in microseconds."""

    path: Path
    label: int
    window: tuple[int, int] | None = None


class EventFrames(Dataset[tuple[Tensor, int]]):
    """Two-channel frames [2, H, W] of event recordings, each with the label of its recording.

    A network takes one frame at a time, so an item is one frame: with frames = 1 a recording is one item,
    with frames = K it is K items, one after another. With a duration a recording has as many items as it
    lasts, and every file is read once, when the dataset is opened, to know how many. Otherwise files are
    read when an item is asked for, and the last one is kept. Raises InputError for a recording of too few
    events, and for whatever the reader finds in its file. `missing` counts recordings known but not there.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        read: Callable[[Path], Events],
        *,
        sensor: Sensor,
        classes: int,
        frames: int | None = None,
        duration: int | None = None,
        size: int | None = None,
        missing: int = 0,
    ) -> None:
        if frames is not None and duration is not None:
            raise InputError("frames and duration exclude each other: a fixed count, or a fixed time")
        if size is not None and size > min(sensor):
            raise InputError(f"size={size}: the sensor has only {sensor.height} x {sensor.width} pixels")
        self.recordings = recordings
        self.missing = missing
        self.classes = classes
        self._read, self._sensor, self._size = read, sensor, size
        self._frames, self._duration = frames or 1, duration
        self._held: tuple[Path, Events] | None = None
        self._ends = list(accumulate(map(self._frames_of, recordings)))

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return (frame, label)."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")
        index %= len(self)
        place = bisect_right(self._ends, index)
        recording = self.recordings[place]
        frame = index - (self._ends[place - 1] if place else 0)
        events = self._events(recording)
        if self._duration is None:
            left, right = count_bounds(len(events.t), self._frames, frame)
        else:
            left, right = duration_bounds(events, self._duration, frame)
        return integrate(events.between(left, right), self._sensor, self._size), recording.label

    def _frames_of(self, recording: Recording) -> int:
        if self._duration is None:
            return self._frames
        number = duration_frames(self._events(recording), self._duration)
        if number > MOST_FRAMES:
            raise InputError(
                f"{recording.path}: lasts {number} frames of {self._duration} us, "
                f"and up to {MOST_FRAMES} are made"
            )
        return number

    def _events(self, recording: Recording) -> Events:
        if self._held is None or self._held[0] != recording.path:
            self._held = (recording.path, self._read(recording.path))
        events = self._held[1]
        where = ""
        if recording.window is not None:
            start, end = recording.window
            events = events.between(*np.searchsorted(events.t, [start, end], side="left").tolist())
            where = f" with {start} <= t < {end} us"
        if len(events.t) < self._frames:
            raise InputError(
                f"{recording.path}: {len(events.t)} events{where}, too few for {self._frames} frame(s)"
            )
        return events
