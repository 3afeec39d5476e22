"""What one site accumulates over the images, in one of the two modes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from qvm_verify.audit.margins import Margins, histogram
from qvm_verify.audit.setting import Setting, per_step
from qvm_verify.report.model import ErrorStatistics, LayerResult, Mode, Preconditions, Propagation


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


@dataclass
class SiteStatistics:
    """Sums, counts and extremes of one site in one mode."""

    name: str
    mode: Mode
    setting: Setting
    margins: Margins
    neurons: int = 0
    samples: int = 0
    mismatches: int = 0
    max_difference: float = 0.0
    error_sum: float = 0.0
    error_max: float = 0.0
    negative: int = 0
    over: int = 0
    integer_z: int = 0
    non_finite: int = 0
    margin: int | None = None
    margin_counts: Tensor = field(default_factory=lambda: torch.zeros(64, dtype=torch.int64))
    current_differences: int = 0
    bound: int = 0
    observed: int = 0
    exceeded: int = 0

    def add(self, seen: Observation) -> None:
        """Take in one batch."""
        self.samples += len(seen.level)
        self.neurons = seen.level[0].numel()
        self.mismatches += int(seen.mismatches(self.setting).sum())
        difference = self._difference(seen)
        self.max_difference = max(self.max_difference, float(difference.max()))
        error = (seen.activation.double() - seen.scaled_rate.double()).abs().nan_to_num(0.0)
        self.error_sum += float(error.sum())
        self.error_max = max(self.error_max, float(error.max()))
        self._add_preconditions(seen)
        if self.mode == "end-to-end":
            self._add_propagation(seen, difference)

    def _difference(self, seen: Observation) -> Tensor:
        """Return |N - M T / L|; inputs that are not numbers are counted elsewhere and give 0 here."""
        expected = seen.level * self.setting.time_steps / self.setting.levels
        return (seen.spike_count - expected).abs().nan_to_num(0.0)

    def _add_preconditions(self, seen: Observation) -> None:
        setting = self.setting
        current = seen.activation_current if self.mode == "shadow" else seen.current
        self.negative += int((current < 0).sum())
        self.over += int((current > setting.threshold).sum())
        self.non_finite += int((~torch.isfinite(current)).sum())
        mean = self._mean_current(seen)
        z = mean * setting.levels / setting.activation_threshold
        self.integer_z += int(((z == z.floor()) & (z >= 0) & (z <= setting.levels)).sum())
        if not (setting.streaming and self.mode == "end-to-end"):
            distances = self.margins.distances(mean)
            nearest = int(distances.min())
            self.margin = nearest if self.margin is None else min(self.margin, nearest)
            self.margin_counts += histogram(distances).cpu()

    def _mean_current(self, seen: Observation) -> Tensor:
        """Return the current per time-step; for a constant current that is the current itself."""
        if self.mode == "shadow":
            return seen.activation_current
        return per_step(seen.current, self.setting).mean(0) if self.setting.streaming else seen.current

    def _add_propagation(self, seen: Observation, difference: Tensor) -> None:
        current = self._mean_current(seen)
        self.current_differences += int((current != seen.activation_current).sum())
        shift = (current - seen.activation_current).double().abs().nan_to_num(0.0, 0.0, 0.0)
        bound = torch.floor(shift * self.setting.time_steps / self.setting.threshold) + 1
        self.bound = max(self.bound, int(bound.max()))
        self.observed = max(self.observed, int(difference.max().ceil()))
        self.exceeded += int((difference > bound).sum())

    def result(self) -> LayerResult:
        """Return the row of the report."""
        entries = max(1, self.samples * self.neurons)
        error = ErrorStatistics(mean=self.error_sum / entries, max=self.error_max)
        end_to_end = self.mode == "end-to-end"
        return LayerResult(
            site=self.name,
            mode=self.mode,
            neurons=self.neurons,
            samples=self.samples,
            spike_count_mismatches=self.mismatches,
            max_abs_difference=self.max_difference,
            conversion_error=error,
            unevenness_error=error if self.setting.comparable else None,
            preconditions=Preconditions(
                negative_current=self.negative,
                over_threshold=self.over,
                integer_z=self.integer_z,
                non_finite=self.non_finite,
            ),
            margin_ulps=self.margin,
            margin_histogram=() if self.margin is None else tuple(self.margin_counts.tolist()),
            current_differences=self.current_differences if end_to_end else None,
            propagation=Propagation(bound=self.bound, observed=self.observed, exceeded=self.exceeded)
            if end_to_end
            else None,
        )
