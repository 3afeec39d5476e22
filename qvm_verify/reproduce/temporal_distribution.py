"""Figure 6: four ways in which the same input reaches a layer over time."""

from __future__ import annotations

from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qvm_verify.reproduce.outcome import Facts, Outcome
from qvm_verify.reproduce.settings import Settings
from qvm_verify.reproduce.temporal_distribution_text import (
    PRINTED_ERROR,
    PRINTED_R,
    TRAINS,
    Results,
    paragraph,
)
from qvm_verify.reproduce.unevenness import (
    COUNTS,
    PHASES,
    SCENARIOS,
    THRESHOLD,
    TIME_STEPS,
    TRIALS,
    Choice,
    Counts,
    Measured,
    Scenario,
    measure,
)
from qvm_verify.snn import Quantizer

INPUTS = (10, 30, 100, 300, 1000)
QUANTIZERS: tuple[Quantizer, ...] = ("floor", "round", "ceil")


def run(settings: Settings, *, trials: int = TRIALS, grid_trials: int = 10) -> Outcome:
    """Return Figure 6, by the choices of `Choice()`, and how much every other choice would change."""
    main = Choice()
    grid = [
        Choice(inputs=n, counts=counts, quantizer=quantizer, phase=phase)
        for quantizer, counts, phase, n in product(QUANTIZERS, COUNTS, PHASES, INPUTS)
    ]
    settings.on_progress("A.1 as chosen", 0, len(grid) + 1)
    measured = measure(main, trials=trials)
    others: Results = {}
    for done, choice in enumerate(grid):
        settings.on_progress("A.1 by other choices", done + 1, len(grid) + 1)
        others[choice] = measure(choice, trials=grid_trials)
    facts = Facts()
    return Outcome(
        name="fig6",
        title="Figure 6: temporal distribution of the input spikes and the error of one layer",
        columns=(
            *("quantizer", "inputs", "counts", "uniform trains", "scenario", "trials"),
            *("mean |a - φ|", "its standard deviation", "R", "standard deviation of R"),
            *(f"neurons with |M - N| = {k}" for k in range(TIME_STEPS + 1)),
        ),
        rows=_rows({main: measured}) + _rows(others),
        facts=facts,
        paragraph=paragraph(main, measured, others, facts),
        figure=_figure(measured, others),
    )


def _rows(results: Results) -> list[tuple[object, ...]]:
    return [
        (
            *(choice.quantizer, choice.inputs, choice.counts, choice.phase, scenario, len(one.errors)),
            *(*one.error, *one.correlation, *one.differences),
        )
        for choice, of_choice in results.items()
        for scenario, one in of_choice.items()
    ]


def _figure(measured: dict[Scenario, Measured], others: Results) -> Figure:
    figure = Figure(figsize=(14, 10.5), layout="constrained")
    figure.suptitle("(a) to (d): the area of a dot is its share of the neurons with that a", fontsize="small")
    top, bottom = np.asarray(figure.subfigures(2, 1, height_ratios=(2, 1)))
    upper = top.subplots(2, len(SCENARIOS))
    for column, one in enumerate(measured.values()):
        _pairs(upper[0, column], one)
        _differences(upper[1, column], one)
        for row in (0, 1):
            letter = "abcdefgh"[row * len(SCENARIOS) + column]
            upper[row, column].set_title(f"({letter}) {upper[row, column].get_title()}", fontsize="medium")
    upper[0, 0].set_ylabel("scaled firing rate φ (units of a)")
    upper[1, 0].set_ylabel("share of neurons")
    lower = bottom.subplots(1, 2)
    _over_inputs(lower[0], others, "error", "mean |a - φ| (units of a)")
    _over_inputs(lower[1], others, "correlation", "Pearson's R")
    lower[0].set_title("(i) error by the choices left open (floor)", fontsize="medium")
    lower[1].set_title("(j) correlation by the choices left open (floor)", fontsize="medium")
    lower[1].legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _pairs(axis: Axes, one: Measured) -> None:
    """Draw how often a and φ meet: the area of a dot is its share of the neurons with that a."""
    unit = THRESHOLD / TIME_STEPS
    for m, row in enumerate(one.pairs):
        for n, count in enumerate(row):
            if count:
                axis.scatter(m * unit, n * unit, s=160 * count / row.sum(), color="C0", linewidths=0)
    axis.plot([0, THRESHOLD], [0, THRESHOLD], color="grey", linewidth=0.8, linestyle="--", zorder=0)
    axis.set_aspect("equal")
    axis.set_title(f"{one.scenario}, R = {one.correlation[0]:.3f}")
    axis.set_xlabel("ANN activation a")


def _differences(axis: Axes, one: Measured) -> None:
    shares = [count / one.pairs.sum() for count in one.differences]
    unit = THRESHOLD / TIME_STEPS
    axis.bar([k * unit for k in range(len(shares))], shares, width=0.8 * unit, color="C1")
    axis.set_ylim(0, 1.05)
    axis.set_title(f"{one.scenario}, mean {one.error[0]:.4f}")
    axis.set_xlabel("|a - φ| (units of a)")


def _over_inputs(axis: Axes, others: Results, what: str, label: str) -> None:
    styles: dict[Counts, str] = dict(zip(COUNTS, ("-", "--", ":"), strict=True))
    for colour, scenario in zip(("C3", "C0"), TRAINS, strict=True):
        for counts, style in styles.items():
            values = [getattr(others[Choice(inputs=n, counts=counts)][scenario], what)[0] for n in INPUTS]
            axis.plot(INPUTS, values, style, color=colour, marker=".", label=f"{scenario}, {counts}")
        if scenario == "uniform":
            later = [getattr(others[Choice(inputs=n, phase="centred")][scenario], what)[0] for n in INPUTS]
            axis.plot(INPUTS, later, color="C2", marker=".", label="uniform, rounded, centred")
        printed = PRINTED_ERROR if what == "error" else PRINTED_R
        axis.axhline(printed[scenario], color=colour, linewidth=3, alpha=0.3, label=f"printed for {scenario}")
    axis.set_xscale("log")
    axis.set_xlabel("number of inputs")
    axis.set_ylabel(label)
