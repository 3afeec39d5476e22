"""The neuron as a table: under a constant current its spike count is a step function of one number.

The count never falls as the current grows, in IEEE arithmetic and for every T (the claim
`ieee-count-monotone`). So T numbers say all of it: for k = 1 ... T the smallest float on which the neuron
fires at least k times. Bisection over the floats in their order finds them, with the loop itself as judge.
What is left to do on an input is to compare it with T numbers, in registers, in one pass over memory; and
comparisons do not round, so a compiler cannot change a bit of the result.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from qvm_verify.snn.if_neuron import IFNeuron
from qvm_verify.snn.ordinals import first_holding, to_floats


def why_not_normal(threshold: Tensor) -> str | None:
    """Return what the theorem has against a threshold, None where it is normal and its double is finite."""
    value = float(threshold)
    info = torch.finfo(threshold.dtype)
    if info.smallest_normal <= value <= info.max / 2:
        return None
    return f"the theorem needs a normal threshold whose double is finite, not {value!r}"


def why_count_may_fall(neuron: IFNeuron) -> str | None:
    """Return why the theorem does not say that the spike count never falls, None where it does.

    It speaks of firing on U >= θ, reset by subtraction, 0 <= V0 <= θ and a normal threshold.
    """
    if (neuron.firing, neuron.reset) != (">=", "reset_by_subtraction"):
        rules = f"{neuron.firing} and {neuron.reset}"
        return f"the theorem needs firing on U >= θ and reset by subtraction, not {rules}"
    if not 0 <= float(neuron.v_init) <= float(neuron.threshold):
        return f"the theorem needs 0 <= V0 <= θ, not V0 = {float(neuron.v_init):.6g}"
    return why_not_normal(neuron.threshold)


def why_no_table(neuron: IFNeuron) -> str | None:
    """Return why a neuron cannot become a table, None where it can."""
    if type(neuron) not in (IFNeuron, StepNeuron):
        return f"no theorem says that the count of a {type(neuron).__name__} is monotone"
    if neuron.currents != "constant":
        return f"under {neuron.currents} currents the count is no function of one number"
    return why_count_may_fall(neuron)


class StepNeuron(IFNeuron):
    """An `IFNeuron` under constant currents that looks its spike count up: N(q) = Σ_k [q >= b_k].

    Bit for bit the neuron that it is made from, on every float: infinities, zeros of both signs, and NaN,
    on which neither fires. The state dict holds θ and V0, as the neuron's; the table is made again whenever
    these change their place or dtype. On an input of another dtype than θ it runs the loop.

    Raises ValueError where the count is not proved monotone (`why_no_table`).
    """

    steps: Tensor
    rates: Tensor

    def __init__(self, neuron: IFNeuron) -> None:
        reason = why_no_table(neuron)
        if reason is not None:
            raise ValueError(reason)
        super().__init__(neuron.threshold, neuron.v_init, neuron.settings)
        self.train(neuron.training)
        self._tabulate()

    def spike_count(self, current: Tensor) -> Tensor:
        """Return N, integer-valued in the dtype of `current`, under a constant current of any shape."""
        if current.dtype != self.threshold.dtype:
            return super().spike_count(current)
        counts = torch.arange(self.time_steps + 1, dtype=current.dtype, device=current.device)
        return self._look_up(current, counts)

    def forward(self, x: Tensor) -> Tensor:
        """Return φ = (θ / T) · N (Eq. 3), of the shape of x."""
        if x.dtype != self.threshold.dtype:
            return super().forward(x)
        return self._look_up(x, self.rates)

    def _look_up(self, x: Tensor, values: Tensor) -> Tensor:
        """Return values[N(x)]; the steps ascend, so the last one reached decides, and NaN reaches none."""
        first, *others = values.unbind()
        found = first.expand_as(x)
        for step, value in zip(self.steps.unbind(), others, strict=True):
            found = torch.where(x >= step, value, found)
        return found

    def _tabulate(self) -> None:
        dtype, device = self.threshold.dtype, self.threshold.device
        counts = torch.arange(self.time_steps + 1, dtype=dtype, device=device)
        loop = super().spike_count
        with torch.no_grad():
            places = first_holding(lambda x: loop(x) >= counts[1:], self.time_steps, dtype, device)
            steps = to_floats(places, dtype)  # NaN, which nothing reaches, where the place is past inf
            rates = self.threshold / self.time_steps * counts  # as the loop's forward, bit for bit
        self.register_buffer("steps", steps, persistent=False)
        self.register_buffer("rates", rates, persistent=False)

    def _apply(self, *arguments: Any, **keywords: Any) -> StepNeuron:
        super()._apply(*arguments, **keywords)  # type: ignore[no-untyped-call]
        self._check_and_tabulate()
        return self

    def _load_from_state_dict(self, *arguments: Any, **keywords: Any) -> None:
        super()._load_from_state_dict(*arguments, **keywords)
        self._check_and_tabulate()

    def _check_and_tabulate(self) -> None:
        reason = why_no_table(self)
        if reason is not None:
            raise ValueError(reason)
        self._tabulate()

    def extra_repr(self) -> str:
        """Show the setting in `print(model)`."""
        return f"{super().extra_repr()}, as a table"
