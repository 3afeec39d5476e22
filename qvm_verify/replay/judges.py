"""The judges that run a counterexample again: the NumPy reference, exact rationals, and PyTorch."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from qvm_verify.counterexamples import diagnose, run_case, trace
from qvm_verify.counterexamples.experiment import EXACT, experiment_of
from qvm_verify.counterexamples.fewest_inputs import slice_agrees
from qvm_verify.verdict import Case, Counterexample

if TYPE_CHECKING:
    import torch

MOST_STEPS = 4096  # what the commands take; the causes are found by running a case over L time-steps


class Status(Enum):
    """What became of a counterexample."""

    REPRODUCED = "REPRODUCED"  # M and N are what the report says, and N still does not stand for M
    FIXED = "FIXED"  # it does, but in the network that is asked about N stands for M
    UNSEEN = "UNSEEN"  # the reference decides otherwise than the module under audit, which is not here
    ERROR = "ERROR"  # M or N are others: it is no counterexample


class Judgement(NamedTuple):
    """A status with the reason for it, or with what else there is to say."""

    status: Status
    detail: str


def judge(c: Counterexample) -> Judgement:
    """Run a counterexample again on the reference in its dtype, over the rationals, and on PyTorch.

    The status is that of the reference; PyTorch contradicting it is an ERROR, and so are a trace, a minimal
    case or a slice that do not come out as the report has them. Raises ValueError or OverflowError where
    the counterexample is damaged.
    """
    for case in (c, c.minimal):
        if case is not None and max(case.levels, case.time_steps) > MOST_STEPS:
            raise ValueError(f"of more than {MOST_STEPS} levels or time-steps none is replayed")
    if len(c.currents) != c.time_steps:
        return Judgement(Status.ERROR, f"it has {len(c.currents)} currents for T = {c.time_steps}")
    found = run_case(c)
    said = (c.reference_level, c.reference_spike_count)
    if found != said:
        return Judgement(Status.ERROR, f"the reference finds M = {found[0]}, N = {found[1]}")
    if _stands(c, c.level, c.spike_count):
        return Judgement(Status.ERROR, "its N stands for its M, so it is no counterexample")
    on_torch = run_on_torch(c)
    if on_torch != found:
        return Judgement(Status.ERROR, _unlike(on_torch))
    problem = _problem(c)
    if problem:
        return Judgement(Status.ERROR, problem)
    if (c.level, c.spike_count) != found:  # and its cause, run again, is that the module did it
        own = f"M = {c.level}, N = {c.spike_count} as its module computed them"
        return Judgement(Status.UNSEEN, f"{own}, which only the audited network can show again")
    return Judgement(Status.REPRODUCED, _over_the_rationals(c))


def judge_in(c: Counterexample, now: Case) -> Judgement:
    """Judge a counterexample, and if it reproduces, what became of it in `now`."""
    judgement = judge(c)
    if judgement.status is not Status.REPRODUCED:
        return judgement
    found, on_torch = run_case(now), run_on_torch(now)
    if found != on_torch:
        return Judgement(Status.ERROR, _unlike(on_torch))
    detail = f"in this network M = {found[0]} of L = {now.levels}, N = {found[1]} of T = {now.time_steps}"
    return Judgement(Status.FIXED if _stands(now, *found) else Status.REPRODUCED, detail)


def _unlike(found: tuple[int | None, int]) -> str:
    return f"PyTorch finds M = {found[0]}, N = {found[1]}, unlike the reference"


def _stands(case: Case, level: int | None, spike_count: int) -> bool:
    """Tell whether N / T = M / L, compared as integers."""
    return level is not None and spike_count * case.levels == level * case.time_steps


def _problem(c: Counterexample) -> str:
    """Return what else of the report does not come out again, or nothing."""
    if c.trace is not None and trace(c) != c.trace:
        return "its trace is not what the reference does"
    again = diagnose(c, unconverted="unconverted-activation" in c.causes)
    if (again.causes, again.diagnosis) != (c.causes, c.diagnosis):
        return f"its cause comes out as {', '.join(again.causes) or 'unknown'}: {again.diagnosis}"
    if c.slice is not None and not slice_agrees(c, c.slice):
        return "its slice does not sum to its currents, or its fewest inputs do not fail"
    m = c.minimal
    if m is not None:
        found = run_case(m)
        if found != (m.reference_level, m.reference_spike_count) or _stands(m, *found):
            return "its smallest case does not fail as the report says"
        if diagnose(m).causes != m.causes:
            return "its smallest case has another cause than the report says"
        if m.trace is not None and trace(m) != m.trace:
            return "the trace of its smallest case is not what the reference does"
    return ""


def _over_the_rationals(c: Case) -> str:
    try:
        exact = replace(experiment_of(c), dtype=EXACT).run()
    except (ValueError, ArithmeticError):
        return "over the rationals it means nothing"
    return f"over the rationals M = {exact.level}, N = {exact.spike_count}"


def run_on_torch(case: Case) -> tuple[int | None, int]:
    """Return M and N of a case by `QuantizedActivation` and `IFNeuron`, the project's own modules."""
    import torch

    from qvm_verify.snn import IFNeuron, IFSettings, QuantizedActivation

    dtype: torch.dtype = getattr(torch, case.dtype)

    def tensor(*texts: str) -> torch.Tensor:
        return torch.tensor([float.fromhex(text) for text in texts], dtype=torch.float64).to(dtype)

    with torch.no_grad():
        activation = QuantizedActivation(case.levels, case.quantizer).to(dtype)  # type: ignore[arg-type]  # the schema lists them
        activation.threshold.copy_(tensor(case.activation_threshold)[0])
        level = float(activation.level(tensor(case.activation_current)))
        settings = IFSettings(case.time_steps, case.firing, case.reset, "streaming")  # type: ignore[arg-type]  # likewise
        neuron = IFNeuron(tensor(case.threshold)[0], tensor(case.v_init)[0], settings)
        spikes = neuron(tensor(*case.currents)) != 0
    return None if level != level else int(level), int(spikes.sum())
