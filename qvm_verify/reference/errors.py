"""Conversion errors and how they propagate (Eq. 5, Eq. 11-15).

Everything is written over `ops`, for arrays of shape [...] and for symbols alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qvm_verify.reference.ops import NUMPY, Number, Ops


def conversion_error(*, activation: Number, scaled_rate: Number, ops: Ops = NUMPY) -> Number:
    """Return ξ = |a - φ|, in the units of the activation (Section 4).

    It is the sum of quantization, clipping and unevenness error.
    """
    return magnitude(activation - scaled_rate, ops)


def unevenness_error(
    *, threshold: Number, time_steps: int, level: Number, spike_count: Number, ops: Ops = NUMPY
) -> Number:
    """Return ξ = θ / T · |M - N| (Eq. 5): the conversion error where L = T and γ = θ."""
    return threshold / time_steps * magnitude(ops.cast(level - spike_count, like=threshold), ops)


def magnitude(x: Number, ops: Ops = NUMPY) -> Number:
    """Return |x|."""
    return ops.where(x < 0, -x, x)


def propagated_error(
    *, weight: Any, threshold_before: Number, threshold: Number, count_errors: Any
) -> np.ndarray[Any, Any]:
    """Return δ_z = W θ^{l-1} δ^{l-1} / θ^l, shape [outputs] (below Eq. 12).

    `weight` is [outputs, inputs]; `count_errors` δ^{l-1} = N^{l-1} - M^{l-1} is [inputs].
    """
    return np.asarray(np.asarray(weight) @ np.asarray(count_errors) * threshold_before / threshold)


def count_error_bound(delta_z: Number, ops: Ops = NUMPY) -> Number:
    """Return ⌊|δ_z|⌋ + 1, the bound on |N - M| (Eq. 14)."""
    return ops.floor(magnitude(delta_z, ops)) + 1


def sharp_count_error_bound(delta_z: Number, ops: Ops = NUMPY) -> Number:
    """Return ⌈|δ_z|⌉: never above Eq. 14's bound, and 0 where nothing propagates."""
    return ops.ceil(magnitude(delta_z, ops))


def error_bound(
    *,
    weight: Any,
    threshold_before: Number,
    threshold: Number,
    time_steps: int,
    count_errors: Any,
    signed_weight: bool = False,
) -> np.ndarray[Any, Any]:
    """Return θ / T · (⌊|W| θ^{l-1} |δ^{l-1}| / θ^l⌋ + 1), the bound on ξ^l (Eq. 15), shape [outputs].

    The paper prints W where |W| must stand; `signed_weight=True` gives the formula as printed, which is
    no bound: with W = -1 it falls below errors that occur.
    """
    weight, count_errors = np.asarray(weight), np.abs(np.asarray(count_errors))
    delta_z = propagated_error(
        weight=weight if signed_weight else np.abs(weight),
        threshold_before=threshold_before,
        threshold=threshold,
        count_errors=count_errors,
    )
    return np.asarray(threshold / time_steps * (np.floor(delta_z) + 1))
