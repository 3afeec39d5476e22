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
