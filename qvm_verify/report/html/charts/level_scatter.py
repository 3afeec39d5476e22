"""Spike counts against levels (Figure 6)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from qvm_verify.report.html.svg import Scale, drawing, element, line, text

WIDTH, HEIGHT = 360, 330
LEFT, RIGHT, TOP, BOTTOM = 46, 346, 12, 286

Triple = Sequence[int]  # (M, N, how often)


def level_scatter(pairs: Sequence[Triple], *, levels: int, time_steps: int, title: str, most: int) -> Markup:
    """Draw a bubble for each (M, N), its radius by the logarithm of how often it occurred.

    On the diagonal N / T = M / L bubbles are discs, off it squares. Only the `most` frequent pairs are drawn.
    """
    across, up = Scale(0, levels, LEFT + 12, RIGHT - 12), Scale(0, time_steps, BOTTOM - 12, TOP + 12)
    cell = min((RIGHT - LEFT - 24) / levels, (BOTTOM - TOP - 24) / time_steps)
    largest = min(12.0, max(2.0, cell * 0.48))
    top = max([1, *(number for *_, number in pairs)])
    parts = [
        element("rect", x=LEFT, y=TOP, width=RIGHT - LEFT, height=BOTTOM - TOP, class_="frame"),
        line(across(0), up(0), across(levels), up(time_steps), "diagonal"),
    ]
    for value in _ticks(levels):
        parts.append(text(across(value), BOTTOM + 15, str(value), anchor="middle"))
    for value in _ticks(time_steps):
        parts.append(text(LEFT - 6, up(value) + 4, str(value), anchor="end"))
    parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 34, "level M", anchor="middle", class_="label strong"))
    parts.append(text(0, TOP + 8, "N", class_="label strong"))
    off = sum(number for m, n, number in pairs if m * time_steps != n * levels)
    for m, n, number in sorted(pairs, key=lambda triple: -triple[2])[:most]:
        radius = max(1.5, largest * math.log1p(number) / math.log1p(top))
        parts.append(
            _bubble(across(m), up(n), radius, f"M = {m}, N = {n}: {number}", m * time_steps == n * levels)
        )
    total = sum(number for *_, number in pairs)
    left_out = f" The {len(pairs) - most} rarest pairs are left out." if len(pairs) > most else ""
    description = f"{off} of {total} spike counts lie off the diagonal.{left_out}"
    return drawing(WIDTH, HEIGHT, title=title, description=description, parts=parts)


def _bubble(x: float, y: float, radius: float, hint: str, equal: bool) -> Markup:
    title = element("title", hint)
    if equal:
        return element("circle", title, cx=x, cy=y, r=radius, class_="good")
    side = 1.7 * radius
    return element("rect", title, x=x - side / 2, y=y - side / 2, width=side, height=side, class_="bad")


def _ticks(last: int) -> list[int]:
    """Return at most nine whole numbers from 0 to `last`, evenly spaced but for the last step."""
    step = max(1, -(-last // 8))
    ticks = list(range(0, last, step))
    if len(ticks) > 1 and last - ticks[-1] < step / 2:
        ticks.pop()
    return [*ticks, last]
