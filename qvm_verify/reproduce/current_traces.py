"""Figure 2: the same input as an uneven and as an even current, and what one neuron makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qvm_verify import reference
from qvm_verify.reference import IFParameters, Simulation
from qvm_verify.reproduce.outcome import Facts, Outcome
from qvm_verify.reproduce.settings import Settings

Array = np.ndarray[Any, Any]
SEED, INPUTS, TIME_STEPS, THRESHOLD = 48, 4, 8, 1.0


@dataclass(frozen=True, kw_only=True)
class Traces:
    """One neuron with floor and V0 = 0 under both currents; time runs along the first axis."""

    weight: Array  # [inputs]
    spikes: Array  # bool [T, inputs]
    uneven: Array  # current [T]
    even: Array
    level: int  # M
    of_uneven: Simulation
    of_even: Simulation

    @property
    def counts(self) -> tuple[int, int]:
        """N under the uneven and under the even current."""
        return int(self.of_uneven.spike_count), int(self.of_even.spike_count)


def traces() -> Traces:
    """Return the first neuron drawn with seed 48 that the uneven current gives another N than the even one.

    Weights from U(-1, 1), counts up to T on random time-steps, θ = θ^{l-1} = 1, and θ/2 < q < θ for the even
    current, so that it fires and nothing is clipped.
    """
    rng = np.random.default_rng(SEED)
    parameters = IFParameters(threshold=THRESHOLD)
    while True:
        weight, counts = rng.uniform(-1, 1, INPUTS), rng.integers(0, TIME_STEPS + 1, INPUTS)
        spikes = reference.random_spikes(counts, TIME_STEPS, rng)
        uneven = reference.spike_currents(weight, spikes, THRESHOLD)
        even = reference.expected_currents(weight, counts, THRESHOLD, TIME_STEPS)
        level = reference.level(even[0], threshold=THRESHOLD, levels=TIME_STEPS, quantizer="floor")
        found = Traces(
            weight=weight,
            spikes=spikes,
            uneven=uneven,
            even=even,
            level=int(level),
            of_uneven=reference.simulate(uneven, v_init=0, parameters=parameters),
            of_even=reference.simulate(even, v_init=0, parameters=parameters),
        )
        if found.counts[0] != found.counts[1] and THRESHOLD / 2 < even[0] < THRESHOLD:
            return found


def run(settings: Settings) -> Outcome:
    """Return Figure 2, computed."""
    found = traces()
    facts = Facts()
    uneven, even = found.counts
    total = float(found.uneven.sum())
    return Outcome(
        name="fig2",
        title="Figure 2: an uneven and an even current with the same total",
        columns=(
            "time-step",
            *(f"spike of input {k + 1}, weight {w:.4g}" for k, w in enumerate(found.weight)),
            *(f"{kind}: {what}" for kind in ("uneven", "even") for what in ("current", "U", "spike", "V")),
        ),
        rows=[
            (
                t + 1,
                *map(int, found.spikes[t]),
                *_step(found.uneven, found.of_uneven, t),
                *_step(found.even, found.of_even, t),
            )
            for t in range(TIME_STEPS)
        ],
        facts=facts,
        paragraph=(
            f"{facts('inputs', INPUTS)} inputs, T = {facts('T', TIME_STEPS)}, θ = {facts('θ', THRESHOLD)}, "
            f"floor, V0 = {facts('V0', 0)}; the first neuron drawn with seed {facts('seed', SEED)} on which "
            f"the order matters. The total current is {facts('total current', total)} either way, so M = "
            f"{facts('M', found.level)}. Spread evenly it gives N = {facts('N, even', even)} and leaves V_T "
            f"= {facts('V_T, even', float(found.of_even.residual))}; as the spikes arrive, N = "
            f"{facts('N, uneven', uneven)} and V_T = "
            f"{facts('V_T, uneven', float(found.of_uneven.residual))}, an unevenness error of "
            f"{facts('unevenness error', THRESHOLD / TIME_STEPS * abs(found.level - uneven))}."
        ),
        figure=_figure(found),
    )


def _step(current: Array, simulation: Simulation, t: int) -> tuple[float, float, int, float]:
    return float(current[t]), float(simulation.u[t]), int(simulation.spikes[t]), float(simulation.v[t])


def _figure(found: Traces) -> Figure:
    figure = Figure(figsize=(13, 5), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True)
    _raster(axes[0, 0], found)
    t = np.arange(1, TIME_STEPS + 1)
    axes[1, 0].bar(t - 0.2, found.uneven, width=0.4, color="C3", label="uneven")
    axes[1, 0].bar(t + 0.2, found.even, width=0.4, color="C0", label="even")
    axes[1, 0].axhline(0, color="grey", linewidth=0.8)
    axes[1, 0].set_ylabel("current q_t (units of θ)")
    axes[1, 0].legend(fontsize="small")
    kinds = (("b", "uneven", found.of_uneven, "C3"), ("c", "even", found.of_even, "C0"))
    for column, (letter, kind, simulation, colour) in enumerate(kinds, start=1):
        _potential(axes[0, column], simulation, colour)
        n = int(simulation.spike_count)
        axes[0, column].set_title(f"({letter}) {kind} current: N = {n}, M = {found.level}", fontsize="medium")
        axes[1, column].vlines(t[simulation.spikes], 0, 1, color=colour, linewidth=3)
        axes[1, column].set_ylim(0, 1.2)
        axes[1, column].set_yticks([0, 1])
        axes[1, column].set_ylabel("spike s_t")
    for axis in axes[1]:
        axis.set_xlabel("time-step t")
        axis.set_xticks(t)
    lowest = min(axis.get_ylim()[0] for axis in axes[0, 1:])
    highest = max(axis.get_ylim()[1] for axis in axes[0, 1:])
    for axis in axes[0, 1:]:
        axis.set_ylim(lowest, highest)
    return figure


def _raster(axis: Axes, found: Traces) -> None:
    for k, (train, weight) in enumerate(zip(found.spikes.T, found.weight, strict=True)):
        at = np.flatnonzero(train) + 1
        axis.vlines(at, k - 0.35, k + 0.35, color="C2" if weight > 0 else "C1", linewidth=3)
    axis.set_yticks(range(INPUTS), [f"w = {w:+.2f}" for w in found.weight])
    axis.set_ylabel("input")
    axis.set_title("(a) input spikes and their weighted sum", fontsize="medium")


def _potential(axis: Axes, simulation: Simulation, colour: str) -> None:
    """Draw V_{t-1} -> U_t -> V_t: the current comes in over the time-step, the reset drops at its end."""
    times, values = [0.0], [0.0]
    for t, (u, v) in enumerate(zip(simulation.u, simulation.v, strict=True), start=1):
        times += [t, t]
        values += [float(u), float(v)]
    axis.plot(times, values, color=colour, marker=".", markersize=4)
    axis.axhline(THRESHOLD, color="black", linewidth=0.8, linestyle="--", label="θ")
    axis.set_ylabel("potential (units of θ)")
    axis.legend(fontsize="small", loc="upper left")
