"""Strange inputs made of valid ones: bits flipped, spans cut and doubled, numbers made huge, JSON altered."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any

HUGE = (0, 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)
TEXTS = (
    b"-1",
    b"1099511627776",
    b"9" * 400,
    b"1e999",
    b"nan",
    b"0x1p5",
    b"\xff",
    b"\n",
    b"..",
    b"\0",
    "٣".encode(),
)
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**31, 2**40, 2**63, 10**400, -0.0, 1e308, float("nan"), float("inf")),
    *("", "x", "\ud800", "\x1b[2J", "nan", "0x1p+9999999999", "0x1.8p+0", "-0x0p+0", "inf", "a" * 5000),
    *([], {}, [[]], [0] * 50, ["0x1p+0"] * 50),
)
MOST = 2**18  # bytes


def mutated(data: bytes, random: Random) -> bytes:
    """Return `data` after one to four changes."""
    for _ in range(random.randint(1, 4)):
        data = random.choice(CHANGES)(data, random)[:MOST]
    return data


def _place(data: bytes, random: Random) -> int:
    """Return a place in the data, in its head as likely as anywhere else."""
    return random.randrange(min(len(data), random.choice((64, len(data)))) or 1) if data else 0


def _span(data: bytes, random: Random) -> tuple[int, int]:
    start = _place(data, random)
    return start, min(len(data), start + random.choice((1, 2, 4, 8, 28, 64, 1000)))


def flip(data: bytes, random: Random) -> bytes:
    """Flip one bit."""
    if not data:
        return b"\0"
    at = _place(data, random)
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def cut(data: bytes, random: Random) -> bytes:
    """End early."""
    return data[: _place(data, random)]


def remove(data: bytes, random: Random) -> bytes:
    """Leave out a span."""
    start, end = _span(data, random)
    return data[:start] + data[end:]


def double(data: bytes, random: Random) -> bytes:
    """Repeat a span, up to a thousand times."""
    start, end = _span(data, random)
    return data[:end] + data[start:end] * random.choice((1, 1, 2, 1000)) + data[end:]


def huge(data: bytes, random: Random) -> bytes:
    """Write a number at the edge of some width over what was there."""
    number, order, width = random.choice(HUGE), random.choice("<>"), random.choice("BHIQ")
    raw = struct.pack(order + width, number & (256 ** struct.calcsize(width) - 1))
    at = _place(data, random)
    return data[:at] + raw + data[at + len(raw) :]


def insert(data: bytes, random: Random) -> bytes:
    """Put in text that means a strange number, or random bytes."""
    at = _place(data, random)
    return data[:at] + (random.choice(TEXTS) if random.random() < 0.7 else random.randbytes(8)) + data[at:]


def replace(data: bytes, random: Random) -> bytes:
    """Put one of the strange texts in place of a number written out."""
    digits = [at for at in range(len(data)) if data[at : at + 1].isdigit()][:5000]
    if not digits:
        return insert(data, random)
    start = end = random.choice(digits)
    while data[end : end + 1].isdigit():
        end += 1
    return data[:start] + random.choice(TEXTS) + data[end:]


def alter(data: bytes, random: Random) -> bytes:
    """Change values of JSON, wherever a line or the whole is JSON; else flip a bit."""
    start = data.rfind(b"\n", 0, random.randrange(len(data) + 1)) + 1 if random.random() < 0.5 else 0
    end = data.find(b"\n", start) if start else len(data)
    try:
        content = json.loads(data[start:end])
        for _ in range(random.randint(1, 3)):
            content = _altered(content, random)
        return data[:start] + json.dumps(content).encode() + data[end:]
    except (ValueError, RecursionError):
        return flip(data, random)


def _altered(value: Any, random: Random) -> Any:
    """Return a value with one leaf or branch somewhere within replaced, left out or doubled."""
    if not isinstance(value, dict | list) or not value or random.random() < 0.08:
        return random.choice(VALUES)
    if isinstance(value, list):
        at = random.randrange(len(value))
        what = random.random()
        if what < 0.1:
            return value[:at] + value[at + 1 :]
        if what < 0.2:
            return [*value, value[at]]
        return [*value[:at], _altered(value[at], random), *value[at + 1 :]]
    key = random.choice(list(value))
    if random.random() < 0.05:
        return {name: item for name, item in value.items() if name != key}
    return value | {key: _altered(value[key], random)}


CHANGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(flip, cut, remove, double, huge, huge, insert, replace, alter, alter),
)
