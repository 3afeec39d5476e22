"""An audit as an assertion, for a test of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from qvm_verify.audit.side_by_side import Batch, verify
from qvm_verify.counterexamples import explain
from qvm_verify.report.model import Report


def assert_lossless(ann: nn.Module, snn: nn.Module, batches: Iterable[Batch], **options: Any) -> Report:
    """Return the report of `qvm_verify.verify`, or raise AssertionError where it is not `lossless`.

    `options` are those of `verify`. The message says what differs, where first, and why, with the trace of
    the first counterexample; an inconclusive audit fails with what was not looked at. Raises InputError
    where `verify` does.
    """
    __tracebackhide__ = True
    report = verify(ann, snn, batches, **options)
    if report.verdict != "lossless":
        raise AssertionError(failure_text(report))
    return report


def failure_text(report: Report) -> str:
    """Return why a report is not `lossless`: its verdict, the claims that fell, one counterexample."""
    fallen = "; ".join(claim.detail for claim in report.claims if claim.verdict == report.worst)
    lines = [f"{report.verdict}: {report.worst.name}: {fallen}"]
    lines += [
        f"first diverging layer, {mode}: {site}" for mode, site in report.first_divergence.items() if site
    ]
    lines += [f"finding: {finding.site} {finding.sentence}" for finding in report.findings]
    lines += [explain(counterexample) for counterexample in report.counterexamples[:1]]
    return "\n".join(lines)
