"""Figure 1: the activation of the ANN against the firing rate of one spiking neuron, over its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qvm_verify import reference
from qvm_verify.reference import IFParameters
from qvm_verify.reproduce.outcome import Facts, Outcome
from qvm_verify.reproduce.settings import Settings

Array = np.ndarray[Any, Any]
SEED, INPUTS, POINTS = 48, 40, 801


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One neuron with floor and V0 = 0; every array is over `current`, the mean input of a time-step."""

    letter: str
    levels: int
    time_steps: int
    activation_threshold: float  # γ
    threshold: float  # θ
    current: Array
    activation: Array
    constant: Array  # φ under the constant current
    uneven: Array  # φ where spikes at random time-steps bring the same total

    @property
    def clipped(self) -> Array:
        """Where a or φ is at its upper bound, so that what they differ by is due to the bounds."""
        bound = min(self.activation_threshold, self.threshold)
        return np.asarray(self.current >= bound)

    def error(self, rate: Array, where: Array | None = None) -> tuple[float, float]:
        """Mean and maximum of |a - φ|, in the units of a."""
        error = reference.conversion_error(activation=self.activation, scaled_rate=rate)
        chosen = np.asarray(error if where is None else np.asarray(error)[where])
        return float(chosen.mean()), float(chosen.max())


def panel(
    letter: str, *, levels: int, time_steps: int, activation_threshold: float, threshold: float
) -> Panel:
    """Return both sides of the conversion for currents from a little below 0 to well above both bounds.

    The uneven current q_t = x + (Σ_i w_i s_it - its mean) has the spikes of A.1's first scenario: weights
    from U(-1, 1) and counts up to T, both drawn with seed 48; x is swept, as a bias would.
    """
    rng = np.random.default_rng(SEED)
    weight, counts = rng.uniform(-1, 1, INPUTS), rng.integers(0, time_steps + 1, INPUTS)
    streamed = reference.random_spikes(counts, time_steps, rng) @ weight
    upper = max(threshold, activation_threshold)
    x = np.linspace(-0.2 * upper, 1.4 * upper, POINTS)
    parameters = IFParameters(threshold=threshold)

    def rate(currents: Array) -> Array:
        spikes = reference.simulate(currents, v_init=0, parameters=parameters).spike_count
        return np.asarray(reference.scaled_rate(spikes, threshold=threshold, time_steps=time_steps))

    return Panel(
        letter=letter,
        levels=levels,
        time_steps=time_steps,
        activation_threshold=activation_threshold,
        threshold=threshold,
        current=x,
        activation=np.asarray(
            reference.activation(x, threshold=activation_threshold, levels=levels, quantizer="floor")
        ),
        constant=rate(reference.constant_currents(x, time_steps)),
        uneven=rate(x + (streamed - streamed.mean())[:, None]),
    )


def panels() -> tuple[Panel, Panel]:
    """Return (a) L = T and γ = θ; (b) neither."""
    # Powers of two in (a), where equality is the point: their arithmetic is exact.
    return (
        panel("a", levels=4, time_steps=4, activation_threshold=2.0, threshold=2.0),
        panel("b", levels=4, time_steps=6, activation_threshold=2.0, threshold=1.5),
    )


def run(settings: Settings) -> Outcome:
    """Return Figure 1, computed."""
    both = panels()
    facts = Facts()
    return Outcome(
        name="fig1",
        title="Figure 1: quantization, clipping and unevenness error of one neuron",
        columns=("panel", "L", "T", "γ", "θ", "x", "a", "φ, constant current", "φ, uneven current"),
        rows=[
            (
                one.letter,
                one.levels,
                one.time_steps,
                one.activation_threshold,
                one.threshold,
                *map(float, row),
            )
            for one in both
            for row in zip(one.current, one.activation, one.constant, one.uneven, strict=True)
        ],
        facts=facts,
        paragraph=_paragraph(*both, facts),
        figure=_figure(*both),
    )


def _paragraph(matched: Panel, unmatched: Panel, facts: Facts) -> str:
    inside, outside = ~unmatched.clipped, unmatched.clipped
    return (
        f"Floor, V0 = {facts('V0', 0)}, {facts('currents', POINTS)} mean currents x. (a) L = T = "
        f"{facts('a: L = T', matched.levels)}, γ = θ = {facts('a: γ = θ', matched.threshold)}: under the "
        "constant current |a - φ| is at most "
        f"{facts('a: constant, maximum', matched.error(matched.constant)[1])}; with the same total spread "
        f"unevenly it is {facts('a: uneven, mean', matched.error(matched.uneven)[0])} on average and at most "
        f"{facts('a: uneven, maximum', matched.error(matched.uneven)[1])}, all of it unevenness error. (b) L "
        f"= {facts('b: L', unmatched.levels)}, T = {facts('b: T', unmatched.time_steps)}, γ = "
        f"{facts('b: γ', unmatched.activation_threshold)}, θ = {facts('b: θ', unmatched.threshold)}: under "
        "the constant current, too, |a - φ| is at most "
        f"{facts('b: constant, maximum below both bounds', unmatched.error(unmatched.constant, inside)[1])} "
        "below both bounds, which is quantization error, and up to "
        f"{facts('b: constant, maximum above a bound', unmatched.error(unmatched.constant, outside)[1])} "
        "from the lower bound on, where clipping adds γ - θ = "
        f"{facts('b: γ - θ', unmatched.activation_threshold - unmatched.threshold)}; unevenly, the mean "
        f"rises from {facts('b: constant, mean', unmatched.error(unmatched.constant)[0])} to "
        f"{facts('b: uneven, mean', unmatched.error(unmatched.uneven)[0])}. The paper's caption of (b) names "
        "no clipping error, its text does."
    )


def _figure(*both: Panel) -> Figure:
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    for axis, one in zip(figure.subplots(1, 2, sharey=True), both, strict=True):
        _draw(axis, one)
        sign = "=" if one.levels == one.time_steps else "≠"
        axis.set_title(
            f"({one.letter}) L = {one.levels}, T = {one.time_steps}, γ {sign} θ", fontsize="medium"
        )
    return figure


def _draw(axis: Axes, one: Panel) -> None:
    lower, upper = np.minimum(one.activation, one.uneven), np.maximum(one.activation, one.uneven)
    axis.fill_between(one.current, lower, upper, color="C3", alpha=0.2, linewidth=0, label="|a - φ|, uneven")
    axis.plot(one.current, one.activation, color="black", linewidth=2.2, label="ANN: a")
    axis.plot(
        one.current, one.constant, color="C0", linewidth=1.6, linestyle="--", label="SNN: φ, constant current"
    )
    axis.plot(one.current, one.uneven, color="C3", linewidth=1.2, label="SNN: φ, uneven current")
    for value, name in ((one.activation_threshold, "γ"), (one.threshold, "θ")):
        axis.axvline(value, color="grey", linewidth=0.8, linestyle=":")
        if value != one.activation_threshold or name == "γ":
            same = one.activation_threshold == one.threshold
            axis.text(value - 0.03, -0.06, "γ = θ" if same else name, ha="right", va="top", color="grey")
    axis.set_xlabel("mean input current x of a time-step (units of a)")
    axis.set_ylabel("a and φ (units of a)")
    axis.set_ylim(-0.25, 2.2)
    axis.legend(fontsize="small", loc="upper left")
