"""The counterexamples of a report, as the objects they were."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from qvm_verify.verdict import Case, Counterexample, NeuronSlice, Synapse, Trace, TraceStep

AnyCase = TypeVar("AnyCase", bound=Case)


def counterexamples_of(content: dict[str, Any]) -> list[Counterexample]:
    """Return the counterexamples of a report that `read_report` accepted."""
    return [counterexample_of(item) for item in content["counterexamples"]]


def counterexample_of(item: dict[str, Any]) -> Counterexample:
    """Return one counterexample from its entry in a report."""
    minimal, cut = item["minimal"], item["slice"]
    given = item | {
        "neuron": tuple(item["neuron"]),
        "minimal": None if minimal is None else _case(Case, minimal),
        "slice": None if cut is None else _slice(cut),
    }
    return _case(Counterexample, given)


def _case(kind: type[AnyCase], item: dict[str, Any]) -> AnyCase:
    known = {field.name for field in fields(kind)}
    values = {name: value for name, value in item.items() if name in known}
    steps = item["trace"]
    values.update(
        currents=tuple(item["currents"]),
        causes=tuple(item["causes"]),
        trace=None
        if steps is None
        else Trace(**(steps | {"steps": tuple(TraceStep(**step) for step in steps["steps"])})),
    )
    return kind(**values)


def _slice(item: dict[str, Any]) -> NeuronSlice:
    synapses = tuple(
        Synapse(**(s | {"index": tuple(s["index"]), "inputs": tuple(s["inputs"])})) for s in item["synapses"]
    )
    fewest = None if item["fewest"] is None else tuple(item["fewest"])
    return NeuronSlice(
        **(item | {"synapses": synapses, "rounding": tuple(item["rounding"]), "fewest": fewest})
    )
