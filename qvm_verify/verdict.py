"""Verdicts, and the evidence that carries one.

A verdict is never a boolean: "no counterexample in 360 images", "none among all float32 numbers" and
"proved for every real number" are three different things, and a reader must be able to tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Verdict(IntEnum):
    """What is known of a claim, from worst to best; when verdicts are merged the worst wins."""

    REFUTED = 0  # a counterexample exists and was replayed
    ERROR = 1  # a contradiction inside the tool: two judges disagree, or a witness does not replay
    UNKNOWN = 2  # nobody looked, or a judge gave up
    TESTED = 3  # held on the inputs that were tried; says nothing of any other input
    EXHAUSTED = 4  # held on every input of a finite domain
    PROVED = 5  # holds for every input that the claim speaks of


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A verdict on one claim, with what it rests on.

    `claim` is the claim's id and `arithmetic` the numbers it was judged in ("float32", "real", ...).
    `inputs` counts what a TESTED verdict tried; `domain` names what an EXHAUSTED one covered.
    """

    claim: str
    arithmetic: str
    verdict: Verdict
    detail: str = ""
    inputs: int | None = None
    domain: str | None = None

    def __post_init__(self) -> None:
        if self.verdict is Verdict.TESTED and not self.inputs:
            raise ValueError(f"{self.claim}: TESTED needs the number of inputs that were tried")
        if self.verdict is Verdict.EXHAUSTED and not self.domain:
            raise ValueError(f"{self.claim}: EXHAUSTED needs the domain that was covered")

    def __str__(self) -> str:
        scope = {
            Verdict.TESTED: f" on {self.inputs} inputs",
            Verdict.EXHAUSTED: f" over {self.domain}",
        }.get(self.verdict, "")
        return f"{self.verdict.name}{scope} in {self.arithmetic}"


def merge(evidence: Iterable[Evidence]) -> Verdict:
    """Return the worst verdict; UNKNOWN where there is no evidence at all."""
    return min((item.verdict for item in evidence), default=Verdict.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class TraceStep:
    """One time-step of a neuron on the reference; floats are hexadecimal strings (Eq. 1)."""

    current: str  # q_t
    u: str  # U_t, the membrane potential before firing
    spike: bool  # s_t
    v: str  # V_t, the membrane potential after reset
    threshold_ulps: int | None  # representable numbers from θ up to U_t: 0 on it, negative below; None: NaN


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What the reference does with a counterexample, step by step."""

    z: str  # z = x L / γ, what the quantizer sees (Eq. 4), hexadecimal
    boundary: str | None  # the nearest x at which the level steps up, hexadecimal; None where x is NaN
    boundary_ulps: int | None  # representable numbers from it up to x: 0 on it, negative below it
    steps: tuple[TraceStep, ...]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One activation and one neuron, alone, and what the NumPy reference makes of both.

    Floats are hexadecimal strings, so that they survive JSON bit for bit. The activation takes
    `activation_current` to the level M; the neuron runs from `v_init` over `currents`, one a time-step,
    to the spike count N. `causes` are the settings which, put right together, make N stand for M (each
    found by running the case again), the fewest that do; `diagnosis` says it in a sentence.
    """

    dtype: str
    quantizer: str
    levels: int
    activation_threshold: str
    activation_current: str
    threshold: str
    v_init: str
    time_steps: int
    firing: str
    reset: str
    currents: tuple[str, ...]
    reference_level: int | None  # M on the reference; None where the input is not a number
    reference_spike_count: int  # N on the reference
    trace: Trace | None = None
    causes: tuple[str, ...] = ()
    diagnosis: str = ""


@dataclass(frozen=True, kw_only=True)
class Synapse:
    """One input of a neuron: what it weighs, and what arrived on it; hexadecimal floats."""

    source: str  # the earlier site that it comes from, or "(input)"
    index: tuple[int, ...]  # which neuron or pixel of it
    weight: str
    activation_input: str  # in the ANN
    inputs: tuple[str, ...]  # in the spiking network: one a time-step, or a single constant one


@dataclass(frozen=True, kw_only=True)
class NeuronSlice:
    """One neuron cut out of the network: Σ w x + bias + rounding is its current, to the last bit.

    The sum is exact; `rounding` is what the network's own order of summation made of it, one number for
    the ANN and one a time-step for the spiking network (or a single constant one). Inputs that are 0 in
    both networks are left out. `fewest` are the places of the synapses that suffice: with every other
    input at 0 and without the rounding, M and N still disagree, and for the same causes; None where even
    all of them do not.
    """

    synapses: tuple[Synapse, ...]
    bias: str
    activation_rounding: str
    rounding: tuple[str, ...]
    rounding_ulps: int  # the largest rounding, in representable numbers of the current
    fewest: tuple[int, ...] | None


@dataclass(frozen=True, kw_only=True)
class Counterexample(Case):
    """One neuron of a network on one input where the spike count N does not stand for the level M.

    `level` and `spike_count` are M and N as the modules computed them: where they differ from those of
    the reference, the module under audit does not compute what its attributes say.
    """

    id: str
    mode: str  # "shadow": on the ANN's own input; "end-to-end": on what the spiking network delivered
    site: str
    input: int  # number of the image, from 0, in the order of the data
    neuron: tuple[int, ...]  # index within the site, without the batch axis
    level: int | None  # M; None where the input is not a number
    spike_count: int  # N
    minimal: Case | None = None  # the simplest case found that fails for the same causes; first of its site
    slice: NeuronSlice | None = None  # likewise for the first of its site and mode
    slice_detail: str = ""  # why there is no slice, or what was left out

    def __str__(self) -> str:
        index = ", ".join(map(str, self.neuron))
        text = (
            f"{self.site}[{index}], image {self.input} ({self.mode}): "
            f"M = {self.level} of L = {self.levels}, N = {self.spike_count} of T = {self.time_steps}"
        )
        if (self.reference_level, self.reference_spike_count) != (self.level, self.spike_count):
            text += f" (the reference: M = {self.reference_level}, N = {self.reference_spike_count})"
        return text


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A maximal interval of inputs on which N / T differs from M / L, as hexadecimal floats."""

    first: str
    last: str
    inputs: int
    level: int | None  # None where the activation returns no number
    spike_count: int | None


@dataclass(frozen=True, kw_only=True)
class FloatClass:
    """What became of one class of inputs."""

    inputs: int
    mismatches: int
