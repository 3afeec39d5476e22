"""Implementations with one fault each: every claim names some that it must refute."""

from __future__ import annotations

from typing import Any

from qvm_verify.claims.claim import Subject
from qvm_verify.reference import IFParameters, IFStep, Quantizer, if_step


class FiresOnTheOtherSide(Subject):
    """Fires on U > θ where the claim says U >= θ, and the other way round."""

    def run(self, currents: Any, v_init: Any, parameters: IFParameters) -> list[IFStep]:
        """Run with the other comparison."""
        other = parameters._replace(firing=">" if parameters.firing == ">=" else ">=")
        return super().run(currents, v_init, other)


class ResetsToZero(Subject):
    """Throws away what is above the threshold."""

    def run(self, currents: Any, v_init: Any, parameters: IFParameters) -> list[IFStep]:
        """Run with a hard reset."""
        return super().run(currents, v_init, parameters._replace(reset="reset_to_zero"))


class ResetsTwice(Subject):
    """Takes the threshold off twice after a spike."""

    def run(self, currents: Any, v_init: Any, parameters: IFParameters) -> list[IFStep]:
        """Run with V = U - 2θ after a spike."""
        steps: list[IFStep] = []
        v = v_init
        for current in currents:
            u, spike, after = if_step(current, v, parameters, self.ops)
            v = self.ops.where(spike, after - parameters.threshold, after)
            steps.append(IFStep(u, spike, v))
        return steps


class AddsAQuantum(Subject):
    """Adds one more unit to every current, whatever the threshold."""

    def run(self, currents: Any, v_init: Any, parameters: IFParameters) -> list[IFStep]:
        """Run on q + 1."""
        return super().run([current + 1 for current in currents], v_init, parameters)


class StartsAtOneQuarter(Subject):
    """Starts a quarter of the threshold above the V_0 that it is given."""

    def run(self, currents: Any, v_init: Any, parameters: IFParameters) -> list[IFStep]:
        """Run from V_0 + θ / 4."""
        return super().run(currents, v_init + parameters.threshold / 4, parameters)


class QuantizesDown(Subject):
    """Quantizes one level too low."""

    def quantize(self, z: Any, quantizer: Quantizer) -> Any:
        """Return Q(z) - 1."""
        return super().quantize(z, quantizer) - 1


class QuantizesTheNegative(Subject):
    """Quantizes -z, which turns the order round."""

    def quantize(self, z: Any, quantizer: Quantizer) -> Any:
        """Return Q(-z)."""
        return super().quantize(-z, quantizer)


class RoundsTiesUp(Subject):
    """Computes half up where half to even is meant."""

    def quantize(self, z: Any, quantizer: Quantizer) -> Any:
        """Return the half-up rounding for "round_half_even"."""
        return super().quantize(z, "round" if quantizer == "round_half_even" else quantizer)


class IgnoresTheThreshold(Subject):
    """Quantizes the current as it is, in units of its own."""

    def quantizer_input(self, current: Any, threshold: Any, levels: Any) -> Any:
        """Return x L."""
        return super().quantizer_input(current, 1, levels)


class ForgetsTheUpperClip(Subject):
    """Clips at 0 only."""

    def clip(self, x: Any, upper: Any) -> Any:
        """Return max(x, 0)."""
        return self.ops.where(x <= 0, 0, x)


class ForgetsTheClip(Subject):
    """Does not clip."""

    def clip(self, x: Any, upper: Any) -> Any:
        """Return x."""
        return x


class StretchesBeforeTheClip(Subject):
    """Doubles what it clips, so that it moves values apart."""

    def clip(self, x: Any, upper: Any) -> Any:
        """Return 2x limited to [0, T]."""
        return super().clip(2 * x, upper)


class BoundsWithoutTheOne(Subject):
    """Forgets the + 1 of Eq. 14, and rounds the sharp bound down."""

    def count_bound(self, delta: Any) -> Any:
        """Return ⌊|δ_z|⌋."""
        return super().count_bound(delta) - 1

    def sharp_count_bound(self, delta: Any) -> Any:
        """Return ⌊|δ_z|⌋."""
        return super().count_bound(delta) - 1
