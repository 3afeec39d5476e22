"""What a planted fault and a sound variation are, and the lists that they are entered in."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import nn

from tests.mutants.neurons import PlainNeuron, put_at
from tests.mutants.subjects import Batches, Subject

Break = Callable[[nn.Module, nn.Module], tuple[nn.Module, nn.Module]]
"""Takes copies of an ANN and of its faultless conversion; returns the broken pair."""
Vary = Callable[[nn.Module, nn.Module, Batches], tuple[nn.Module, nn.Module, Batches]]
"""Takes the same and the data; returns what must be lossless as well."""

Shows = Literal["shadow", "end-to-end", "finding", "refusal"]
"""Where a fault must show first. At a site itself: in shadow. Between sites: end to end, at the next one.

A finding or a refusal is for what the audit does not compare, by design: it must name the place.
"""
Replays = Literal["REPRODUCED", "UNSEEN", "none"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One broken conversion, and what an audit must say of it."""

    family: str
    name: str
    subject: Callable[[], Subject]
    plant: Break
    site: str  # the first that must fail
    shows: Shows
    replays: Replays  # what the replay says of a counterexample
    why: str = ""  # why no counterexample is REPRODUCED, where none can be


@dataclass(frozen=True, kw_only=True)
class Variation:
    """Another way to write, or to run, a conversion that is right."""

    kind: str
    name: str
    subject: Callable[[], Subject]
    vary: Vary
    during: Callable[[], AbstractContextManager[Any]] = nullcontext
    options: dict[str, Any] = field(default_factory=dict)  # of `verify`


FAULTS: list[Fault] = []
VARIATIONS: list[Variation] = []

UNSEEN = "the module does it, not the numbers: only the audited network can show it again"
NO_NEURON = "no neuron differs, so there is none to replay"


def fault(
    family: str,
    subject: Callable[[], Subject],
    site: str,
    *,
    shows: Shows = "shadow",
    replays: Replays = "REPRODUCED",
    why: str = "",
    name: str = "",
) -> Callable[[Break], Break]:
    """Enter a function as a fault, by its own name."""

    def enter(plant: Break) -> Break:
        FAULTS.append(
            Fault(
                family=family,
                name=name or words(plant.__name__),
                subject=subject,
                plant=plant,
                site=site,
                shows=shows,
                replays=replays,
                why=why,
            )
        )
        return plant

    return enter


def faulty_neuron(
    family: str, subject: Callable[[], Subject], site: str
) -> Callable[[type[PlainNeuron]], type[PlainNeuron]]:
    """Enter a neuron that does not do what its attributes say, planted at one site."""

    def enter(kind: type[PlainNeuron]) -> type[PlainNeuron]:
        def plant(ann: nn.Module, snn: nn.Module) -> tuple[nn.Module, nn.Module]:
            return ann, put_at(snn, site, kind)

        fault(family, subject, site, replays="UNSEEN", why=UNSEEN, name=words(kind.__name__))(plant)
        return kind

    return enter


def variation(
    kind: str,
    *subjects: Callable[[], Subject],
    during: Callable[[], AbstractContextManager[Any]] = nullcontext,
    **options: Any,
) -> Callable[[Vary], Vary]:
    """Enter a function as a sound variation of each of the subjects."""

    def enter(vary: Vary) -> Vary:
        for subject in subjects:
            VARIATIONS.append(
                Variation(
                    kind=kind,
                    name=f"{words(vary.__name__)} ({words(subject.__name__)})",
                    subject=subject,
                    vary=vary,
                    during=during,
                    options=options,
                )
            )
        return vary

    return enter


def words(name: str) -> str:
    """Return `SomeName` and `some_name` as "some name"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).replace("_", " ").lower()
