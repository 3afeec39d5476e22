"""Where the inputs lie on which a site fails: a number line from 0 to θ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from qvm_verify.report.html.svg import Scale, drawing, element, line, text

WIDTH, HEIGHT = 360, 120
LEFT, RIGHT, MIDDLE = 18, 342, 62


def certificate_line(entry: dict[str, Any], *, title: str, most: int) -> Markup:
    """Draw the certificate of a site, an entry of `certificate` in `report.json` that is decided.

    Above the line the steps of M, below it those of N, on it the intervals where they differ; of each the
    first `most`. The line reaches as far as the last step where that lies beyond θ.
    """
    threshold = float.fromhex(entry["threshold"])
    steps = {name: _finite(entry[name][:most]) for name in ("level_steps", "count_steps")}
    last = max([threshold, *steps["level_steps"], *steps["count_steps"]])
    across = Scale(0.0, last, LEFT, RIGHT)
    parts = [
        text(LEFT, 14, "level M steps up"),
        text(LEFT, HEIGHT - 6, "spike count N steps up"),
        line(LEFT, MIDDLE, RIGHT, MIDDLE, "axis"),
        text(LEFT, MIDDLE + 32, "0", anchor="middle"),
        line(across(threshold), 24, across(threshold), MIDDLE + 20, "threshold"),
        text(across(threshold), MIDDLE + 32, "θ", anchor="middle"),
    ]
    parts += [line(across(x), MIDDLE - 26, across(x), MIDDLE - 5, "level") for x in steps["level_steps"]]
    parts += [line(across(x), MIDDLE + 5, across(x), MIDDLE + 20, "count") for x in steps["count_steps"]]
    parts += [_interval(interval, across) for interval in entry["mismatches"][:most]]
    number = entry["mismatching_inputs"]
    description = (
        f"M steps up {len(entry['level_steps'])} times and N {len(entry['count_steps'])} times between 0 and "
        f"{last:.6g}; they differ on {number} numbers."
    )
    return drawing(WIDTH, HEIGHT, title=title, description=description, parts=parts)


def _interval(interval: dict[str, Any], across: Scale) -> Markup:
    """Mark an interval; one that is too short to see is still 2 wide, one outside the line is at its end."""
    first, last = (_number(interval[end]) for end in ("first", "last"))
    start, end = across(first), across(last)
    width = max(2.0, end - start)
    hint = element(
        "title",
        f"{interval['first']} to {interval['last']}: M = {interval['level']}, N = {interval['spike_count']}",
    )
    left = min(start, RIGHT - width) if width > 2 else start - 1
    return element("rect", hint, x=left, y=MIDDLE - 5, width=width, height=10, class_="bad")


def _finite(steps: Sequence[str]) -> list[float]:
    return [value for value in map(_number, steps) if math.isfinite(value)]


def _number(text: str) -> float:
    value = float.fromhex(text)
    return math.inf if math.isnan(value) else value
