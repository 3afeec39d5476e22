"""What the page shows of each counterexample."""

from __future__ import annotations

from typing import Any, NamedTuple

from markupsafe import Markup

from qvm_verify.report.html.charts import membrane_trace
from qvm_verify.report.html.charts.membrane_trace import Step
from qvm_verify.report.sentences import counterexample_sentence

TRACES = 100
"""How many counterexamples are drawn; the first of each site and mode come first."""

STEPS = 64
"""How many time-steps of one are drawn and listed."""


class Picture(NamedTuple):
    """One activation and one neuron, and what the neuron did."""

    case: dict[str, Any]
    chart: Markup
    trace: dict[str, Any]
    steps: list[dict[str, Any]]
    steps_left_out: int


class Traced(NamedTuple):
    """A counterexample with its picture, and that of the simplest case like it where one is known."""

    item: dict[str, Any]
    sentence: str
    picture: Picture
    minimal: Picture | None


def traced(items: list[dict[str, Any]]) -> tuple[list[Traced], list[dict[str, Any]]]:
    """Return those that are drawn, in their order, and the rest."""
    ranks: dict[str, int] = {}
    seen: dict[tuple[str, str], int] = {}
    for item in items:
        key = item["site"], item["mode"]
        ranks[item["id"]] = seen[key] = seen.get(key, 0) + 1
    chosen = {item["id"] for item in sorted(items, key=lambda item: ranks[item["id"]])[:TRACES]}
    drawn = [_traced(item) for item in items if item["id"] in chosen]
    return drawn, [item for item in items if item["id"] not in chosen]


def _traced(item: dict[str, Any]) -> Traced:
    simplest = item.get("minimal")
    return Traced(
        item,
        counterexample_sentence(item),
        _picture(item, f"{item['id']}: membrane potential, step by step"),
        _picture(simplest, f"{item['id']}: the simplest case like it") if simplest else None,
    )


def _picture(case: dict[str, Any], title: str) -> Picture:
    trace = case["trace"]
    steps = trace["steps"]
    chart = membrane_trace(
        [Step(float.fromhex(s["u"]), s["spike"], float.fromhex(s["v"])) for s in steps],
        threshold=float.fromhex(case["threshold"]),
        v_init=float.fromhex(case["v_init"]),
        title=title,
        most=STEPS,
    )
    return Picture(case, chart, trace, steps[:STEPS], max(0, len(steps) - STEPS))
