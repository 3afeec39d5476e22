"""Events of an event camera, and what every reader of them checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qvm_verify.exits import InputError

Integers = NDArray[np.int64]
UNSORTED = ("refuse", "sort")


class Sensor(NamedTuple):
    """The pixels of a camera."""

    height: int
    width: int


class Events(NamedTuple):
    """Parallel arrays [N]: time in us, column, row from the top, polarity (0 darker, 1 brighter)."""

    t: Integers
    x: Integers
    y: Integers
    p: Integers

    def between(self, left: int, right: int) -> Events:
        """Return the events left..right - 1."""
        return Events(*(column[left:right] for column in self))


def checked(
    path: Path, events: Events, sensor: Sensor, unsorted: str, byte_of: Callable[[int], int]
) -> Events:
    """Return the events in the order of time.

    `byte_of` gives the place of an event in its file. Raises InputError, with that place, for a pixel that
    the sensor does not have, and for time that runs backwards unless `unsorted` is "sort"; then events of one
    time keep their order in the file.
    """
    for name, column, end in (("x", events.x, sensor.width), ("y", events.y, sensor.height)):
        outside = np.flatnonzero((column < 0) | (column >= end))
        if len(outside):
            at = int(outside[0])
            raise InputError(
                f"{path}: event {at} at byte {byte_of(at)}: {name} = {column[at]}, and must be 0..{end - 1}"
            )
    backwards = np.flatnonzero(np.diff(events.t) < 0)
    if len(backwards) and unsorted == "sort":
        order = np.argsort(events.t, kind="stable")
        return Events(*(column[order] for column in events))
    if len(backwards):
        at = int(backwards[0]) + 1
        raise InputError(
            f"{path}: event {at} at byte {byte_of(at)}: time {events.t[at]} us after {events.t[at - 1]} us "
            "(unsorted=sort puts such events in order)"
        )
    return events
