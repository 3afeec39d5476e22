"""A report as a table in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from qvm_verify.report.files import plain
from qvm_verify.report.model import LayerResult, Report
from qvm_verify.report.sentences import facts, finding_sentence, verdict_sentence

_COLOURS = {"lossless": "green", "not-lossless": "red", "inconclusive": "yellow"}


def print_report(report: Report, console: Console) -> None:
    """Print the table of sites, what forbids a verdict, a counterexample and the verdict in one sentence."""
    content = plain(report.to_json())
    console.print(_layer_table(report))
    console.print(_preconditions_table(report))
    for line in facts(content):
        console.print(escape(line), highlight=False)
    for finding in content["findings"]:
        console.print(f"[yellow]finding[/] {escape(finding_sentence(finding))}")
    for counterexample in report.counterexamples[:3]:
        console.print(
            f"[red]counterexample {counterexample.id}[/] {escape(str(counterexample))}", highlight=False
        )
        causes = ", ".join(counterexample.causes) or "unknown"
        console.print(f"  cause: {causes} ({escape(counterexample.diagnosis)})", highlight=False)
    colour = _COLOURS[report.verdict]
    console.print(f"[bold {colour}]{report.verdict}[/]: {escape(verdict_sentence(content))}")


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
