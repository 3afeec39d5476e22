"""AEDAT 2.0, the event files of jAER.

Lines that begin with '#' and end with a line feed, the first of them "#!AER-DAT2.0"; then, big-endian, for
each event a 32-bit address and a signed 32-bit time in microseconds. The camera says what an address means.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from qvm_verify.datasets.events import Events, Integers, Sensor, checked
from qvm_verify.datasets.files import read_whole
from qvm_verify.exits import InputError

VERSION = b"#!AER-DAT2.0"
EVENT = 8
DVS128 = Sensor(128, 128)


class Addresses(NamedTuple):
    """Parallel arrays [N], and the byte where the first event begins."""

    address: Integers
    t: Integers
    start: int


def read_addresses(path: Path) -> Addresses:
    """Return the addresses and times of a file. Raises InputError where it is no AEDAT 2.0 or truncated."""
    data = read_whole(path)
    if not data.startswith(VERSION):
        raise InputError(f"{path}: begins with {data[:12]!r}, and must with {VERSION.decode()!r}")
    start = 0
    while data[start : start + 1] == b"#":
        end = data.find(b"\n", start)
        if end < 0:
            raise InputError(f"{path}: the header line at byte {start} does not end")
        start = end + 1
    events, rest = divmod(len(data) - start, EVENT)
    if rest:
        raise InputError(
            f"{path}: event {events} at byte {start + EVENT * events} ends after {rest} of {EVENT} bytes"
        )
    words = np.frombuffer(data, dtype=np.dtype(">i4"), offset=start).reshape(-1, 2).astype(np.int64)
    return Addresses(words[:, 0], words[:, 1], start)


def read_dvs128(path: Path, *, orientation: str = "jaer", unsorted: str = "refuse") -> Events:
    """Return the events of a DVS128 camera.

    Address bit 0 is the polarity, bits 1-7 are the pixel's x and bits 8-14 its y, counted from the bottom;
    bit 15 marks an external event, which has no pixel and is left out. As in jAER, which wrote these files, a
    polarity bit of 0 means brighter and x is mirrored: with the orientation "jaer" an event falls on column
    127 - x, row 127 - y. "spikingjelly" puts it on column 127 - y, row 127 - x, the transpose of that.

    Raises InputError where an address has a bit beyond 15, or time runs backwards and `unsorted` is "refuse".
    """
    address, t, start = read_addresses(path)
    strange = np.flatnonzero(address >> 16)
    if len(strange):
        at = int(strange[0])
        raise InputError(
            f"{path}: event {at} at byte {start + EVENT * at}: address {int(address[at]) & 0xFFFFFFFF:#x}, "
            "and a DVS128 has 16 bits"
        )
    pixels = np.flatnonzero(address >> 15 == 0)
    address, t = address[pixels], t[pixels]
    x, y = 127 - (address >> 1 & 127), 127 - (address >> 8 & 127)
    if orientation == "spikingjelly":
        x, y = y, x
    events = Events(t=t, x=x, y=y, p=1 - (address & 1))
    return checked(path, events, DVS128, unsorted, lambda event: start + EVENT * int(pixels[event]))
