"""Algorithm 1: a quantized ANN into a spiking network, for networks of NumPy layers.

A network is a tuple of layers applied one after another. The layers between the activations stay as they
are (`layers.py`); conversion replaces every `Activation` by a `Neuron`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from qvm_verify.reference.neuron import (
    Firing,
    IFParameters,
    Reset,
    Simulation,
    constant_currents,
    scaled_rate,
    simulate,
)
from qvm_verify.reference.ops import NUMPY, Number
from qvm_verify.reference.quantizers import QUANTIZERS, Quantizer, activation

Array = np.ndarray[Any, Any]
Layer = Callable[[Array], Array]
Currents = Literal["constant", "streaming"]

MATCHED_V_INIT: dict[Quantizer, Fraction] = {
    "floor": Fraction(0),
    "round": Fraction(1, 2),
    "round_half_even": Fraction(1, 2),
    "ceil": Fraction(1),
}
"""V_0 as a fraction of θ for each quantizer (Eq. 8). The paper does not speak of "round_half_even"; it is
given the V_0 of "round", from which it differs at ties only."""


@dataclass(frozen=True, kw_only=True)
class Activation:
    """The quantized activation a = (γ / L) clip(Q(x L / γ), 0, L) (Eq. 4)."""

    threshold: Number
    levels: int
    quantizer: Quantizer

    def __post_init__(self) -> None:
        check_site(self.threshold, self.levels, "levels")
        if self.quantizer not in QUANTIZERS:
            raise ValueError(f"unknown quantizer {self.quantizer!r}; one of {', '.join(QUANTIZERS)}")

    def __call__(self, x: Array) -> Array:
        """Return the activation of every entry."""
        threshold = NUMPY.cast(self.threshold, like=x)
        return np.asarray(activation(x, threshold=threshold, levels=self.levels, quantizer=self.quantizer))


@dataclass(frozen=True, kw_only=True)
class Neuron:
    """An integrate-and-fire neuron in the place of an activation; `v_init` is the absolute potential."""

    threshold: Number
    time_steps: int
    v_init: Number
    firing: Firing = ">="
    reset: Reset = "reset_by_subtraction"

    def __post_init__(self) -> None:
        check_site(self.threshold, self.time_steps, "time_steps")

    def simulate(self, currents: Array) -> Simulation:
        """Run over currents of shape [T, ...]."""
        parameters = IFParameters(self.threshold, self.firing, self.reset)
        return simulate(currents, v_init=self.v_init, parameters=parameters)

    def __call__(self, x: Array) -> Array:
        """Return the scaled firing rate φ under the constant current x (Eq. 3, Eq. 9)."""
        run = self.simulate(constant_currents(x, self.time_steps))
        threshold = NUMPY.cast(self.threshold, like=x)
        return np.asarray(scaled_rate(run.spike_count, threshold=threshold, time_steps=self.time_steps))

    def stream(self, currents: Array) -> Array:
        """Return the scaled spikes s_t θ, shape [T, ...], that the next layer receives step by step."""
        threshold = NUMPY.cast(self.threshold, like=currents)
        return np.asarray(np.where(self.simulate(currents).spikes, threshold, NUMPY.cast(0, like=currents)))


@dataclass(frozen=True, kw_only=True)
class Residual:
    """Residual addition: body(x) + shortcut(x); an empty shortcut is the identity."""

    body: tuple[Layer, ...]
    shortcut: tuple[Layer, ...] = ()

    def __call__(self, x: Array) -> Array:
        """Add the two branches."""
        return run_layers(self.body, x) + run_layers(self.shortcut, x)


Network = tuple[Layer, ...]


def run_layers(network: Network, x: Array) -> Array:
    """Apply the layers one after another, with constant currents where they are neurons (Eq. 9)."""
    for layer in network:
        x = layer(x)
    return x


def stream_layers(network: Network, x: Array, time_steps: int) -> Array:
    """Run a spiking network on streaming currents and return its mean output over T (Eq. 1).

    The input x [batch, ...] is presented at every time-step; from then on each layer receives the spikes
    of the one before as they arrive.
    """
    outputs = _stream(network, constant_currents(x, time_steps))
    total: Array = outputs.sum(axis=0)
    return total / time_steps


def _stream(network: Network, currents: Array) -> Array:
    """Map currents [T, batch, ...] to outputs [T, batch, ...]."""
    for layer in network:
        if isinstance(layer, Neuron):
            currents = layer.stream(currents)
        elif isinstance(layer, Residual):
            currents = _stream(layer.body, currents) + _stream(layer.shortcut, currents)
        else:
            currents = np.stack([layer(current) for current in currents])
    return currents


def convert(
    network: Network,
    *,
    time_steps: int | None = None,
    v_init: Fraction | float | None = None,
    firing: Firing = ">=",
    reset: Reset = "reset_by_subtraction",
) -> Network:
    """Return the spiking network of Algorithm 1: θ = γ, T = L, V_0 matched to the quantizer.

    `time_steps`, `v_init` (a fraction of each threshold), `firing` and `reset` deviate from it on purpose.
    """

    def replaced(layer: Layer) -> Layer:
        if isinstance(layer, Residual):
            return replace(layer, body=convert_all(layer.body), shortcut=convert_all(layer.shortcut))
        if not isinstance(layer, Activation):
            return layer
        fraction = MATCHED_V_INIT[layer.quantizer] if v_init is None else v_init
        threshold = np.asarray(layer.threshold)
        return Neuron(
            threshold=layer.threshold,
            time_steps=layer.levels if time_steps is None else time_steps,
            v_init=NUMPY.cast(fraction, like=threshold) * threshold,
            firing=firing,
            reset=reset,
        )

    def convert_all(layers: Network) -> Network:
        return tuple(replaced(layer) for layer in layers)

    return convert_all(network)


def check_site(threshold: Number, steps: int, name: str) -> None:
    """Raise ValueError unless θ > 0 and the levels or time-steps are at least 1."""
    if not np.all(np.asarray(threshold) > 0):
        raise ValueError(f"threshold must be positive, got {threshold}")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {steps!r}")
