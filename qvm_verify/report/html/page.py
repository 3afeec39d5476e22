"""The page as a whole: what `report.json` says, put into the template."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from qvm_verify.report.html.charts import layer_errors, level_scatter, margin_histogram
from qvm_verify.report.html.charts.layer_errors import Series
from qvm_verify.report.html.counterexamples import Traced, traced
from qvm_verify.report.html.sites import Site, details, sites_of
from qvm_verify.report.sentences import (
    MEANINGS,
    counterexample_sentence,
    facts,
    finding_sentence,
    mending,
    scope_of,
    verdict_sentence,
)

BYTES_FOR_SITES = 1_000_000
"""How long the sections of single sites may be together, so that the file stays below 2 MB."""


def render_html(content: dict[str, Any]) -> str:
    """Return the page that shows the content of a `report.json`; it loads nothing and runs nothing.

    Names and paths in a report are anybody's text: all of it is escaped.
    """
    environment = Environment(
        loader=PackageLoader("qvm_verify.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["mending"] = mending
    environment.filters["decimal"] = lambda hex_float: f"{float.fromhex(hex_float):.9g}"
    sites = sites_of(content)
    shown, left_out = details(sites, BYTES_FOR_SITES)
    traces, untraced = traced(content["counterexamples"])
    return environment.get_template("page.html.j2").render(
        report=content,
        sentence=verdict_sentence(content),
        facts=[fact for fact in facts(content) if not fact.startswith(" ")],  # sites have sections
        findings=[finding_sentence(finding) for finding in content["findings"]],
        sites=sites,
        shown=shown,
        left_out=left_out,
        traces=traces,
        untraced=[(item, counterexample_sentence(item)) for item in untraced],
        first_replay=_replay_of_all(traces),
        claims=[(claim, scope_of(claim)) for claim in content["claims"]],
        meanings=[(verdict.name, meaning) for verdict, meaning in MEANINGS.items()],
        errors_chart=_errors_chart(content, sites),
        scatters=_scatters(sites),
        margins_chart=_margins_chart(sites),
    )


def _replay_of_all(traces: list[Traced]) -> str:
    """Return the command that replays every counterexample: that of one, without its number."""
    if not traces:
        return ""
    item = traces[0].item
    command: str = item["replay"]
    return command.replace(f"#{item['id']}'", "'")


def _errors_chart(content: dict[str, Any], sites: list[Site]) -> Markup | str:
    if not sites:
        return ""
    audited = [site.end_to_end["conversion_error"]["mean"] for site in sites]
    series = [Series("audited", "plain", audited)]
    comparison = content["currents_comparison"]
    if comparison is not None:
        known = {entry["site"]: entry for entry in comparison["sites"]}
        for name, class_ in (("streaming", "unsure"), ("constant", "good")):
            means = [known[site.name][name]["mean"] if site.name in known else None for site in sites]
            series.insert(-1, Series(name, class_, means))
    names = [site.name for site in sites]
    return layer_errors(names, series, title="Mean error |a - φ| of each layer")


def _scatters(sites: list[Site]) -> list[tuple[str, Markup]]:
    """Return the scatter of all sites together for each mode, where they have L and T in common."""
    settings = {(site.shadow["levels"], site.shadow["time_steps"]) for site in sites}
    if len(settings) != 1:
        return []
    levels, time_steps = settings.pop()
    charts = []
    for mode, rows in (
        ("shadow", [site.shadow for site in sites]),
        ("end to end", [site.end_to_end for site in sites]),
    ):
        counts: dict[tuple[int, int], int] = {}
        for row in rows:
            for m, n, number in row["level_spike_counts"]:
                counts[m, n] = counts.get((m, n), 0) + number
        pairs = [(m, n, number) for (m, n), number in counts.items()]
        title = f"Spike count N against level M, all sites, {mode}"
        charts.append(
            (mode, level_scatter(pairs, levels=levels, time_steps=time_steps, title=title, most=400))
        )
    return charts


def _margins_chart(sites: list[Site]) -> Markup | str:
    counts = list(map(sum, zip_longest(*(s.shadow["margin_histogram"] for s in sites), fillvalue=0)))
    title = "How near the ANN's own inputs came to a decision boundary, all sites"
    return margin_histogram(counts, title=title) if any(counts) else ""
