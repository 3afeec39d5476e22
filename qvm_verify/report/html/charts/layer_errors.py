"""The error of each layer (Figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from qvm_verify.report.html.svg import Scale, drawing, element, shortened, text

WIDTH, BARS, ROW = 360, 210, 13


class Series(NamedTuple):
    """One bar in each group."""

    name: str
    class_: str
    means: Sequence[float | None]  # a site each


def layer_errors(sites: Sequence[str], series: Sequence[Series], *, title: str) -> Markup:
    """Draw the mean error of each site, a group of bars each, from 0."""
    known = [mean for one in series for mean in one.means if mean is not None]
    scale = Scale(0.0, max(known, default=0.0), 0.0, BARS)
    group = 20 + ROW * len(series) + 6
    parts: list[Markup] = []
    for k, site in enumerate(sites):
        top = k * group
        parts.append(text(0, top + 14, shortened(site, 50), class_="label strong"))
        for j, (name, class_, means) in enumerate(series):
            y, mean = top + 20 + ROW * j, means[k]
            length = 0.0 if mean is None else max(scale(mean), 1.0 if mean else 0.0)
            parts.append(element("rect", x=0, y=y, width=BARS, height=ROW - 3, class_="track"))
            parts.append(element("rect", x=0, y=y, width=length, height=ROW - 3, class_=class_))
            value = "not a number" if mean is None else f"{mean:.3g}"
            parts.append(text(BARS + 6, y + 9, f"{value} {name}"))
    worst = f"the largest mean is {max(known):.3g}" if known else "no mean is a number"
    names = ", ".join(one.name for one in series)
    description = f"Mean error of {len(sites)} sites ({names}); {worst}."
    return drawing(WIDTH, max(1, len(sites)) * group, title=title, description=description, parts=parts)
