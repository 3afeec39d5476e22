"""One activation and one neuron in exact numbers, run in a float dtype or over the rationals."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from qvm_verify import reference
from qvm_verify.reference import MATCHED_V_INIT, Firing, Quantizer, Reset
from qvm_verify.verdict import Case

EXACT = "exact"
"""The dtype of an experiment over the rational numbers."""


class Outcome(NamedTuple):
    """What the reference makes of an experiment."""

    level: int
    spike_count: int
    lossless: bool  # N / T = M / L, compared as integers


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A case whose numbers are exact, so that one of them can be changed and the case run again."""

    dtype: str  # a float dtype, or EXACT
    quantizer: Quantizer
    levels: int
    gamma: Fraction  # threshold of the activation
    x: Fraction  # its current
    theta: Fraction  # threshold of the neuron
    v_fraction: Fraction  # V0 / θ
    firing: Firing
    reset: Reset
    currents: tuple[Fraction, ...]  # one a time-step

    @property
    def time_steps(self) -> int:
        """T, the number of time-steps."""
        return len(self.currents)

    @property
    def mean_current(self) -> Fraction:
        """Q_tot / T, the expected current (Eq. 9)."""
        return sum(self.currents, Fraction(0)) / self.time_steps

    @property
    def matched_fraction(self) -> Fraction:
        """V0 / θ as the quantizer wants it (Eq. 8)."""
        return MATCHED_V_INIT[self.quantizer]

    def run(self) -> Outcome:
        """Run it on the reference, in its dtype."""
        m, n = self._level(), self._spike_count()
        return Outcome(m, n, n * self.levels == m * self.time_steps)

    def _cast(self, value: Fraction) -> Any:
        if self.dtype == EXACT:
            return reference.as_dtype(value, object)
        return np.asarray(float(value), dtype=self.dtype)

    def _level(self) -> int:
        with np.errstate(over="ignore", invalid="ignore"):
            found = reference.level(
                self._cast(self.x),
                threshold=self._cast(self.gamma)[()],
                levels=self.levels,
                quantizer=self.quantizer,
            )
        return int(found)

    def _spike_count(self) -> int:
        theta = self._cast(self.theta)[()]
        currents = [self._cast(current)[()] for current in self.currents]
        v_init = self._cast(self.theta * self.v_fraction)[()]
        parameters = reference.IFParameters(theta, self.firing, self.reset)
        with np.errstate(over="ignore", invalid="ignore"):
            return int(reference.count_spikes(reference.if_steps(currents, v_init, parameters)))

    def case(self) -> Case:
        """Return the case, without a trace, with what the reference makes of it in the float dtype."""
        outcome = self.run()

        def written(value: Fraction) -> str:
            return float(self._cast(value)).hex()

        return Case(
            dtype=self.dtype,
            quantizer=self.quantizer,
            levels=self.levels,
            activation_threshold=written(self.gamma),
            activation_current=written(self.x),
            threshold=written(self.theta),
            v_init=written(self.theta * self.v_fraction),
            time_steps=self.time_steps,
            firing=self.firing,
            reset=self.reset,
            currents=tuple(written(current) for current in self.currents),
            reference_level=outcome.level,
            reference_spike_count=outcome.spike_count,
        )


def experiment_of(case: Case) -> Experiment:
    """Return a case as an experiment.

    Raises ValueError, OverflowError or ZeroDivisionError where a number of it is NaN or infinite, is no
    number, or the threshold is 0.
    """

    def exact(text: str) -> Fraction:
        return Fraction(float.fromhex(text))

    return Experiment(
        dtype=case.dtype,
        quantizer=case.quantizer,  # type: ignore[arg-type]  # the report's schema lists the quantizers
        levels=case.levels,
        gamma=exact(case.activation_threshold),
        x=exact(case.activation_current),
        theta=exact(case.threshold),
        v_fraction=exact(case.v_init) / exact(case.threshold),
        firing=case.firing,  # type: ignore[arg-type]  # the report's schema lists the firing rules
        reset=case.reset,  # type: ignore[arg-type]  # the report's schema lists the resets
        currents=tuple(map(exact, case.currents)),
    )
