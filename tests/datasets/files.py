"""Files written bit by bit from their formats' specifications, and the real ones where they are."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from qvm_verify.exits import InputError

REAL = os.environ.get("QVM_DATA")
needs_real_data = pytest.mark.skipif(not REAL, reason="QVM_DATA is unset: no real data to read")


def real(name):
    return Path(REAL) / name


def refusal(call, *arguments, **options):
    """Return the one sentence with which a call refuses its input."""
    with pytest.raises(InputError) as error:
        call(*arguments, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def cifar_record(*labels, seed=0):
    return bytes(labels) + np.random.default_rng(seed).integers(0, 256, 3072, dtype=np.uint8).tobytes()


def idx(values, *dimensions):
    """Unsigned bytes with the given dimensions, whatever they claim."""
    head = bytes([0, 0, 8, len(dimensions)])
    return head + b"".join(side.to_bytes(4, "big") for side in dimensions) + bytes(values)


def dvs128_address(x, y, bit):
    return y << 8 | x << 1 | bit


def aedat2(*events, header=b"#!AER-DAT2.0\r\n# created by a test\r\n"):
    """Events are (address, time)."""
    return header + b"".join(struct.pack(">Ii", address, time) for address, time in events)


def polarity(x, y, p, t, valid=1):
    return struct.pack("<Ii", x << 17 | y << 2 | p << 1 | valid, t)


def packet(*events, kind=1, size=8, offset=4, overflows=0, capacity=None, number=None, valid=None):
    number = len(events) if number is None else number
    capacity = number if capacity is None else capacity
    if valid is None:
        valid = sum(event[0] & 1 for event in events)
    return struct.pack("<hhiiiiii", kind, 0, size, offset, overflows, capacity, number, valid) + b"".join(
        events
    )


AEDAT3_LINES = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"


def aedat3(*packets, header=AEDAT3_LINES):
    return header + b"".join(packets)


def nmnist(*events):
    """Events are (x, y, polarity, time), 40 bits each."""
    return b"".join((x << 32 | y << 24 | p << 23 | t).to_bytes(5, "big") for x, y, p, t in events)
