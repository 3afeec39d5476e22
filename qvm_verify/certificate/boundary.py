"""Both step functions from a few dozen evaluations: bisection over the ordered floats.

Complete for functions that never fall from one float to the next, and for those only. Which functions these
are is a theorem, so the callables are recognised, not trusted: the project's own activation and neuron, in
the settings that the theorem speaks of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from qvm_verify.certificate.runs import Run, RunCollector
from qvm_verify.snn import MATCHED_V_INIT, IFNeuron, QuantizedActivation, StepNeuron
from qvm_verify.snn.ordinals import first_holding, ordinal_range, to_ordinals
from qvm_verify.snn.quantized_activation import quantize
from qvm_verify.snn.step_neuron import why_count_may_fall, why_not_normal

Counter = Callable[[Tensor], Tensor]
"""Takes a 1-D tensor of currents and returns integers, levels or spike counts."""


Order = Literal["x * L / threshold", "x / threshold * L", "x * (L / threshold)"]
ORDERS: tuple[Order, ...] = get_args(Order)
"""How z may be computed (Eq. 4); the first is the project's own. All round differently."""


@dataclass(frozen=True)
class OrderedLevel:
    """The level of an activation, with z computed in another order (Eq. 4).

    Multiplication and division by a positive number are monotone under rounding, so the level is, too.
    """

    activation: QuantizedActivation
    order: Order

    def __call__(self, x: Tensor) -> Tensor:
        """Return M for 1-D currents."""
        gamma, levels = self.activation.threshold.detach(), self.activation.levels
        if self.order == "x * L / threshold":
            z = x * levels / gamma
        elif self.order == "x / threshold * L":
            z = x / gamma * levels
        else:
            z = x * (levels / gamma)
        return quantize(z, self.activation.quantizer).clamp(0, levels)


def why_not_monotone(function: Counter) -> str | None:
    """Return why no theorem says that `function` never falls, None where one does.

    The theorem is about `QuantizedActivation.level` with a positive normal threshold, and about
    `IFNeuron.spike_count` in the settings of `why_count_may_fall`, both unmodified. The count of a
    `StepNeuron` needs none: a table that ascends cannot fall.
    """
    if type(function) is OrderedLevel:
        return why_not_monotone(function.activation.level)
    owner = getattr(function, "__self__", None)
    code = getattr(function, "__func__", None)
    if type(owner) is QuantizedActivation and code is QuantizedActivation.level:
        return why_not_normal(owner.threshold)
    if type(owner) is IFNeuron and code is IFNeuron.spike_count:
        return why_count_may_fall(owner)
    if type(owner) is StepNeuron and code is StepNeuron.spike_count:
        return None if bool((owner.steps[1:] >= owner.steps[:-1]).all()) else "its table does not ascend"
    return f"no theorem says that {getattr(function, '__qualname__', function)!s} is monotone"


def boundary_runs(
    activation: Counter,
    neuron: Counter,
    *,
    levels: int,
    time_steps: int,
    dtype: torch.dtype,
    device: torch.device,
) -> list[Run]:
    """Return the runs of two functions that `why_not_monotone` has nothing against.

    Their values lie in [0, levels] and [0, time_steps].
    """
    lowest, highest = ordinal_range(dtype)
    m_steps = level_steps(activation, levels, dtype, device)
    n_steps = _first_reaching(neuron, time_steps, dtype, device, guess=m_steps)
    starts = sorted({lowest, *m_steps, *n_steps} - {highest + 1})
    collector = RunCollector()
    for first, after in zip(starts, [*starts[1:], highest + 1], strict=True):
        level = sum(step <= first for step in m_steps)
        spike_count = sum(step <= first for step in n_steps)
        collector.add(first, after - 1, float(level), float(spike_count))
    return collector.runs


def level_steps(activation: Counter, levels: int, dtype: torch.dtype, device: torch.device) -> list[int]:
    """Return, for k = 1 ... L, the first ordinal whose level is at least k, one past inf where none is."""
    return _first_reaching(activation, levels, dtype, device, guess=_expected_steps(activation, dtype))


def _expected_steps(activation: Counter, dtype: torch.dtype) -> list[int] | None:
    """Return where the levels of a `QuantizedActivation` rise over the reals: at γ (k - V0 / θ) / L.

    None where a neuron stands in the activation's place: there is nothing to expect.
    """
    owner = activation.activation if isinstance(activation, OrderedLevel) else activation.__self__  # type: ignore[attr-defined]  # why_not_monotone saw it
    if not isinstance(owner, QuantizedActivation):
        return None
    k = torch.arange(1, owner.levels + 1, dtype=torch.float64)
    reals = float(owner.threshold) * (k - MATCHED_V_INIT[owner.quantizer]) / owner.levels
    return [int(place) for place in to_ordinals(reals.to(dtype))]


def _first_reaching(
    function: Counter,
    top: int,
    dtype: torch.dtype,
    device: torch.device,
    guess: list[int] | None,
) -> list[int]:
    """Return, for k = 1 ... top, the first ordinal whose value is at least k, one past inf where none is."""
    wanted = torch.arange(1, top + 1, device=device)
    places: list[int] = first_holding(lambda x: function(x) >= wanted, top, dtype, device, guess).tolist()
    return places
