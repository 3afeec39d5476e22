"""Tables 1 to 3 as the paper prints them: pictures of its own numbers, and what they say of T = L."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qvm_verify.reproduce.outcome import Facts, Outcome
from qvm_verify.reproduce.paper.agreement import Agreement
from qvm_verify.reproduce.paper.consistency import ahead
from qvm_verify.reproduce.paper.sentences import sentences
from qvm_verify.reproduce.paper.tables import Row, rows
from qvm_verify.reproduce.settings import Settings

COLUMNS = ("dataset", "network", "method", "L", "τ", "T", "accuracy (%)", "ANN accuracy (%)")


def table1(settings: Settings) -> Outcome:
    """Return Table 1, ImageNet-1k, as printed; training its networks needs ImageNet."""
    return _outcome("table1", "Table 1 as printed: ImageNet-1k")


def table2(settings: Settings) -> Outcome:
    """Return Table 2, CIFAR-100, as printed."""
    return _outcome("table2", "Table 2 as printed: CIFAR-100")


def table3(settings: Settings) -> Outcome:
    """Return Table 3, DVS-Gesture and CIFAR10-DVS, as printed."""
    return _outcome("table3", "Table 3 as printed: neuromorphic datasets")


def _outcome(name: str, title: str) -> Outcome:
    facts = Facts()
    own = " ".join(_sentence(row, facts) for row in rows(name) if row.matched)
    return Outcome(
        name=name,
        title=title,
        columns=COLUMNS,
        rows=[line for row in rows(name) for line in _lines(row)],
        facts=facts,
        paragraph=f"The paper's own numbers; nothing was run. {own} {_text(rows(name)[0].table, facts)}",
        figure=_figure(rows(name)),
    )


def _lines(row: Row) -> list[tuple[object, ...]]:
    line = (row.dataset, row.network, row.method, row.levels or "", row.tau or "")
    return [(*line, t, value, row.ann or "") for t, value in row.accuracy.items()]


def _sentence(row: Row, facts: Facts) -> str:
    name = row.network or row.dataset

    def fact(what: str, value: object) -> str:
        return facts(f"{name}: {what}", value)

    spiking = row.at_levels.value
    said = f"{name}, L = {fact('L', row.levels)}: QVM has {fact('SNN at T = L (%)', spiking)} % at T = L"
    if row.ann is not None:
        like = "the same as" if spiking == row.ann else "not the same as"
        said += f", {like} its ANN with {fact('ANN (%)', row.ann)} %"
    if len(row.accuracy) > 1:
        said += (
            f"; its best printed T is {fact('best T', row.best[0])} with "
            f"{fact('SNN at the best T (%)', row.accuracy[row.best[0]])} %"
        )
        behind = len({t for t, _ in ahead(row)})
        said += (
            f"; another method is more accurate at {fact('T with another method ahead', behind)} of "
            f"{fact('printed T', len(row.accuracy))} T"
        )
    return f"{said}."


def _text(table: str, facts: Facts) -> str:
    found = [one for one in sentences() if any(table in finding.says for finding in one.findings)]
    wrong = sum(one.agreement is Agreement.CONTRADICTS for one in found)
    return (
        f"Sentences of the text checked against it: {facts('sentences checked', len(found))}; of them "
        f"contradict a table or one another: {facts('sentences that contradict', wrong)} "
        "(see reports/paper.md)."
    )


def _figure(lines: Sequence[Row]) -> Figure:
    """Return a panel for each network or dataset: accuracy over T, the ANN at the right end."""
    panels = list(dict.fromkeys((row.dataset, row.network) for row in lines))
    methods = list(dict.fromkeys(row.method for row in lines if not row.matched))
    figure = Figure(figsize=(4.6 * len(panels), 4.8), layout="constrained")
    every = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (dataset, network) in zip(every, panels, strict=True):
        chosen = [row for row in lines if (row.dataset, row.network) == (dataset, network)]
        _panel(axis, chosen, {name: f"C{index}" for index, name in enumerate(methods)})
        axis.set_title(f"{network}, {dataset}" if network else dataset)
    every[0].set_ylabel("top-1 accuracy (%)")
    return figure


def _panel(axis: Axes, lines: Sequence[Row], colours: dict[str, str]) -> None:
    place = {t: log2(t) for t in sorted({t for row in lines for t in row.accuracy})}
    last = max(place.values()) + 1  # of the ANNs
    for row in lines:
        label = f"{row.method} (L = {row.levels})" if row.matched else row.method
        label += f", τ = {row.tau}" if row.tau else ""
        style: dict[str, Any] = {"color": colours.get(row.method, "black"), "label": label, "marker": "o"}
        # the paper's own line is wide and below the others, which would hide under it where they agree
        style |= {"linewidth": 3, "markersize": 7, "zorder": 1.5} if row.matched else {"markersize": 4}
        style |= {} if len(row.accuracy) > 1 else {"linestyle": ""}
        axis.plot(
            [place[t] for t in row.accuracy], [float(value) for value in row.accuracy.values()], **style
        )
        if row.ann is not None:
            ann = style | {"marker": "D", "linestyle": "", "label": None}
            axis.plot(last, float(row.ann), **ann)
        if row.matched and row.ann is not None:
            axis.axhline(float(row.ann), color="black", linestyle="--", linewidth=1, label="ANN of QVM")
        if row.levels is not None:
            axis.axvline(place[row.levels], color="black", linestyle=":", label="T = L of QVM")
    ticks = {str(t): x for t, x in place.items()}
    if any(row.ann is not None for row in lines):
        ticks["ANN"] = last
    axis.set_xticks(list(ticks.values()), list(ticks))
    axis.set_xlabel("time-steps T")
    axis.legend(fontsize="x-small")
