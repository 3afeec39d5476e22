"""Numbers as options of a command: what is asked for is part of the complaint about anything else."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any


def number(convert: Callable[[str], Any], fits: Callable[[Any], bool], wanted: str) -> Callable[[str], Any]:
    """Return a `type` for argparse that takes a number which fits, and says what was wanted otherwise."""

    def parse(text: str) -> Any:
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not fits(value):
            raise argparse.ArgumentTypeError(f"must be {wanted}, got {text!r}")
        return value

    return parse


LARGEST = 2**31 - 1

positive_integer = number(int, lambda value: 1 <= value <= LARGEST, "an integer from 1 to 2^31 - 1")
time_steps = number(int, lambda value: 1 <= value <= 4096, "an integer from 1 to 4096")
threads = number(int, lambda value: 1 <= value <= 1024, "an integer from 1 to 1024")
count = number(int, lambda value: 0 <= value <= LARGEST, "an integer from 0 to 2^31 - 1")
seed = number(int, lambda value: 0 <= value < 2**63, "an integer from 0 to 2^63 - 1")
finite = number(float, math.isfinite, "a finite number")
positive = number(float, lambda value: 0 < value < math.inf, "a positive number")
not_negative = number(float, lambda value: 0 <= value < math.inf, "a number of at least 0")
percentage = number(float, lambda value: 0 < value <= 100, "a number above 0 and at most 100")
