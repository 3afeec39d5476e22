"""Just enough to build SVG: elements, and a scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape


def element(name: str, *children: str, **attributes: object) -> Markup:
    """Return an element, with everything escaped that is not Markup already.

    `class_` is the attribute class, `stroke_width` is stroke-width; floats keep one decimal.
    """
    text = "".join(f' {_name(key)}="{escape(_short(value))}"' for key, value in attributes.items())
    if not children:
        return Markup(f"<{name}{text}/>")
    return Markup(f"<{name}{text}>{''.join(escape(child) for child in children)}</{name}>")


def drawing(width: float, height: float, *, title: str, description: str, parts: Iterable[str]) -> Markup:
    """Return an image that says to those who cannot see it what is in it."""
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *parts,
        viewBox=f"0 0 {_short(width)} {_short(height)}",
        role="img",
    )


def text(x: float, y: float, content: str, *, anchor: str = "start", class_: str = "label") -> Markup:
    """Return a line of text whose baseline is at y."""
    return element("text", content, x=x, y=y, text_anchor=anchor, class_=class_)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


@dataclass(frozen=True)
class Scale:
    """A linear map of the values from `low` to `high` to the places from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value goes; what lies outside goes to the nearer end."""
        span = self.high - self.low
        share = 0.0 if span <= 0 else min(1.0, max(0.0, (value - self.low) / span))
        return self.start + share * (self.end - self.start)


def shortened(name: str, characters: int) -> str:
    """Return a name cut in its middle, so that both ends can be told apart."""
    if len(name) <= characters:
        return name
    tail = (characters - 1) * 2 // 3
    return f"{name[: characters - 1 - tail]}…{name[-tail:]}"


def _name(key: str) -> str:
    return "viewBox" if key == "viewBox" else key.rstrip("_").replace("_", "-")


def _short(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
