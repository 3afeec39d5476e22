"""The integrate-and-fire neuron (Eq. 1-3).

    U_t = V_{t-1} + q_t                     potential before firing
    s_t = 1[U_t >= θ]                       spike
    V_t = U_t - θ s_t                       potential after reset by subtraction

The paper fires at U >= θ and resets by subtraction. The strict comparison and the reset to zero are here
because conversions with them exist and must be audited, and because firing on U > θ repairs Theorem 3
for ceil.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from qvm_verify.reference.ops import NUMPY, Number, Ops

Firing = Literal[">=", ">"]
Reset = Literal["reset_by_subtraction", "reset_to_zero"]
FIRINGS: tuple[Firing, ...] = get_args(Firing)
RESETS: tuple[Reset, ...] = get_args(Reset)


class IFParameters(NamedTuple):
    """What stays the same over all time-steps."""

    threshold: Number  # θ > 0, in the units of the current
    firing: Firing = ">="
    reset: Reset = "reset_by_subtraction"


class IFStep(NamedTuple):
    """One time-step of a neuron."""

    u: Number  # membrane potential before firing
    spike: Any  # s_t, true where the neuron fired
    v: Number  # membrane potential after reset


def if_step(current: Number, v: Number, p: IFParameters, ops: Ops = NUMPY) -> IFStep:
    """Advance a neuron with potential `v` by one time-step under `current` (Eq. 1)."""
    u = v + current
    spike = u >= p.threshold if p.firing == ">=" else u > p.threshold
    after_spike = u - p.threshold if p.reset == "reset_by_subtraction" else 0
    return IFStep(u, spike, ops.where(spike, after_spike, u))


def if_steps(currents: Iterable[Number], v_init: Number, p: IFParameters, ops: Ops = NUMPY) -> list[IFStep]:
    """Run a neuron from V_0 = `v_init` over any currents, one entry of `currents` a time-step (Eq. 1)."""
    steps: list[IFStep] = []
    v = v_init
    for current in currents:
        steps.append(if_step(current, v, p, ops))
        v = steps[-1].v
    return steps


def count_spikes(steps: Iterable[IFStep], ops: Ops = NUMPY) -> Number:
    """Return N = Σ s_t (Eq. 3), an integer."""
    count: Number = 0
    for step in steps:
        count = ops.where(step.spike, count + 1, count)
    return count


class Simulation(NamedTuple):
    """A whole run; every array has the shape [T, ...] of the currents."""

    u: np.ndarray[Any, Any]
    spikes: np.ndarray[Any, Any]  # bool
    v: np.ndarray[Any, Any]

    @property
    def spike_count(self) -> np.ndarray[Any, Any]:
        """N = Σ_t s_t, an integer array of shape [...]."""
        return np.asarray(self.spikes.sum(axis=0))

    @property
    def residual(self) -> np.ndarray[Any, Any]:
        """V_T, the membrane potential that is left, of shape [...]."""
        return np.asarray(self.v[-1])


def simulate(currents: Any, *, v_init: Number, parameters: IFParameters) -> Simulation:
    """Run neurons over `currents` of shape [T, ...], in the arithmetic of the array (Eq. 1-2).

    `v_init` and the threshold broadcast against [...], in the units of the current. Raises ValueError
    where there is no time-step.
    """
    currents = np.asarray(currents)
    if currents.ndim == 0 or len(currents) == 0:
        raise ValueError(f"currents need at least one time-step, got shape {currents.shape}")
    start = np.broadcast_to(NUMPY.cast(v_init, like=currents), currents.shape[1:])
    threshold = NUMPY.cast(parameters.threshold, like=currents)
    steps = if_steps(currents, start, parameters._replace(threshold=threshold))
    u, spikes, v = (np.stack([np.asarray(part) for part in parts]) for parts in zip(*steps, strict=True))
    return Simulation(u, spikes, v)


def constant_currents(current: Any, time_steps: int) -> np.ndarray[Any, Any]:
    """Return the expected current at every time-step, shape [T, ...] (Eq. 9: q_t = Q_tot / T)."""
    if time_steps < 1:
        raise ValueError(f"time_steps must be at least 1, got {time_steps}")
    current = np.asarray(current)
    return np.broadcast_to(current, (time_steps, *current.shape))


def scaled_rate(spike_count: Number, *, threshold: Number, time_steps: int, ops: Ops = NUMPY) -> Number:
    """Return φ = (θ / T) · N, the scaled firing rate (Eq. 3)."""
    return threshold / time_steps * ops.cast(spike_count, like=threshold)


def conserved_potential(
    *, v_init: Number, total_current: Number, threshold: Number, spike_count: Number
) -> Number:
    """Return V_0 + Q_tot - θ N, which Eq. 2 says is the residual V_T under reset by subtraction."""
    return v_init + total_current - threshold * spike_count
