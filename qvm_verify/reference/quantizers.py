"""Quantizers and the quantized activation (Eq. 4)."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, get_args

from qvm_verify.reference.ops import NUMPY, Number, Ops

Quantizer = Literal["floor", "round", "round_half_even", "ceil"]
QUANTIZERS: tuple[Quantizer, ...] = get_args(Quantizer)

HALF = Fraction(1, 2)


def quantize(z: Number, quantizer: Quantizer, ops: Ops = NUMPY) -> Number:
    """Return Q(z), without the clip.

    "floor" is ⌊z⌋; "round" is ⌊z + 1/2⌋, half up, as the paper defines it (Theorem 3, Case 2);
    "round_half_even" is what torch.round and numpy.round compute; "ceil" is ⌈z⌉.
    In floating point "round" adds before it floors, as QCFS-family code does, so that the largest float
    below 1/2 rounds to 1. Raises ValueError on an unknown quantizer.
    """
    if quantizer == "floor":
        return ops.floor(z)
    if quantizer == "round":
        return ops.floor(z + ops.cast(HALF, like=z))
    if quantizer == "round_half_even":
        return _round_half_even(z, ops)
    if quantizer == "ceil":
        return ops.ceil(z)
    raise ValueError(f"unknown quantizer {quantizer!r}; one of {', '.join(QUANTIZERS)}")


def _round_half_even(z: Number, ops: Ops) -> Number:
    below = ops.floor(z)
    fraction = z - below  # exact in floating point wherever it decides: z >= 0 loses no bit here
    half = ops.cast(HALF, like=z)
    even = below / 2 == ops.floor(below / 2)
    at_tie = ops.where(even, below, below + 1)
    return ops.where(fraction > half, below + 1, ops.where(fraction < half, below, at_tie))


def clip(x: Number, upper: int, ops: Ops = NUMPY) -> Number:
    """Return x limited to [0, upper]; NaN stays NaN and -0.0 becomes 0."""
    return ops.where(x <= 0, 0, ops.where(x >= upper, upper, x))


def quantizer_input(current: Number, *, threshold: Number, levels: int) -> Number:
    """Return z = x · L / γ, the number that the quantizer sees (Eq. 4).

    `current` is the weighted input x = W a; under T = L it equals the constant current of Eq. 9.
    """
    return current * levels / threshold


def level(
    current: Number, *, threshold: Number, levels: int, quantizer: Quantizer, ops: Ops = NUMPY
) -> Number:
    """Return M = clip(Q(x · L / γ), 0, L), integer-valued in the arithmetic of `current` (Eq. 4).

    `current` has any shape; `threshold` γ > 0 has its units. Raises ValueError on an unknown quantizer.
    """
    z = quantizer_input(current, threshold=threshold, levels=levels)
    return clip(quantize(z, quantizer, ops), levels, ops)


def activation(
    current: Number, *, threshold: Number, levels: int, quantizer: Quantizer, ops: Ops = NUMPY
) -> Number:
    """Return a = (γ / L) · M, the quantized activation (Eq. 4)."""
    m = level(current, threshold=threshold, levels=levels, quantizer=quantizer, ops=ops)
    return threshold / levels * m
