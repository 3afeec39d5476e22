"""From what was seen to a verdict: the claims of an audit, each with its evidence."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from qvm_verify.audit.certification import SiteCertificate
from qvm_verify.audit.counterexamples import Collector
from qvm_verify.audit.reference_check import ReferenceCheck
from qvm_verify.audit.setting import Setting
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
from qvm_verify.verdict import Evidence, Verdict


def conclude(
    *,
    model: dict[str, Any],
    settings: dict[str, Setting],
    layers: Sequence[LayerResult],
    output: OutputResult,
    reference_check: ReferenceCheck,
    findings: Sequence[Finding],
    collector: Collector,
    certificates: Sequence[SiteCertificate],
    composition: Composition,
    dtype: str,
    device: str,
    seed: int,
) -> Report:
    """Return the report of an audit; its verdict is that of the worst claim."""
    reference = reference_check.result()
    first = {mode: _first_divergence(layers, mode) for mode in MODES}
    if first["end-to-end"] is None and output.mismatches:
        first["end-to-end"] = "(output)"
    claims = [_count_claim(layers, mode, first[mode], dtype) for mode in MODES if layers]
    claims.append(_output_claim(output, dtype))
    if reference.neurons_checked or reference.sums_checked:
        claims.append(_reference_claim(reference, reference_check.disagreements, dtype))
    if findings:
        text = "; ".join(f"{finding.site} {finding.sentence}" for finding in findings[:3])
        claims.append(_evidence("audit.everything-seen", dtype, Verdict.UNKNOWN, detail=text))
    if collector.not_replayed:
        claims.append(
            _evidence("audit.counterexamples-replay", dtype, Verdict.ERROR, detail=collector.not_replayed[0])
        )
    claims += _certificate_claims(certificates, layers, dtype)
    streaming = any(setting.streaming for setting in settings.values())
    return Report(
        model=model,
        environment=_environment(device, dtype, seed),
        currents="streaming" if streaming else "constant",
        latency=_latency(settings, streaming),
        first_divergence=first,
        layers=tuple(layers),
        output=output,
        reference=reference,
        findings=tuple(findings),
        claims=tuple(claims),
        counterexamples=tuple(collector.counterexamples),
        certificate=tuple(certificate.result() for certificate in certificates),
        composition=CompositionResult(
            verdict=composition.evidence.verdict.name,
            detail=composition.evidence.detail,
            obstacles=tuple(str(obstacle) for obstacle in composition.obstacles),
        ),
    )


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
        detail = f"{mismatches} of {compared} spike counts differ from their levels, first at {first}"
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


def _certificate_claims(
    certificates: Sequence[SiteCertificate], layers: Sequence[LayerResult], dtype: str
) -> list[Evidence]:
    """Hold certificate and audit against each other: both say which of the data's inputs fail."""
    shadow = {row.site: row for row in layers if row.mode == "shadow"}
    judged = [c for c in certificates if c.complete and not shadow[c.site].preconditions.non_finite]
    name = "audit.certificates-agree"
    for certificate in judged:
        seen = shadow[certificate.site].spike_count_mismatches
        if certificate.reached != seen:
            detail = f"{certificate.site}: {certificate.reached} inputs fail by certificate, {seen} by audit"
            return [_evidence(name, dtype, Verdict.ERROR, detail=detail)]
    inputs = sum(shadow[c.site].neurons * shadow[c.site].samples for c in judged)
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


def _environment(device: str, dtype: str, seed: int) -> dict[str, Any]:
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
