"""Audits a planted fault or a sound variation, and says what became of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn

from qvm_verify.audit import verify
from qvm_verify.exits import InputError
from qvm_verify.replay import judge
from qvm_verify.report.model import Report
from tests.mutants.registry import Fault, Variation
from tests.mutants.subjects import Subject


@dataclass(frozen=True)
class Outcome:
    """What the audit of a planted fault said."""

    verdict: str  # of the report, or "refused"
    site: str | None  # the first that fails, where the fault must show
    found_by: tuple[str, ...]
    statuses: tuple[str, ...]  # of the counterexamples of that site, replayed
    refuted: bool  # never `lossless`, and not-lossless where the audit compares at all
    localised: bool
    replayed: bool


@cache
def control(subject: Callable[[], Subject]) -> Report:
    """Return the audit of the faithful conversion, on the same data."""
    ann, snn = pair_of(subject())
    return verify(ann, snn, subject().batches, **subject().options)


@torch.no_grad()
def pair_of(subject: Subject) -> tuple[nn.Module, nn.Module]:
    """Return copies of an ANN and its faithful conversion."""
    ann = copy.deepcopy(subject.ann)
    return ann, subject.spiking(ann)


def examine(fault: Fault) -> Outcome:
    """Plant a fault and audit it."""
    subject = fault.subject()
    with torch.no_grad():
        ann, snn = fault.plant(*pair_of(subject))
    try:
        report = verify(ann, snn, subject.batches, **subject.options)
    except InputError as error:
        named = str(error).startswith(f"{fault.site}: ")
        expected = fault.shows == "refusal"
        return Outcome("refused", fault.site if named else None, ("refusal",), (), expected, named, False)
    site = _first_failing(report, fault)
    compared = fault.shows in ("shadow", "end-to-end")
    statuses = tuple(
        judge(c).status.value
        for c in report.counterexamples
        if c.site == fault.site or fault.shows == "finding"
    )
    return Outcome(
        report.verdict,
        site,
        _found_by(report, fault),
        statuses,
        report.verdict == "not-lossless" if compared else report.verdict != "lossless",
        site == fault.site,
        "REPRODUCED" in statuses,
    )


def _first_failing(report: Report, fault: Fault) -> str | None:
    """Return the first site that fails where the fault must show."""
    if fault.shows == "finding":
        return next((f.site for f in report.findings if f.site.split(" ")[-1] == fault.site), None)
    shadow, end_to_end = report.first_divergence["shadow"], report.first_divergence["end-to-end"]
    return shadow if fault.shows == "shadow" else (shadow or end_to_end)


def _found_by(report: Report, fault: Fault) -> tuple[str, ...]:
    """Return every means that found the fault, beyond what the faithful conversion shows."""
    faithful = control(fault.subject)
    known = {entry.site: entry.mismatches for entry in faithful.certificate}
    certificate = any(
        entry.site == fault.site and entry.mismatches and entry.mismatches != known.get(entry.site)
        for entry in report.certificate
    )
    means = {
        "shadow": report.first_divergence["shadow"] is not None,
        "end to end": report.first_divergence["end-to-end"] is not None,
        "certificate": certificate,
        "composition": bool(set(report.composition.obstacles) - set(faithful.composition.obstacles)),
        "reference": report.reference.neuron_mismatches + report.reference.sums_outside_bound > 0,
        "finding": bool(report.findings),
    }
    return tuple(name for name, found in means.items() if found)


def audited(variation: Variation) -> Report:
    """Audit a sound variation."""
    subject = variation.subject()
    with torch.no_grad(), variation.during():
        batches = [batch.clone() for batch in subject.batches]
        ann, snn, batches = variation.vary(*pair_of(subject), batches)
        return verify(ann, snn, batches, **{**subject.options, **variation.options})
