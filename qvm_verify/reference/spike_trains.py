"""The four input scenarios of A.1: how one and the same total input reaches a neuron over time.

Counts are integer arrays of shape [...] with entries in [0, T]; spike trains are bool arrays [T, ...].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qvm_verify.reference.neuron import constant_currents

Array = np.ndarray[Any, Any]


def check_counts(spike_counts: Any, time_steps: int) -> Array:
    """Return the counts as an integer array; raise ValueError on a count outside [0, T]."""
    if time_steps < 1:
        raise ValueError(f"time_steps must be at least 1, got {time_steps}")
    counts: Array = np.asarray(spike_counts)
    if not np.issubdtype(counts.dtype, np.integer):
        raise ValueError(f"spike counts must be integers, got dtype {counts.dtype}")
    outside: Array = counts[(counts < 0) | (counts > time_steps)]
    if outside.size:
        raise ValueError(f"a spike count must lie in [0, {time_steps}], got {outside.flat[0]}")
    return counts


def random_spikes(counts: Any, time_steps: int, rng: np.random.Generator) -> Array:
    """Return trains whose `counts` spikes fall on time-steps drawn without replacement (A.1, scenario 1)."""
    counts = check_counts(counts, time_steps)
    order = rng.random((time_steps, *counts.shape)).argsort(axis=0).argsort(axis=0)
    return np.asarray(order < counts)


def uniform_spikes(counts: Any, time_steps: int) -> Array:
    """Return trains whose `counts` spikes are T / N apart (A.1, scenario 2).

    Spike k = 0, 1, ..., N-1 falls on time-step ⌊k T / N⌋, that is, step t fires where ⌈t N / T⌉ rises.
    """
    counts = check_counts(counts, time_steps)
    t = np.arange(time_steps + 1).reshape(-1, *[1] * counts.ndim)
    spikes_before = -((-t * counts) // time_steps)
    return np.asarray(np.diff(spikes_before, axis=0) > 0)


def spike_currents(weight: Any, spikes: Any, threshold: Any) -> Array:
    """Return q_t = W s_t θ (Eq. 1), shape [T, outputs], from spikes [T, inputs] and W [outputs, inputs].

    `threshold` is that of the layer which sent the spikes.
    """
    spikes = np.asarray(spikes)
    scaled = np.where(spikes, threshold, 0 * np.asarray(threshold))
    return np.asarray(scaled @ np.asarray(weight).T)


def ann_output_currents(activation: Any, time_steps: int) -> Array:
    """Return the ANN's output activation as the current of every time-step (A.1, scenario 3)."""
    return constant_currents(activation, time_steps)


def expected_currents(weight: Any, counts: Any, threshold: Any, time_steps: int) -> Array:
    """Return q_t = W N θ / T at every time-step (A.1, scenario 4; Eq. 9), shape [T, outputs]."""
    counts = check_counts(counts, time_steps)
    rate = np.asarray(threshold) / time_steps * counts
    return constant_currents(rate.astype(np.asarray(weight).dtype) @ np.asarray(weight).T, time_steps)
