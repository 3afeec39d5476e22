"""The membrane potential of one neuron, step by step (Figure 2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from qvm_verify.report.html.svg import Scale, drawing, element, line, text

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 350, 36, 172


class Step(NamedTuple):
    """One time-step, for the eye: rounded where the report has exact numbers."""

    u: float  # the potential before firing
    spike: bool
    v: float  # the potential after the reset


def membrane_trace(
    steps: Sequence[Step], *, threshold: float, v_init: float, title: str, most: int
) -> Markup:
    """Draw how the potential rises to U, and falls to V where the neuron fires, over the first `most` steps.

    The threshold is dashed, and a triangle stands above each spike.
    """
    shown = steps[:most]
    heights = [
        v for v in (0.0, threshold, v_init, *(x for s in shown for x in (s.u, s.v))) if math.isfinite(v)
    ]
    low, high = min(heights), max(heights)
    across = Scale(0, max(1, len(shown)), LEFT, RIGHT - 6)
    up = Scale(low, high if high > low else low + 1, BOTTOM, TOP)
    path, v = [(across(0), up(v_init))], v_init
    spikes: list[Markup] = []
    for t, step in enumerate(shown, start=1):
        path += [(across(t), up(_seen(step.u))), (across(t), up(_seen(step.v)))]
        if step.spike:
            x = across(t)
            spikes.append(element("path", d=f"M{x:.1f} {TOP - 20}l5 9h-10z", class_="spike"))
            spikes.append(element("circle", cx=x, cy=up(_seen(step.u)), r=3.0, class_="spike"))
        v = step.v
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in path)
    parts = [
        text(0, TOP - 12, "spike"),
        line(LEFT, up(0.0), RIGHT, up(0.0), "axis"),
        text(LEFT - 6, up(0.0) + 4, "0", anchor="end"),
        line(LEFT, up(threshold), RIGHT, up(threshold), "threshold"),
        text(LEFT - 6, min(up(threshold), up(0.0) - 12) + 4, "θ", anchor="end"),
        element("polyline", points=points, class_="potential"),
        element("circle", cx=across(0), cy=up(v_init), r=2.5, class_="start"),
        *spikes,
        text((LEFT + RIGHT) / 2, HEIGHT - 6, "time-step", anchor="middle"),
    ]
    for t in range(1, len(shown) + 1, -(-len(shown) // 8) if shown else 1):
        parts.append(text(across(t), BOTTOM + 17, str(t), anchor="middle"))
    fired = [str(t) for t, step in enumerate(shown, start=1) if step.spike]
    cut = f" Only the first {most} of {len(steps)} time-steps are drawn." if len(steps) > most else ""
    description = (
        f"From V0 = {v_init:.6g} to V = {v:.6g} after {len(shown)} time-steps, threshold {threshold:.6g}; "
        f"it fires {'at ' + ', '.join(fired) if fired else 'never'}.{cut}"
    )
    return drawing(WIDTH, HEIGHT, title=title, description=description, parts=parts)


def _seen(value: float) -> float:
    """Return a number that can be drawn; the scale moves what is infinite to its end."""
    return 0.0 if math.isnan(value) else value
