"""The integrate-and-fire neuron that replaces an activation (Eq. 1-3)."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from qvm_verify.snn.quantized_activation import check_count

Firing = Literal[">=", ">"]
Reset = Literal["reset_by_subtraction", "reset_to_zero"]
Currents = Literal["constant", "streaming"]
FIRINGS: tuple[Firing, ...] = get_args(Firing)
RESETS: tuple[Reset, ...] = get_args(Reset)
CURRENTS: tuple[Currents, ...] = get_args(Currents)


class IFSettings(NamedTuple):
    """How a neuron runs; the defaults are the paper's."""

    time_steps: int
    firing: Firing = ">="
    reset: Reset = "reset_by_subtraction"
    currents: Currents = "constant"


class IFNeuron(nn.Module):
    """U = V + q; fire where U >= θ; V = U - θ after a spike (Eq. 1).

    Under "constant" currents the input is q [batch, ...], the same at each of the T time-steps (Eq. 9),
    and the output the scaled firing rate φ = (θ / T) · N (Eq. 3). Under "streaming" currents the input is
    q_t [T · batch, ...], time-steps outermost, and the output the scaled spikes s_t θ of the same shape.
    No state outlives a call. `threshold` and `v_init` are absolute potentials, kept in the state dict.
    """

    threshold: Tensor
    v_init: Tensor

    def __init__(self, threshold: Tensor, v_init: Tensor, settings: IFSettings) -> None:
        super().__init__()
        check_count(settings.time_steps, "time_steps")
        for value, allowed in (
            (settings.firing, FIRINGS),
            (settings.reset, RESETS),
            (settings.currents, CURRENTS),
        ):
            if value not in allowed:
                raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
        self.register_buffer("threshold", threshold.detach().clone())
        self.register_buffer("v_init", v_init.detach().clone())
        self.settings = settings

    @property
    def time_steps(self) -> int:
        """T, the number of time-steps."""
        return self.settings.time_steps

    @property
    def firing(self) -> Firing:
        """The comparison of U with the threshold."""
        return self.settings.firing

    @property
    def reset(self) -> Reset:
        """What a spike does to the membrane potential."""
        return self.settings.reset

    @property
    def currents(self) -> Currents:
        """Whether the input is one constant current or a current per time-step."""
        return self.settings.currents

    def step(self, current: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Advance by one time-step; return the spikes (bool) and the potential after reset (Eq. 1)."""
        return if_step(current, v, self.threshold, self.settings)

    def spike_count(self, current: Tensor) -> Tensor:
        """Return N, integer-valued in the dtype of `current`, under a constant current of any shape."""
        return count_spikes(current, self.threshold, self.v_init, self.settings)

    def forward(self, x: Tensor) -> Tensor:
        """Return φ under constant currents, the scaled spikes under streaming ones."""
        if self.currents == "constant":
            return self.threshold / self.time_steps * self.spike_count(x)
        per_step = x.reshape(self.time_steps, -1, *x.shape[1:])
        return scaled_spikes(per_step, self.threshold, self.v_init, self.settings)

    def extra_repr(self) -> str:
        """Show the setting in `print(model)`."""
        return (
            f"threshold={self.threshold.item():.6g}, v_init={self.v_init.item():.6g}, "
            f"time_steps={self.time_steps}, {self.firing}, {self.reset}, {self.currents}"
        )


def if_step(current: Tensor, v: Tensor, threshold: Tensor, settings: IFSettings) -> tuple[Tensor, Tensor]:
    """Advance by one time-step; return the spikes (bool) and the potential after reset (Eq. 1)."""
    u = v + current
    spikes = u >= threshold if settings.firing == ">=" else u > threshold
    after_spike = u - threshold if settings.reset == "reset_by_subtraction" else torch.zeros_like(u)
    return spikes, torch.where(spikes, after_spike, u)


def count_spikes(current: Tensor, threshold: Tensor, v_init: Tensor, settings: IFSettings) -> Tensor:
    """Return the spike count N under the same current at every time-step, of the shape of `current`."""
    v = v_init.expand_as(current)
    count = torch.zeros_like(current)
    for _ in range(settings.time_steps):
        spikes, v = if_step(current, v, threshold, settings)
        count = count + spikes
    return count


def scaled_spikes(currents: Tensor, threshold: Tensor, v_init: Tensor, settings: IFSettings) -> Tensor:
    """Return the scaled spikes s_t θ [T · batch, ...] under the currents q_t [T, batch, ...]."""
    v = v_init.expand_as(currents[0])
    outputs = []
    for current in currents.unbind():
        spikes, v = if_step(current, v, threshold, settings)
        outputs.append(spikes * threshold)
    return torch.cat(outputs)
