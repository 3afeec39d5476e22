"""What is counted at one site over the images, in one of the two modes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from qvm_verify.audit.margins import Margins, histogram_of
from qvm_verify.audit.mergeable import (
    Count,
    Histogram,
    Largest,
    LargestFloat,
    Mergeable,
    PairCounts,
    Smallest,
    Triple,
)
from qvm_verify.audit.setting import Setting, per_step
from qvm_verify.report.model import ErrorStatistics, LayerResult, Mode, Preconditions, Propagation

DENSE = 1 << 16
"""Up to so many different pairs (M, N), a table of counts is the fastest way to count them."""


class Observation(NamedTuple):
    """One site on one batch; all but `current` have the shape [batch, ...]."""

    activation_current: Tensor  # x, what the ANN's activation received
    level: Tensor  # M, integer-valued
    activation: Tensor  # a
    current: Tensor  # what the neuron received: [batch, ...], or [T · batch, ...] under streaming
    spike_count: Tensor  # N, integer-valued
    scaled_rate: Tensor  # φ

    def mismatches(self, setting: Setting) -> Tensor:
        """Return where N / T differs from M / L, compared as integers: N L != M T. NaN always differs."""
        return self.spike_count * setting.levels != self.level * setting.time_steps

    def at(self, entries: Tensor, setting: Setting) -> Observation:
        """Return the entries with these numbers, counted through the batch, as a batch of single numbers."""

        def flat(x: Tensor) -> Tensor:
            return entries_of(x, entries)

        steps = per_step(self.current, setting) if setting.streaming else (self.current,)
        current = torch.cat([flat(step) for step in steps])
        return Observation(*map(flat, self._replace(current=self.level)))._replace(current=current)


def entries_of(x: Tensor, numbers: Tensor) -> Tensor:
    """Return the entries with these numbers, counted row by row, whatever the layout in memory."""
    # Not x.flatten()[numbers], which copies all of a channels-last tensor for a few numbers of it.
    return x[torch.unravel_index(numbers.to(x.device), x.shape)]


@dataclass
class SiteStatistics(Mergeable):
    """Counts and extremes of one site in one mode."""

    neurons: Largest = 0
    samples: Count = 0
    mismatches: Count = 0
    max_difference: LargestFloat = 0.0
    level_spike_counts: PairCounts = ()
    negative: Count = 0
    over: Count = 0
    integer_z: Count = 0
    non_finite: Count = 0
    margin: Smallest = None
    margin_counts: Histogram = ()
    current_differences: Count = 0
    bound: Largest = 0
    observed: Largest = 0
    exceeded: Count = 0

    def result(self, name: str, mode: Mode, setting: Setting) -> LayerResult:
        """Return the row of the report."""
        error = _errors(self.level_spike_counts, setting, self.samples * self.neurons)
        end_to_end = mode == "end-to-end"
        return LayerResult(
            site=name,
            mode=mode,
            levels=setting.levels,
            time_steps=setting.time_steps,
            neurons=self.neurons,
            samples=self.samples,
            spike_count_mismatches=self.mismatches,
            max_abs_difference=self.max_difference,
            level_spike_counts=self.level_spike_counts,
            conversion_error=error,
            unevenness_error=error if setting.comparable else None,
            preconditions=Preconditions(
                negative_current=self.negative,
                over_threshold=self.over,
                integer_z=self.integer_z,
                non_finite=self.non_finite,
            ),
            margin_ulps=self.margin,
            margin_histogram=self.margin_counts,
            current_differences=self.current_differences if end_to_end else None,
            propagation=Propagation(bound=self.bound, observed=self.observed, exceeded=self.exceeded)
            if end_to_end
            else None,
        )


def site_statistics(
    seen: Observation, mode: Mode, setting: Setting, margins: Margins, times: Tensor | None = None
) -> SiteStatistics:
    """Return the statistics of one batch; an entry counts once, or as often as `times` says.

    `times`, of the shape of the entries, is at least 1 everywhere.
    """

    def number(where: Tensor) -> int:
        return int((where if times is None else times[where]).sum())

    difference = _difference(seen, setting)
    statistics = SiteStatistics(
        neurons=seen.level[0].numel(),
        samples=len(seen.level),
        mismatches=number(seen.mismatches(setting)),
        max_difference=float(difference.max()),
        level_spike_counts=_level_spike_counts(seen, setting, times),
    )
    current = seen.activation_current if mode == "shadow" else seen.current
    statistics.negative = number(current < 0)
    statistics.over = number(current > setting.threshold)
    statistics.non_finite = number(~torch.isfinite(current))
    mean = _mean_current(seen, mode, setting)
    z = mean * setting.levels / setting.activation_threshold
    statistics.integer_z = number((z == z.floor()) & (z >= 0) & (z <= setting.levels))
    if not (setting.streaming and mode == "end-to-end"):
        distances = margins.distances(mean)
        statistics.margin = int(distances.min())
        statistics.margin_counts = tuple(histogram_of(distances, times).tolist())
    if mode == "end-to-end":
        _add_propagation(statistics, seen, mean, difference, setting, number)
    return statistics


def _difference(seen: Observation, setting: Setting) -> Tensor:
    """Return |N - M T / L|; inputs that are not numbers are counted elsewhere and give 0 here."""
    expected = seen.level * setting.time_steps / setting.levels
    return (seen.spike_count - expected).abs().nan_to_num(0.0)


def _mean_current(seen: Observation, mode: Mode, setting: Setting) -> Tensor:
    """Return the current per time-step; for a constant current that is the current itself."""
    if mode == "shadow":
        return seen.activation_current
    return per_step(seen.current, setting).mean(0) if setting.streaming else seen.current


def _level_spike_counts(seen: Observation, setting: Setting, times: Tensor | None) -> tuple[Triple, ...]:
    """Return how often each (M, N) occurs; what lies off the grid counts at its edge, NaN not at all."""
    width = setting.time_steps + 1
    cells = seen.level.double().clamp(0, setting.levels) * width  # exact in float64
    cells += seen.spike_count.clamp(0, setting.time_steps)
    cells = cells.flatten()
    known = ~torch.isnan(cells)
    numbers, weights = cells[known].long(), None if times is None else times.flatten()[known]
    if (setting.levels + 1) * width <= DENSE:
        counts = torch.bincount(numbers, weights).long()
        found = counts.nonzero().flatten()
        counts = counts[found]
    else:
        found, places = torch.unique(numbers, return_inverse=True)
        counts = torch.bincount(places, weights).long()
    return tuple(
        (cell // width, cell % width, number)
        for cell, number in zip(found.tolist(), counts.tolist(), strict=True)
    )


def _errors(pairs: tuple[Triple, ...], setting: Setting, entries: int) -> ErrorStatistics:
    """Return mean and maximum of |γ M / L - θ N / T| in float64, summed in the order of (M, N)."""
    gamma, theta = setting.activation_threshold, setting.threshold
    total = worst = 0.0
    for level, spike_count, number in pairs:
        error = abs(gamma * level / setting.levels - theta * spike_count / setting.time_steps)
        total += number * error
        worst = max(worst, error)
    return ErrorStatistics(mean=total / max(1, entries), max=worst)


def _add_propagation(
    statistics: SiteStatistics,
    seen: Observation,
    current: Tensor,
    difference: Tensor,
    setting: Setting,
    number: Callable[[Tensor], int],
) -> None:
    statistics.current_differences = number(current != seen.activation_current)
    shift = (current - seen.activation_current).double().abs().nan_to_num(0.0, 0.0, 0.0)
    bound = torch.floor(shift * setting.time_steps / setting.threshold) + 1
    statistics.bound = int(bound.max())
    statistics.observed = int(difference.max().ceil())
    statistics.exceeded = number(difference > bound)
