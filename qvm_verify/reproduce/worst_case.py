"""The smallest and the largest spike count over all orders of the input spikes, exactly.

A neuron receives n_i spikes of weight w_i, each on a time-step of its own among T, and a constant current b.
With c_i(t) spikes of input i up to step t, its cumulative input is A_t = V_0 + b t + Σ_i w_i c_i(t), and it
fires at t where A_t - θ N_{t-1} >= θ (Eq. 1 and 2). So, with F_t = ⌊A_t / θ⌋,

    N_t = max(N_{t-1}, min(N_{t-1} + 1, F_t)),    N_0 = 0,

which never falls where N_{t-1} or F_t rises. By induction N_T is monotone in the whole path A_1, ..., A_T.
Whatever the order, max(0, n_i - (T - t)) <= c_i(t) <= min(n_i, t); the left is attained for all t at once by
firing as late as possible, the right by firing as early as possible. Hence one order gives the highest
path at every step, and so the largest N: positive weights early, negative ones late. Its mirror gives the
smallest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qvm_verify import reference

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """The spike counts that bound those of every order; some order attains each."""

    smallest: Array  # [outputs], integers
    largest: Array


def cumulative(counts: Array, time_steps: int, *, early: bool) -> Array:
    """Return c_i(t), the spikes up to step t = 1, ..., T, as early or as late as they can come, [T, inputs].

    Raises ValueError on a count outside [0, T].
    """
    counts = reference.spike_trains.check_counts(counts, time_steps)
    t = np.arange(1, time_steps + 1).reshape(-1, *[1] * counts.ndim)
    return np.minimum(counts, t) if early else np.maximum(0, counts - (time_steps - t))


def extreme_trains(weight: Array, counts: Array, time_steps: int, *, largest: bool) -> Array:
    """Return the spike trains, bool [T, inputs], that make one neuron's N largest or smallest.

    `weight` and `counts` are [inputs].
    """
    early, late = (cumulative(counts, time_steps, early=early) for early in (True, False))
    reached = np.where((np.asarray(weight) > 0) == largest, early, late)
    return np.diff(reached, axis=0, prepend=0) > 0


def envelope(
    weight: Any, counts: Any, *, threshold: Any, v_init: Any, time_steps: int, bias: Any = 0
) -> Envelope:
    """Return the exact extremes of N over all spike orders, in the arithmetic of `weight`.

    `weight` [outputs, inputs] holds what one spike adds to the current, W θ^{l-1}; `counts` [inputs] are
    whole and in [0, T]; `bias` b, `v_init` and `threshold` θ > 0 broadcast against [outputs]. Exact with
    arrays of `Fraction` or `int` (dtype object); with floats, the sums of the two orders are rounded.
    Raises ValueError on a count outside [0, T].
    """
    weight = np.asarray(weight)
    early, late = (cumulative(counts, time_steps, early=early) for early in (True, False))
    excitatory, inhibitory = np.maximum(weight, 0).T, np.minimum(weight, 0).T
    t = np.arange(1, time_steps + 1)[:, None]
    offset = v_init + t * np.asarray(bias)
    return Envelope(
        smallest=_count(offset + late @ excitatory + early @ inhibitory, threshold),
        largest=_count(offset + early @ excitatory + late @ inhibitory, threshold),
    )


def _count(path: Array, threshold: Any) -> Array:
    """Return N_T of the cumulative inputs A_t, [T, outputs]."""
    count = np.zeros(path.shape[1:], dtype=int)
    for a in path:
        count = count + np.asarray(a >= threshold * (count + 1), dtype=int)
    return count
