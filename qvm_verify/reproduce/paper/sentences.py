"""The paper's sentences that state or compare numbers, each with what its checks found."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from qvm_verify.reproduce.paper.agreement import Agreement, Finding, together, unchecked
from qvm_verify.reproduce.paper.checks import (
    ablation,
    cifar100,
    imagenet,
    neuromorphic,
    settings,
    summary,
)

CHECKS = (summary, imagenet, ablation, settings, cifar100, neuromorphic)


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A sentence of the paper, verbatim but for collapsed white space, and the findings of its checks."""

    id: str
    section: str
    text: str
    findings: list[Finding]

    @property
    def agreement(self) -> Agreement:
        """What its findings come to together."""
        return together(self.findings)


@cache
def sentences() -> list[Sentence]:
    """Return all sentences in the paper's order.

    A sentence without checks has the reason beside its text; one has either or both, and a test says so.
    """
    checked = {id: found for module in CHECKS for id, found in module.findings().items()}
    text = (files(__package__) / "sentences.toml").read_text(encoding="utf-8")
    return [
        Sentence(
            id=line["id"],
            section=line["section"],
            text=line["text"],
            findings=[
                *checked.get(line["id"], []),
                *([unchecked(line["unchecked"])] if "unchecked" in line else []),
            ],
        )
        for line in tomllib.loads(text)["sentence"]
    ]
