"""Both step functions from a few dozen evaluations: bisection over the ordered floats.

Complete for functions that never fall from one float to the next, and for those only. Which functions these
are is a theorem, so the callables are recognised, not trusted: the project's own activation and neuron, in
the settings that the theorem speaks of.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from qvm_verify.certificate.ordinals import ordinal_range, to_floats, to_ordinals
from qvm_verify.certificate.runs import Run, RunCollector
from qvm_verify.snn import MATCHED_V_INIT, IFNeuron, QuantizedActivation

GUESS = 64
"""How many floats around a guessed step are looked at first."""

Counter = Callable[[Tensor], Tensor]
"""Takes a 1-D tensor of currents and returns integers, levels or spike counts."""


def why_not_monotone(function: Counter) -> str | None:
    """Return why no theorem says that `function` never falls, None where one does.

    The theorem is about `QuantizedActivation.level` with a positive normal threshold, and about
    `IFNeuron.spike_count` with reset by subtraction and 0 <= V0 <= θ, both unmodified.
    """
    owner = getattr(function, "__self__", None)
    code = getattr(function, "__func__", None)
    if type(owner) is QuantizedActivation and code is QuantizedActivation.level:
        return _why_not_normal(owner.threshold)
    if type(owner) is IFNeuron and code is IFNeuron.spike_count:
        if (owner.firing, owner.reset) != (">=", "reset_by_subtraction"):
            rules = f"{owner.firing} and {owner.reset}"
            return f"the theorem needs firing on U >= θ and reset by subtraction, not {rules}"
        if not 0 <= float(owner.v_init) <= float(owner.threshold):
            return f"the theorem needs 0 <= V0 <= θ, not V0 = {float(owner.v_init):.6g}"
        return _why_not_normal(owner.threshold)
    return f"no theorem says that {getattr(function, '__qualname__', function)!s} is monotone"


def _why_not_normal(threshold: Tensor) -> str | None:
    value = float(threshold)
    info = torch.finfo(threshold.dtype)
    if info.smallest_normal <= value <= info.max / 2:
        return None
    return f"the theorem needs a normal threshold whose double is finite, not {value!r}"


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
    level_steps = _first_reaching(activation, levels, dtype, device, guess=_expected_steps(activation, dtype))
    count_steps = _first_reaching(neuron, time_steps, dtype, device, guess=level_steps)
    starts = sorted({lowest, *level_steps, *count_steps} - {highest + 1})
    collector = RunCollector()
    for first, after in zip(starts, [*starts[1:], highest + 1], strict=True):
        level = sum(step <= first for step in level_steps)
        spike_count = sum(step <= first for step in count_steps)
        collector.add(first, after - 1, float(level), float(spike_count))
    return collector.runs


def _expected_steps(activation: Counter, dtype: torch.dtype) -> list[int]:
    """Return where the levels of a `QuantizedActivation` rise over the reals: at γ (k - V0 / θ) / L."""
    owner: QuantizedActivation = activation.__self__  # type: ignore[attr-defined]  # why_not_monotone saw it
    k = torch.arange(1, owner.levels + 1, dtype=torch.float64)
    reals = float(owner.threshold) * (k - MATCHED_V_INIT[owner.quantizer]) / owner.levels
    return [int(place) for place in to_ordinals(reals.to(dtype))]


def _first_reaching(
    function: Counter,
    top: int,
    dtype: torch.dtype,
    device: torch.device,
    guess: list[int] | None = None,
) -> list[int]:
    """Return, for k = 1 ... top, the first ordinal whose value is at least k, one past inf where none is.

    A good `guess` saves most of the evaluations; a bad one costs two.
    """
    lowest, highest = ordinal_range(dtype)
    wanted = torch.arange(1, top + 1, device=device)
    below = torch.full_like(wanted, lowest - 1)  # as if the value there were 0
    above = torch.full_like(wanted, highest + 1)  # and enough here

    def reached(places: Tensor) -> Tensor:
        return function(to_floats(places, dtype)) >= wanted

    if guess is not None and len(guess) == top:
        near = torch.tensor(guess, device=device)
        low, high = (near - GUESS).clamp(min=lowest), (near + GUESS).clamp(max=highest)
        below = torch.where(reached(low), below, low)
        above = torch.where(reached(high), high, above)
    while True:
        # The mean of two integers whose sum may not fit.
        middle = (below & above) + ((below ^ above) >> 1)
        undecided = middle > below
        if not bool(undecided.any()):
            return [int(place) for place in above]
        hit = reached(torch.where(undecided, middle, lowest))
        above = torch.where(undecided & hit, middle, above)
        below = torch.where(undecided & ~hit, middle, below)
