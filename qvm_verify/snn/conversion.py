"""Algorithm 1: a quantized ANN into a spiking network."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from qvm_verify.snn.if_neuron import Currents, Firing, IFNeuron, IFSettings, Reset
from qvm_verify.snn.quantized_activation import QuantizedActivation, Quantizer

MATCHED_V_INIT: dict[Quantizer, float] = {"floor": 0.0, "round": 0.5, "round_half_even": 0.5, "ceil": 1.0}
"""V_0 as a fraction of the threshold for each quantizer (Eq. 8); "round_half_even" is treated as "round"."""


def convert(
    ann: nn.Module,
    *,
    time_steps: int | None = None,
    v_init: float | None = None,
    firing: Firing = ">=",
    reset: Reset = "reset_by_subtraction",
    currents: Currents = "constant",
    threshold_scale: float = 1.0,
) -> nn.Module:
    """Return a spiking copy of `ann`, in evaluation mode; `ann` is left as it is (Algorithm 1).

    Every `QuantizedActivation` becomes an `IFNeuron` with θ = γ, T = L and V_0 matched to its quantizer.
    Each keyword deviates from that on purpose, so that wrong conversions can be audited: `v_init` is a
    fraction of each threshold, `threshold_scale` multiplies each γ. Under "streaming" currents the network
    presents its input at every time-step, passes spikes between layers as they arrive and returns the mean
    output. Raises ValueError on a value that no neuron can have.
    """
    snn = copy.deepcopy(ann).eval().requires_grad_(False)
    replacements: dict[int, IFNeuron] = {}

    def neuron_for(activation: QuantizedActivation) -> IFNeuron:
        if id(activation) not in replacements:  # an activation shared by two places stays shared
            fraction = MATCHED_V_INIT[activation.quantizer] if v_init is None else v_init
            threshold = activation.threshold * threshold_scale
            settings = IFSettings(
                activation.levels if time_steps is None else time_steps, firing, reset, currents
            )
            replacements[id(activation)] = IFNeuron(threshold, threshold * fraction, settings)
        return replacements[id(activation)]

    if isinstance(snn, QuantizedActivation):
        snn = neuron_for(snn).eval()
    for parent in list(snn.modules()):
        # Not named_children(): it names a child once, and an activation may sit under two names.
        for name, child in list(parent._modules.items()):
            if isinstance(child, QuantizedActivation):
                setattr(parent, name, neuron_for(child).eval())
    if currents == "constant" or not replacements:
        return snn
    return StreamingNetwork(snn, {n.time_steps for n in replacements.values()})


class StreamingNetwork(nn.Module):
    """A spiking network whose layers exchange spike trains (Eq. 1).

    The input [batch, ...] is presented at every time-step; the output is the mean over the T time-steps.
    Raises ValueError unless all its neurons have the same number of time-steps.
    """

    def __init__(self, body: nn.Module, time_steps: set[int]) -> None:
        super().__init__()
        if len(time_steps) != 1:
            raise ValueError(
                f"streaming needs one number of time-steps in all layers, got {sorted(time_steps)}"
            )
        self.body = body
        (self.time_steps,) = time_steps
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean output over the time-steps, [batch, ...]."""
        outputs: Tensor = self.body(torch.cat([x] * self.time_steps))
        return outputs.reshape(self.time_steps, -1, *outputs.shape[1:]).mean(0)
