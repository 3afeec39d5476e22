"""Verdicts, and the evidence that carries one.

A verdict is never a boolean: "no counterexample in 360 images", "none among all float32 numbers" and
"proved for every real number" are three different things, and a reader must be able to tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any


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
class Counterexample:
    """One neuron on one input where the spike count N does not stand for the level M.

    Floats are hexadecimal strings, so that they survive JSON bit for bit. The activation takes
    `activation_current` to the level M; the neuron runs from `v_init` over `currents`, one a time-step,
    to the spike count N. `reference_level` and `reference_spike_count` are what the NumPy reference makes
    of the same numbers: where they differ from M and N, the module under audit does not compute what its
    attributes say.
    """

    id: str
    mode: str  # "shadow": on the ANN's own input; "end-to-end": on what the spiking network delivered
    site: str
    input: int  # number of the image, from 0, in the order of the data
    neuron: tuple[int, ...]  # index within the site, without the batch axis
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
    level: int | None  # M; None where the input is not a number
    spike_count: int  # N
    reference_level: int | None
    reference_spike_count: int

    @classmethod
    def from_json(cls, item: dict[str, Any]) -> Counterexample:
        """Return a counterexample from its entry in `report.json`; what else stands there is left out."""
        values = {field.name: item[field.name] for field in fields(cls)}
        values.update(neuron=tuple(values["neuron"]), currents=tuple(values["currents"]))
        return cls(**values)

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
