"""How near the currents came to a decision boundary."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from qvm_verify.report.html.svg import Scale, drawing, element, line, text

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 354, 22, 146


def margin_histogram(counts: Sequence[int], *, title: str) -> Markup:
    """Draw how many currents lie 0, 1-2, 3-6, 7-14, ... ulp from a boundary, the counts on a log scale.

    `counts[k]` belongs to the distances d with ⌊log2(d + 1)⌋ = k.
    """
    bins = max((k for k, count in enumerate(counts) if count), default=0) + 1
    decades = max(1, math.ceil(math.log10(max([1, *counts])) + 1e-9))
    up = Scale(0, decades + 0.3, BOTTOM, TOP)  # an occurrence of 1 is a low bar, not none
    slot = (RIGHT - LEFT) / bins
    parts = [text(0, 12, "currents", class_="label strong")]
    for decade in range(0, decades + 1, -(-decades // 4)):
        y = up(decade + 0.3)
        parts += [
            line(LEFT, y, RIGHT, y, "grid"),
            text(LEFT - 6, y + 4, _power(10, decade), anchor="end"),
        ]
    for k, count in enumerate(counts[:bins]):
        if count:
            y = up(math.log10(count) + 0.3)
            hint = element("title", f"{_range(k)} ulp: {count} currents")
            bar = {"x": LEFT + k * slot + 0.5, "y": y, "width": max(1.0, slot - 1), "height": BOTTOM - y}
            parts.append(element("rect", hint, **bar, class_="bad" if k == 0 else "plain"))
    every = -(-bins // 6)
    for k in range(0, bins, every):
        label = "0" if k == 0 else _power(2, k)
        parts.append(text(LEFT + (k + 0.5) * slot, BOTTOM + 15, label, anchor="middle"))
    middle = (LEFT + RIGHT) / 2
    axis = "representable numbers to the nearest boundary, + 1"
    parts += [
        line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis"),
        text(middle, BOTTOM + 34, axis, anchor="middle"),
    ]
    nearest = next((k for k, count in enumerate(counts) if count), None)
    told = "No current was measured." if nearest is None else f"The nearest are {_range(nearest)} ulp away."
    on = counts[0] if counts else 0
    description = f"{sum(counts)} currents; {on} lie on a boundary. {told}"
    return drawing(WIDTH, HEIGHT, title=title, description=description, parts=parts)


def _range(k: int) -> str:
    first, last = 2**k - 1, 2 ** (k + 1) - 2
    return str(first) if first == last else f"{first} to {last}"


def _power(base: int, exponent: int) -> str:
    if exponent == 0:
        return "1"
    return f"{base}{str(exponent).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
