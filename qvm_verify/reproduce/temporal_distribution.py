"""Figure 6: four ways in which the same input reaches a layer over time."""

from __future__ import annotations

from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qvm_verify.reproduce.outcome import Facts, Outcome
from qvm_verify.reproduce.settings import Settings
from qvm_verify.reproduce.unevenness import (
    COUNTS,
    NEURONS,
    PHASES,
    SCENARIOS,
    SEED,
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

PRINTED_ERROR: dict[Scenario, float] = {  # A.1, subfigures (e) to (h)
    "random": 0.1430,
    "uniform": 0.0912,
    "ANN input": 0.0,
    "expected current": 0.0,
}
PRINTED_R: dict[Scenario, float] = {  # A.1, subfigures (a) to (d)
    "random": 0.971,
    "uniform": 0.944,
    "ANN input": 1.0,
    "expected current": 1.0,
}
TRAINS: tuple[Scenario, ...] = ("random", "uniform")
INPUTS = (10, 30, 100, 300, 1000)
QUANTIZERS: tuple[Quantizer, ...] = ("floor", "round", "ceil")
Results = dict[Choice, dict[Scenario, Measured]]


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
    paragraph = " ".join(
        (
            _chosen(main, trials, facts),
            *(_against_print(one, facts) for one in measured.values()),
            _which_belongs(measured, facts),
            _sensitivity(others, grid_trials, facts),
            _constant_currents(others, facts),
        )
    )
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
        paragraph=paragraph,
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


def _chosen(choice: Choice, trials: int, facts: Facts) -> str:
    return (
        f"{facts('neurons', NEURONS)} neurons, {facts('trials', trials)} trials, seed {facts('seed', SEED)}, "
        f"T = L = {facts('T', TIME_STEPS)}. The paper does not say how many inputs there are, how a "
        "fractional count becomes spikes, when evenly spaced ones start, or which quantizer is used; here "
        f"{facts('inputs', choice.inputs)} inputs, counts rounded to the nearest with the ANN seeing the "
        f"rounded ones (a = φ at the input), uniform trains {choice.phase}, and {choice.quantizer} with its "
        "V0."
    )


def _against_print(one: Measured, facts: Facts) -> str:
    def fact(name: str, value: object) -> str:
        return facts(f"{one.scenario}: {name}", value)

    return (
        f"{one.scenario[0].upper()}{one.scenario[1:]}: mean |a - φ| {fact('error', one.error[0])} ± "
        f"{fact('standard deviation of the error', one.error[1])} (printed "
        f"{fact('printed error', PRINTED_ERROR[one.scenario])}), R = {fact('R', one.correlation[0])} ± "
        f"{fact('standard deviation of R', one.correlation[1])} (printed "
        f"{fact('printed R', PRINTED_R[one.scenario])})."
    )


def nearest(value: float, measured: dict[Scenario, Measured], what: str) -> Scenario:
    """Return which of the two spike trains comes nearest to a printed value of "error" or "correlation"."""
    return min(TRAINS, key=lambda scenario: abs(getattr(measured[scenario], what)[0] - value))


def _which_belongs(measured: dict[Scenario, Measured], facts: Facts) -> str:
    sentences = []
    for what, name, printed in (("error", "error", PRINTED_ERROR), ("correlation", "R", PRINTED_R)):
        for scenario in TRAINS:
            found = nearest(printed[scenario], measured, what)
            verdict = "as printed" if found == scenario else f"not with {scenario}, where it is printed"
            value = facts(f"{scenario}: printed {name}", printed[scenario])
            sentences.append(f"the printed {name} {value} goes with {found}, {verdict}")
    return f"By what is nearest, {'; '.join(sentences)}."


def _sensitivity(others: Results, trials: int, facts: Facts) -> str:
    ordered = sum(of["uniform"].error[0] < of["random"].error[0] for of in others.values())
    correlated = sum(of["uniform"].correlation[0] > of["random"].correlation[0] for of in others.values())
    printed = sum(
        of["uniform"].error[0] < of["random"].error[0]
        and of["uniform"].correlation[0] < of["random"].correlation[0]
        for of in others.values()
    )

    def distance(choice: Choice) -> float:
        return sum(abs(others[choice][one].error[0] - PRINTED_ERROR[one]) for one in TRAINS)

    best = min(others, key=distance)
    return (
        f"In {facts('settings', len(others))} settings of {facts('trials of a setting', trials)} trials each "
        f"({facts('fewest inputs', INPUTS[0])} to {facts('most inputs', INPUTS[-1])} inputs, three "
        "treatments of fractions, three quantizers, uniform trains that start at once or half an interval "
        "later) the uniform trains have the smaller error in "
        f"{facts('settings with a smaller error of uniform', ordered)} and the higher R in "
        f"{facts('settings with a higher R of uniform', correlated)}; the printed combination, less error at "
        f"a lower R, occurs in {facts('settings with the printed combination', printed)}. The two printed "
        f"errors are met best by {facts('inputs of the nearest setting', best.inputs)} inputs, "
        f"{best.counts}, {best.quantizer}, uniform trains {best.phase}: "
        f"{facts('random error of the nearest setting', others[best]['random'].error[0])} and "
        f"{facts('uniform error of the nearest setting', others[best]['uniform'].error[0])}."
    )


def _constant_currents(others: Results, facts: Facts) -> str:
    wrong = {
        q: max(of["ANN input"].error[0] for c, of in others.items() if c.quantizer == q) for q in QUANTIZERS
    }
    lossless = max(of["expected current"].error[0] for of in others.values())
    return (
        f"The expected current errs by at most {facts('largest error of the expected current', lossless)} in "
        "any setting; the ANN's output as current by "
        f"{facts('ANN input: largest error with floor', wrong['floor'])} with floor, "
        f"{facts('ANN input: largest error with round', wrong['round'])} with round, but "
        f"{facts('ANN input: largest error with ceil', wrong['ceil'])} with ceil, whose V0 = θ fires once "
        "too often on a whole z."
    )


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
