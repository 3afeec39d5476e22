"""What the two modules of a site say of themselves, as plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from qvm_verify import reference
from qvm_verify.audit.sites import Pair, count, scalar
from qvm_verify.exits import InputError
from qvm_verify.reference import Firing, Quantizer, Reset

NUMPY_DTYPES = {torch.float16: "float16", torch.float32: "float32", torch.float64: "float64"}
"""The dtypes in which PyTorch can be held against the NumPy reference."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Thresholds, levels and rules of one pair; thresholds and v_init exact, as Python floats."""

    levels: int
    quantizer: Quantizer
    activation_threshold: float
    time_steps: int
    threshold: float
    v_init: float
    firing: Firing
    reset: Reset
    streaming: bool

    @property
    def valid(self) -> bool:
        """Whether both thresholds are positive and finite, without which nothing else means anything."""
        return all(0 < value < math.inf for value in (self.threshold, self.activation_threshold))

    @property
    def comparable(self) -> bool:
        """Whether the conversion error is pure unevenness error: T = L and θ = γ (Section 4)."""
        return self.levels == self.time_steps and self.threshold == self.activation_threshold


def setting_of(pair: Pair) -> Setting:
    """Read a pair's attributes. Raises InputError where one has no meaning."""
    activation, neuron = pair.activation, pair.neuron
    firing, reset = getattr(neuron, "firing", ">="), getattr(neuron, "reset", "reset_by_subtraction")
    for value, known in (
        (activation.quantizer, reference.QUANTIZERS),
        (firing, reference.FIRINGS),
        (reset, reference.RESETS),
    ):
        if value not in known:
            raise InputError(f"{pair.name}: {value!r} is none of {', '.join(known)}")
    return Setting(
        levels=count(activation, "levels", pair.name),
        quantizer=activation.quantizer,  # type: ignore[arg-type]  # checked above
        activation_threshold=scalar(activation, "threshold", pair.name),
        time_steps=count(neuron, "time_steps", pair.name),
        threshold=scalar(neuron, "threshold", pair.name),
        v_init=scalar(neuron, "v_init", pair.name),
        firing=firing,  # type: ignore[arg-type]  # checked above
        reset=reset,  # type: ignore[arg-type]  # checked above
        streaming=getattr(neuron, "currents", "constant") == "streaming",
    )


def repeat_steps(current: Tensor, setting: Setting) -> Tensor:
    """Return a constant current [batch, ...] in the shape in which the neuron takes it."""
    return torch.cat([current] * setting.time_steps) if setting.streaming else current


def per_step(current: Tensor, setting: Setting) -> Tensor:
    """Return what a neuron received as [T, batch, ...], without copying."""
    if setting.streaming:
        return current.reshape(setting.time_steps, -1, *current.shape[1:])
    return current.expand(setting.time_steps, *current.shape)


def decode_levels(output: Tensor, setting: Setting) -> tuple[Tensor, int]:
    """Return M as read off a = (γ / L) M, and how many outputs lie on no level."""
    return _nearest(output * setting.levels / setting.activation_threshold, setting.levels)


def decode_counts(output: Tensor, setting: Setting) -> tuple[Tensor, int]:
    """Return N as read off φ = (θ / T) N or off the scaled spikes s_t θ, and how many lie off the grid."""
    if not setting.streaming:
        return _nearest(output * setting.time_steps / setting.threshold, setting.time_steps)
    spikes, off_grid = _nearest(per_step(output, setting) / setting.threshold, 1)
    return spikes.sum(0), off_grid


def scaled_rates(output: Tensor, counts: Tensor, setting: Setting) -> Tensor:
    """Return φ, as the neuron returned it or, for streaming neurons, from its count (Eq. 3)."""
    return setting.threshold / setting.time_steps * counts if setting.streaming else output


def _nearest(value: Tensor, largest: int) -> tuple[Tensor, int]:
    """Return the nearest integers, and how many values are further from them than rounding explains.

    The tolerance is 8 u per unit: four rounded operations lie between the integer and `value`, so it is
    twice what can happen, and capped at a quarter. NaN stays NaN and is not counted here.
    """
    nearest = value.round()
    tolerance = min(0.25, 8 * torch.finfo(value.dtype).eps * largest)
    outside = (value - nearest).abs() > tolerance
    outside |= (nearest < 0) | (nearest > largest)
    return nearest, int(outside.sum())
