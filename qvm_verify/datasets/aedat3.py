"""AEDAT 3.1, the event files of cAER: a header of lines, then packets.

The first line is "#!AER-DAT3.1", the last "#!END-HEADER". A packet is, little-endian, a header of 28 bytes
(type and source in 16 bits; size of an event, offset of its time, overflows of time, capacity, number and
valid number of events in 32 bits each) and its events. A polarity event (type 1) is 32 bits of data and 32
of time. Data bit 0: valid; bit 1: brighter; bits 2-16: y from the top; bits 17-31: x.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qvm_verify.datasets.events import Events, Sensor, checked
from qvm_verify.datasets.files import read_whole
from qvm_verify.exits import InputError

VERSION, END = b"#!AER-DAT3.1", b"#!END-HEADER"
HEADER = struct.Struct("<hhiiiiii")
POLARITY, EVENT, TIME_OFFSET = 1, 8, 4


class _Packet(NamedTuple):
    type: int
    source: int
    event_size: int
    time_offset: int
    overflows: int
    capacity: int
    number: int
    valid: int


def read_aedat3(path: Path, sensor: Sensor, *, unsorted: str = "refuse") -> Events:
    """Return the valid polarity events of a file; packets of other types are passed over.

    Time is (overflows << 31) + time, in microseconds. Raises InputError, with the byte, where the file is no
    AEDAT 3.1 or truncated, a packet contradicts itself, an event lies outside the sensor, or time runs
    backwards and `unsorted` is "refuse".
    """
    data = read_whole(path)
    words, times, places = [], [], []
    for packet, start in _packets(path, data):
        if packet.type != POLARITY:
            continue
        pairs = np.frombuffer(data, dtype="<u4", count=2 * packet.number, offset=start).reshape(-1, 2)
        valid = np.flatnonzero(pairs[:, 0] & 1)
        if len(valid) != packet.valid:
            raise InputError(
                f"{path}: the packet of events at byte {start} has {len(valid)} valid ones, "
                f"and its header says {packet.valid}"
            )
        words.append(pairs[valid, 0].astype(np.int64))
        times.append(pairs[valid, 1].astype(np.int64) + (packet.overflows << 31))
        places.append(start + EVENT * valid)
    word, t, place = (np.concatenate([np.zeros(0, dtype=np.int64), *part]) for part in (words, times, places))
    events = Events(t=t, x=word >> 17 & 0x7FFF, y=word >> 2 & 0x7FFF, p=word >> 1 & 1)
    return checked(path, events, sensor, unsorted, lambda event: int(place[event]))


def _packets(path: Path, data: bytes) -> Iterator[tuple[_Packet, int]]:
    """Yield each packet's header and the byte where its events begin, all of them within the file."""
    position = _after_lines(path, data)
    while position < len(data):
        if len(data) - position < HEADER.size:
            raise InputError(
                f"{path}: the packet header at byte {position} ends after {len(data) - position} "
                f"of {HEADER.size} bytes"
            )
        packet = _Packet(*HEADER.unpack_from(data, position))
        _check(path, packet, position)
        start = position + HEADER.size
        position = start + packet.number * packet.event_size
        if position > len(data):
            raise InputError(
                f"{path}: {packet.number} events of {packet.event_size} bytes must follow byte {start}, "
                f"and there are only {len(data) - start} bytes"
            )
        yield packet, start


def _after_lines(path: Path, data: bytes) -> int:
    """Return the byte after the header's last line."""
    if not data.startswith(VERSION):
        raise InputError(f"{path}: begins with {data[:12]!r}, and must with {VERSION.decode()!r}")
    start = 0
    while data[start : start + 1] == b"#":
        end = data.find(b"\n", start)
        line = data[start:end].rstrip()
        if end < 0:
            raise InputError(f"{path}: the header line at byte {start} does not end")
        if line.startswith(b"#Format:") and line.split(b":", 1)[1].strip() != b"RAW":
            raise InputError(f"{path}: {line[:40]!r} at byte {start}, and only the format RAW is read")
        if line == END:
            return end + 1
        start = end + 1
    raise InputError(f"{path}: a header line must begin at byte {start}, up to {END.decode()!r}")


def _check(path: Path, packet: _Packet, position: int) -> None:
    """Raise InputError where a packet's header contradicts itself or the format."""
    where = f"{path}: the packet at byte {position}"
    if packet.number < 0 or packet.event_size < 1 or packet.capacity != packet.number:
        raise InputError(
            f"{where}: {packet.number} events of {packet.event_size} bytes with room for {packet.capacity}, "
            "and in a file number and room are equal"
        )
    if packet.type == POLARITY and (packet.event_size, packet.time_offset) != (EVENT, TIME_OFFSET):
        raise InputError(
            f"{where}: polarity events of {packet.event_size} bytes with the time at {packet.time_offset}, "
            f"and they have {EVENT} with it at {TIME_OFFSET}"
        )
    if packet.overflows < 0:
        raise InputError(f"{where}: {packet.overflows} overflows of time, and must be 0 or more")
