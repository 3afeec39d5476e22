"""`certify`: one activation against one neuron, on every input there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from qvm_verify.certificate.boundary import Counter, boundary_runs, why_not_monotone
from qvm_verify.certificate.runs import (
    Run,
    float_classes,
    interval,
    is_monotone,
    mismatches,
    steps,
)
from qvm_verify.certificate.sweep import sweep
from qvm_verify.exits import InputError
from qvm_verify.snn import IFNeuron, QuantizedActivation
from qvm_verify.snn.ordinals import ordinal, to_floats
from qvm_verify.verdict import Evidence, FloatClass, Interval, Verdict

Method = Literal["boundary", "exhaustive"]
THEOREM = "ieee-count-monotone"
"""The theorem of `qvm_verify.proofs` that makes the boundary method complete."""

INTERVALS_KEPT = 1000


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What M and N are for every number of a dtype, and where they disagree."""

    method: Method
    rests_on: str  # the theorem (boundary), or how the sweep was evaluated
    dtype: str
    threshold: str
    levels: int
    time_steps: int
    inputs_checked: int  # every number from -inf to inf; NaN patterns are in `classes`
    mismatches: int
    intervals: tuple[Interval, ...]  # the first thousand; `mismatches` counts all
    share_of_range: float  # of [0, θ], by length
    level_steps: tuple[str, ...]  # for k = 1 ... the smallest float with M >= k
    count_steps: tuple[str, ...]  # for k = 1 ... the smallest float with N >= k
    monotone: bool
    classes: dict[str, FloatClass]

    @property
    def evidence(self) -> Evidence:
        """EXHAUSTED where no number fails, REFUTED where one does."""
        domain = f"all {self.inputs_checked} {self.dtype} numbers"
        if self.mismatches:
            detail = f"{self.mismatches} of {domain} fail, first at {self.intervals[0].first}"
            return self._evidence(Verdict.REFUTED, detail=detail)
        return self._evidence(Verdict.EXHAUSTED, detail=f"N = M by {self.method}", domain=domain)

    def _evidence(self, verdict: Verdict, *, detail: str, domain: str | None = None) -> Evidence:
        return Evidence(
            claim="certificate.counts-equal-levels",
            arithmetic=self.dtype,
            verdict=verdict,
            detail=detail,
            domain=domain,
        )


def certify(
    activation: Counter | QuantizedActivation,
    neuron: Counter | IFNeuron,
    *,
    threshold: float,
    levels: int,
    time_steps: int,
    dtype: torch.dtype = torch.float32,
    method: Method = "boundary",
    device: torch.device | str = "cpu",
    on_inputs: Callable[[int], None] = lambda inputs: None,
) -> Certificate:
    """Decide for every number of `dtype` whether N / T equals M / L under that constant current.

    `activation` and `neuron` take a 1-D tensor of currents and return integers: levels M in [0, L], spike
    counts N in [0, T]; the project's own modules may be passed as they are. "exhaustive" looks at every bit
    pattern (float32, float16, bfloat16), of any two callables. "boundary" bisects for the places where M
    and N rise; it is complete because both never fall, and refuses callables of which that is not proved.

    Raises InputError on a refused callable, a dtype that the method cannot cover, or a threshold that is
    not positive and finite.
    """
    activation = activation.level if isinstance(activation, QuantizedActivation) else activation
    neuron = neuron.spike_count if isinstance(neuron, IFNeuron) else neuron
    if not 0 < threshold < float("inf"):
        raise InputError(f"threshold must be positive and finite, got {threshold!r}")
    nan: dict[str, FloatClass] = {}
    with torch.no_grad():  # in the body: what a decorator wraps, mutation testing does not reach
        if method == "boundary":
            runs = _by_boundary(activation, neuron, levels, time_steps, dtype, torch.device(device))
            rests_on = THEOREM
        elif method == "exhaustive":
            runs, rests_on, nan = _by_sweep(activation, neuron, dtype, torch.device(device), on_inputs)
        else:
            raise InputError(f"unknown method {method!r}; one of boundary, exhaustive")
    failing = mismatches(runs, levels, time_steps)
    return Certificate(
        method=method,
        rests_on=rests_on,
        dtype=str(dtype).removeprefix("torch."),
        threshold=float(threshold).hex(),
        levels=levels,
        time_steps=time_steps,
        inputs_checked=sum(run.inputs for run in runs),
        mismatches=sum(run.inputs for run in failing),
        intervals=tuple(interval(run, dtype) for run in failing[:INTERVALS_KEPT]),
        share_of_range=_share(failing, threshold, dtype),
        level_steps=steps(runs, [run.level for run in runs], dtype),
        count_steps=steps(runs, [run.spike_count for run in runs], dtype),
        monotone=is_monotone(runs),
        classes={**float_classes(runs, failing, dtype), **nan},
    )


def _by_boundary(
    activation: Counter,
    neuron: Counter,
    levels: int,
    time_steps: int,
    dtype: torch.dtype,
    device: torch.device,
) -> list[Run]:
    for function in (activation, neuron):
        reason = why_not_monotone(function)
        if reason is not None:
            raise InputError(f"boundary cannot decide this: {reason}; exhaustive can")
    return boundary_runs(activation, neuron, levels=levels, time_steps=time_steps, dtype=dtype, device=device)


def _by_sweep(
    activation: Counter,
    neuron: Counter,
    dtype: torch.dtype,
    device: torch.device,
    on_inputs: Callable[[int], None],
) -> tuple[list[Run], str, dict[str, FloatClass]]:
    """Return the runs, how they were evaluated, and what became of NaN."""
    if dtype not in (torch.float32, torch.float16, torch.bfloat16):
        raise InputError(f"exhaustive covers float32, float16 and bfloat16, not {dtype}")
    seen = sweep(activation, neuron, dtype=dtype, device=device, on_inputs=on_inputs)
    nan = FloatClass(inputs=seen.nan_inputs, mismatches=seen.nan_with_level + seen.nan_with_spikes)
    return seen.runs, seen.evaluation, {"NaN": nan}


def _share(failing: list[Run], threshold: float, dtype: torch.dtype) -> float:
    """Return how much of [0, θ] the failing runs cover; a run reaches up to the next float after it."""
    top = ordinal(threshold, dtype)
    covered = 0.0
    for run in failing:
        first, after = max(run.first, 0), min(run.last + 1, top)
        if first < after:
            ends = to_floats(torch.tensor([first, after]), dtype).double()
            covered += float(ends[1] - ends[0])
    return covered / threshold
