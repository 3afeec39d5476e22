"""A.1: how the temporal distribution of the input spikes makes one layer's output err (Setups 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from qvm_verify import reference
from qvm_verify.reference import MATCHED_V_INIT, IFParameters, Quantizer

Array = np.ndarray[Any, Any]
Counts = Literal["rounded", "rounded spikes", "cut spikes"]
COUNTS: tuple[Counts, ...] = get_args(Counts)
Phase = Literal["from the first step", "centred"]
PHASES: tuple[Phase, ...] = get_args(Phase)
Scenario = Literal["random", "uniform", "ANN input", "expected current"]
SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)

NEURONS, TRIALS, SEED, TIME_STEPS = 1000, 1000, 48, 8
THRESHOLD_BEFORE, THRESHOLD = 1.5, 2.0


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What A.1 leaves open.

    `inputs` is the size of the layer before. N^{l-1} = a^{l-1} T / θ^{l-1} is hardly ever whole. "rounded":
    it is rounded and the ANN, too, sees the rounded activation, so that a^{l-1} = φ^{l-1} as Setup 2
    demands. Otherwise the ANN and Eq. 9 keep the fraction and the spike trains lose it: "rounded spikes" to
    the nearest count, "cut spikes" to the one below. Spikes T / N apart may start on the first time-step or
    half an interval later, "centred".
    """

    inputs: int = 1000
    counts: Counts = "rounded"
    quantizer: Quantizer = "floor"
    phase: Phase = "from the first step"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One scenario over all trials; mean and standard deviation are those of the trials' values."""

    scenario: Scenario
    errors: Array  # mean |a - φ| of each trial, in the units of a
    correlations: Array  # Pearson's R of a and φ in each trial
    pairs: Array  # how many neurons of all trials had level M and spike count N, [T + 1, T + 1]

    @property
    def error(self) -> tuple[float, float]:
        """Mean and standard deviation of the mean absolute error."""
        return float(self.errors.mean()), float(self.errors.std())

    @property
    def correlation(self) -> tuple[float, float]:
        """Mean and standard deviation of R; trials in which all neurons agree have none."""
        return float(np.nanmean(self.correlations)), float(np.nanstd(self.correlations))

    @property
    def differences(self) -> list[int]:
        """How many neurons had |M - N| = 0, 1, ..., T."""
        m, n = np.indices(self.pairs.shape)
        return [int(self.pairs[abs(m - n) == k].sum()) for k in range(len(self.pairs))]


@dataclass
class _Tally:
    errors: list[float] = field(default_factory=list)
    correlations: list[float] = field(default_factory=list)
    pairs: Array = field(default_factory=lambda: np.zeros((TIME_STEPS + 1, TIME_STEPS + 1), int))


def measure(
    choice: Choice, *, trials: int = TRIALS, neurons: int = NEURONS, seed: int = SEED
) -> dict[Scenario, Measured]:
    """Return the error of every scenario, with new weights and inputs in each trial.

    W ~ U(-1, 1) of shape [neurons, inputs], a^{l-1} ~ U(0, θ^{l-1}), V0 matched to the quantizer, T = L = 8.
    """
    rng = np.random.default_rng(seed)
    tallies = {scenario: _Tally() for scenario in SCENARIOS}
    unit = THRESHOLD / TIME_STEPS
    for _ in range(trials):
        level, counts = _trial(choice, neurons, rng)
        for scenario, spike_count in counts:
            tally = tallies[scenario]
            tally.errors.append(unit * float(np.abs(level - spike_count).mean()))
            tally.correlations.append(_pearson(level, spike_count))
            np.add.at(tally.pairs, (level, spike_count), 1)
    return {
        scenario: Measured(
            scenario=scenario,
            errors=np.array(tally.errors),
            correlations=np.array(tally.correlations),
            pairs=tally.pairs,
        )
        for scenario, tally in tallies.items()
    }


def _trial(
    choice: Choice, neurons: int, rng: np.random.Generator
) -> tuple[Array, Iterator[tuple[Scenario, Array]]]:
    """Return the levels M of one draw, and the spike counts N under each scenario."""
    weight = rng.uniform(-1, 1, (neurons, choice.inputs))
    fractional = rng.uniform(0, THRESHOLD_BEFORE, choice.inputs) * TIME_STEPS / THRESHOLD_BEFORE
    counts = np.floor(fractional if choice.counts == "cut spikes" else fractional + 0.5).astype(int)
    seen = counts if choice.counts == "rounded" else fractional
    uniformly = reference.uniform_spikes if choice.phase == "from the first step" else centred_spikes
    trains = [reference.random_spikes(counts, TIME_STEPS, rng), uniformly(counts, TIME_STEPS)]
    # One product for everything that is weighted: the expected rate and both trains.
    rows = np.concatenate([seen[None] / TIME_STEPS, *trains]) * THRESHOLD_BEFORE @ weight.T
    current, random, uniform = rows[0], rows[1 : TIME_STEPS + 1], rows[TIME_STEPS + 1 :]
    level = reference.level(
        current, threshold=THRESHOLD, levels=TIME_STEPS, quantizer=choice.quantizer
    ).astype(int)
    activation = reference.scaled_rate(level, threshold=THRESHOLD, time_steps=TIME_STEPS)
    currents: dict[Scenario, Array] = {
        "random": random,
        "uniform": uniform,
        "ANN input": reference.ann_output_currents(activation, TIME_STEPS),
        "expected current": reference.constant_currents(current, TIME_STEPS),
    }
    v_init = MATCHED_V_INIT[choice.quantizer] * THRESHOLD
    parameters = IFParameters(threshold=THRESHOLD)
    return level, (
        (scenario, reference.simulate(q, v_init=v_init, parameters=parameters).spike_count)
        for scenario, q in currents.items()
    )


def centred_spikes(counts: Array, time_steps: int) -> Array:
    """Return uniform trains that start half an interval late: spike k falls on ⌊(k + 1/2) T / N⌋."""
    t = np.arange(time_steps + 1).reshape(-1, *[1] * counts.ndim)
    spikes_before = -((time_steps - 2 * t * counts) // (2 * time_steps))
    return np.asarray(np.diff(spikes_before, axis=0) > 0)


def _pearson(level: Array, spike_count: Array) -> float:
    """Return R; θ / T scales a and φ alike and drops out. NaN where one of them does not vary."""
    x, y = level - level.mean(), spike_count - spike_count.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale else float("nan")
