"""From what was seen to a verdict: the claims of an audit, each with its evidence."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from qvm_verify.audit.certification import Reach, SiteCertificate
from qvm_verify.audit.counterexamples import explained
from qvm_verify.audit.setting import Setting
from qvm_verify.audit.tally import Tally
from qvm_verify.certificate import Composition
from qvm_verify.report.model import (
    MODES,
    CompositionResult,
    Finding,
    Latency,
    LayerResult,
    Mode,
    OutputResult,
    ReferenceAgreement,
    Report,
)
from qvm_verify.verdict import Counterexample, Evidence, Verdict


def conclude(
    *,
    tally: Tally,
    model: dict[str, Any],
    settings: dict[str, Setting],
    findings: Sequence[Finding],
    unconverted: bool,
    certificates: Sequence[SiteCertificate],
    composition: Composition,
    dtype: str,
    device: str,
    seed: int,
) -> Report:
    """Return the report of an audit; its verdict is that of the worst claim."""
    layers = [
        tally.sites(mode)[name].result(name, mode, setting)
        for mode in MODES
        for name, setting in settings.items()
        if name in tally.sites(mode)
    ]
    output, reference = tally.output.result(), tally.reference.result()
    findings = [*findings, *map(_off_grid_finding, tally.off_grid), *map(_irregular_finding, tally.irregular)]
    first = {mode: _first_divergence(layers, mode) for mode in MODES}
    if first["end-to-end"] is None and output.mismatches:
        first["end-to-end"] = "(output)"
    claims = [_count_claim(layers, mode, first[mode], dtype) for mode in MODES if layers]
    claims.append(_output_claim(output, dtype))
    if reference.neurons_checked or reference.sums_checked:
        claims.append(_reference_claim(reference, tally.reference.disagreements, dtype))
    if findings:
        text = "; ".join(f"{finding.site} {finding.sentence}" for finding in findings[:3])
        claims.append(_evidence("audit.everything-seen", dtype, Verdict.UNKNOWN, detail=text))
    counterexamples, unreplayed = _numbered(tally, list(settings), unconverted)
    if unreplayed:
        detail = f"{unreplayed[0]}: a fresh copy, on the same currents alone, decides otherwise"
        claims.append(_evidence("audit.counterexamples-replay", dtype, Verdict.ERROR, detail=detail))
    claims += _certificate_claims(certificates, tally, dtype)
    streaming = any(setting.streaming for setting in settings.values())
    return Report(
        model=model,
        environment=environment(device, dtype, seed),
        currents="streaming" if streaming else "constant",
        latency=_latency(settings, streaming),
        first_divergence=first,
        layers=tuple(layers),
        output=output,
        reference=reference,
        findings=tuple(findings),
        claims=tuple(claims),
        counterexamples=tuple(counterexamples),
        certificate=tuple(c.result(tally.reach.get(c.site, Reach())) for c in certificates),
        composition=CompositionResult(
            verdict=composition.evidence.verdict.name,
            detail=composition.evidence.detail,
            obstacles=tuple(str(obstacle) for obstacle in composition.obstacles),
        ),
    )


def _numbered(
    tally: Tally, sites: list[str], unconverted: bool
) -> tuple[list[Counterexample], list[Counterexample]]:
    """Return the counterexamples that replayed, and those that did not, by mode, site and image."""
    found = sorted(
        tally.found,
        key=lambda one: (MODES.index(one.counterexample.mode), sites.index(one.counterexample.site)),
    )
    replayed = explained((one for one in found if one.replayed), unconverted)
    unreplayed = [one.counterexample for one in found if not one.replayed]
    return [replace(one.counterexample, id=f"C{k}") for k, one in enumerate(replayed, start=1)], unreplayed


def _off_grid_finding(site_and_part: tuple[str, str]) -> Finding:
    site, part = site_and_part
    sentence = f"has an {part} that returns values off the grid of threshold / steps"
    return Finding(kind="off-grid", site=site, sentence=sentence)


def _irregular_finding(site_and_network: tuple[str, str]) -> Finding:
    site, network = site_and_network
    sentence = "runs for some images and not for others"
    return Finding(kind="irregular-site", site=f"{network} {site}", sentence=sentence)


def _evidence(
    claim: str, dtype: str, verdict: Verdict, *, detail: str, inputs: int | None = None
) -> Evidence:
    return Evidence(claim=claim, arithmetic=dtype, verdict=verdict, detail=detail, inputs=inputs)


def _first_divergence(layers: Sequence[LayerResult], mode: Mode) -> str | None:
    diverging = (row.site for row in layers if row.mode == mode and row.spike_count_mismatches)
    return next(diverging, None)


def _count_claim(layers: Sequence[LayerResult], mode: Mode, first: str | None, dtype: str) -> Evidence:
    rows = [row for row in layers if row.mode == mode]
    mismatches = sum(row.spike_count_mismatches for row in rows)
    compared = sum(row.neurons * row.samples for row in rows)
    name = f"audit.counts-equal-levels.{mode}"
    if mismatches:
        where = "in shadow" if mode == "shadow" else "end to end"
        detail = f"{mismatches} of {compared} spike counts differ from their levels {where}, first at {first}"
        return _evidence(name, dtype, Verdict.REFUTED, detail=detail)
    return _evidence(name, dtype, Verdict.TESTED, detail="N = M at every site", inputs=compared)


def _output_claim(output: OutputResult, dtype: str) -> Evidence:
    name = "audit.outputs-equal"
    if output.mismatches:
        detail = f"{output.mismatches} of {output.samples} images get other scores"
        return _evidence(name, dtype, Verdict.REFUTED, detail=detail)
    return _evidence(name, dtype, Verdict.TESTED, detail="equal scores", inputs=output.samples)


def _reference_claim(reference: ReferenceAgreement, disagreements: Sequence[str], dtype: str) -> Evidence:
    name = "audit.torch-agrees-with-reference"
    if disagreements:
        return _evidence(name, dtype, Verdict.ERROR, detail="; ".join(disagreements[:3]))
    inputs = reference.neurons_checked + reference.sums_checked
    return _evidence(name, dtype, Verdict.TESTED, detail="on a random sample", inputs=inputs)


def _certificate_claims(certificates: Sequence[SiteCertificate], tally: Tally, dtype: str) -> list[Evidence]:
    """Hold certificate and audit against each other: both say which of the data's inputs fail."""
    judged = [c.site for c in certificates if c.complete and not tally.shadow[c.site].non_finite]
    name = "audit.certificates-agree"
    for site in judged:
        hits, seen = tally.reach[site].hits, tally.shadow[site].mismatches
        if hits != seen:
            detail = f"{site}: {hits} inputs fail by certificate, {seen} by audit"
            return [_evidence(name, dtype, Verdict.ERROR, detail=detail)]
    inputs = sum(tally.shadow[site].neurons * tally.shadow[site].samples for site in judged)
    if not inputs:
        return []
    detail = "the inputs that fail are those that the certificates name"
    return [_evidence(name, dtype, Verdict.TESTED, detail=detail, inputs=inputs)]


def _latency(settings: dict[str, Setting], streaming: bool) -> Latency:
    steps = {setting.time_steps for setting in settings.values()}
    total = sum(setting.time_steps for setting in settings.values())
    return Latency(
        sites=len(settings),
        time_steps=steps.pop() if len(steps) == 1 else None,
        total_steps=(max((s.time_steps for s in settings.values()), default=0) if streaming else total),
    )


def environment(device: str, dtype: str, seed: int) -> dict[str, Any]:
    """Return what a report says of the machine and the versions that made it."""
    return {
        "qvm_verify": version("qvm-verify"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
        "device": device,
        "dtype": dtype,
        "threads": torch.get_num_threads(),
        "seed": seed,
    }
