"""A report as a table in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from qvm_verify.report.model import LayerResult, Report

_COLOURS = {"lossless": "green", "not-lossless": "red", "inconclusive": "yellow"}


def print_report(report: Report, console: Console) -> None:
    """Print the table of sites, what forbids a verdict, a counterexample and the verdict in one sentence."""
    console.print(_layer_table(report))
    console.print(_preconditions_table(report))
    for line in _facts(report):
        console.print(line, highlight=False)
    for finding in report.findings:
        console.print(
            f"[yellow]finding[/] {escape(finding.site)} {escape(finding.sentence)} ({finding.kind})"
        )
    for counterexample in report.counterexamples[:3]:
        console.print(
            f"[red]counterexample {counterexample.id}[/] {escape(str(counterexample))}", highlight=False
        )
    console.print(f"[bold {_COLOURS[report.verdict]}]{report.verdict}[/]: {escape(_sentence(report))}")


def _layer_table(report: Report) -> Table:
    table = Table(title="Spike counts N against levels M, at tolerance zero", box=box.SIMPLE_HEAD)
    table.add_column("site", no_wrap=True)
    for name in (
        "neurons",
        "shadow\nN ≠ M",
        "end to end\nN ≠ M",
        "max\n|N - M|",
        "mean\nerror",
        "max\nerror",
    ):
        table.add_column(name, justify="right")
    table.add_column("Eq. 14\nbound", justify="right")
    for shadow, end_to_end in _pairs(report):
        bad = shadow.spike_count_mismatches or end_to_end.spike_count_mismatches
        propagation = end_to_end.propagation
        table.add_row(
            escape(shadow.site),
            str(shadow.neurons),
            str(shadow.spike_count_mismatches),
            str(end_to_end.spike_count_mismatches),
            f"{max(shadow.max_abs_difference, end_to_end.max_abs_difference):.3g}",
            f"{end_to_end.conversion_error.mean:.3g}",
            f"{end_to_end.conversion_error.max:.3g}",
            f"{propagation.bound}{' (exceeded)' if propagation.exceeded else ''}" if propagation else "",
            style="red" if bad else None,
        )
    table.caption = f"error: |a - φ| end to end, over {report.output.samples} images; bound: on |N - M|"
    return table


def _preconditions_table(report: Report) -> Table:
    title = "Where the ANN's own inputs leave the theorems' assumptions"
    table = Table(title=title, box=box.SIMPLE_HEAD)
    table.add_column("site", no_wrap=True)
    for name in ("q < 0", "q > θ", "z integer", "not finite", "nearest\nboundary"):
        table.add_column(name, justify="right")
    for shadow, _ in _pairs(report):
        p = shadow.preconditions
        counts = (p.negative_current, p.over_threshold, p.integer_z, p.non_finite)
        margin = "" if shadow.margin_ulps is None else f"{shadow.margin_ulps} ulp"
        table.add_row(escape(shadow.site), *map(str, counts), margin)
    return table


def _pairs(report: Report) -> list[tuple[LayerResult, LayerResult]]:
    end_to_end = {row.site: row for row in report.layers if row.mode == "end-to-end"}
    return [(row, end_to_end[row.site]) for row in report.layers if row.mode == "shadow"]


def _facts(report: Report) -> list[str]:
    facts = [_latency_fact(report), _accuracy_fact(report), *_reference_facts(report)]
    facts += _certificate_facts(report)
    return [fact for fact in facts if fact]


def _latency_fact(report: Report) -> str:
    latency = report.latency
    if not latency.sites:
        return ""
    each = "different time-steps" if latency.time_steps is None else f"{latency.time_steps} time-steps"
    why = (
        "layers overlap"
        if report.currents == "streaming"
        else "Eq. 9 needs the whole spike count of the layer before"
    )
    return f"latency: {latency.total_steps} steps, for {latency.sites} sites of {each}: {why}"


def _accuracy_fact(report: Report) -> str:
    output = report.output
    different = f"{'classes' if report.currents == 'streaming' else 'scores'} differ on {output.mismatches}"
    if output.ann_correct is None or output.snn_correct is None:
        return f"{different} of {output.samples} images"
    ann, snn = output.ann_correct / output.labelled, output.snn_correct / output.labelled
    return f"accuracy: ANN {ann:.2%}, SNN {snn:.2%} of {output.labelled} images; {different}"


def _reference_facts(report: Report) -> list[str]:
    reference = report.reference
    facts = [
        f"reference: {reference.neuron_mismatches} of {reference.neurons_checked} sampled neurons differ in "
        f"a bit; {reference.sums_outside_bound} of {reference.sums_checked} sampled sums leave their error "
        f"bound (the worst uses {reference.worst_share_of_bound:.1%} of it)"
    ]
    if reference.unchecked:
        facts.append(f"not held against the reference: {', '.join(map(escape, reference.unchecked))}")
    return facts


def _certificate_facts(report: Report) -> list[str]:
    decided = [entry for entry in report.certificate if entry.mismatching_inputs is not None]
    if not decided:
        reasons = sorted({entry.detail for entry in report.certificate})
        return [f"certificate: no site is decided for every number: {'; '.join(reasons)}"] if reasons else []
    failing = [entry for entry in decided if entry.mismatching_inputs]
    facts = [
        f"certificate: N = M for every {decided[0].dtype} number at {len(decided) - len(failing)} of "
        f"{len(report.certificate)} sites, by {decided[0].method} ({decided[0].rests_on})"
    ]
    for entry in failing:
        near = "" if entry.nearest_ulps is None else f", the others stay {entry.nearest_ulps} ulp away"
        mend = f"; mended by: {entry.repair['change']}" if entry.repair else "; no repair found"
        facts.append(
            f"  {escape(entry.site)} fails on {entry.mismatching_inputs} numbers, "
            f"first {entry.mismatches[0].first}; the data hit {entry.reached}{near}{mend}"
        )
    facts.append(f"whole network: {report.composition.verdict}: {escape(report.composition.detail)}")
    return facts


def _sentence(report: Report) -> str:
    if report.verdict == "lossless":
        inputs = report.output.samples
        return (
            f"N = M at every neuron of every site on these {inputs} images, and the scores are equal. "
            f"{_nearest(report)}TESTED in {report.environment['dtype']}; this says nothing of other images."
        )
    reasons = [claim for claim in report.claims if claim.verdict == report.worst]
    text = ". ".join(claim.detail for claim in reasons)
    if report.verdict == "not-lossless":
        where = report.first_divergence
        names = ", ".join(f"{mode}: {site}" for mode, site in where.items() if site is not None)
        return f"{text}. First diverging layer — {names}."
    return f"{report.worst.name}: {text}."


def _nearest(report: Report) -> str:
    """Return how near the data came to a decision boundary, where a firing rule would show."""
    margins = [(row.margin_ulps, row.site) for row in report.layers if row.margin_ulps is not None]
    if not margins:
        return ""
    margin, site = min(margins)
    return f"The nearest current came within {margin} ulp of a decision boundary, at {site}. "
