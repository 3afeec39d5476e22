"""What the page shows of each site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from qvm_verify.report.html.charts import certificate_line, level_scatter, margin_histogram

INTERVALS = 8
"""How many failing intervals of a site are listed."""

PAIRS = 120
"""How many pairs (M, N) of a site are drawn, the most frequent first."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A verdict on one aspect of a site: a word for the reader, a class for the colour."""

    aspect: str
    verdict: str
    detail: str
    tone: str


@dataclass(frozen=True, kw_only=True)
class Site:
    """One site, with its rows of the report."""

    name: str
    anchor: str
    shadow: dict[str, Any]
    end_to_end: dict[str, Any]
    certificate: dict[str, Any] | None

    @property
    def marks(self) -> list[Mark]:
        """The verdicts on this site: alone, in the network, and for every number."""
        rows = (("shadow", self.shadow), ("end to end", self.end_to_end))
        return [*(_mark_of_row(aspect, row) for aspect, row in rows), _mark_of_certificate(self.certificate)]

    @property
    def failed(self) -> bool:
        """Whether N differed from M on the data."""
        return any(row["spike_count_mismatches"] for row in (self.shadow, self.end_to_end))


@dataclass(frozen=True, kw_only=True)
class Detail:
    """The section of one site."""

    site: Site
    charts: list[tuple[str, Markup]]  # with captions
    intervals: list[dict[str, Any]]
    intervals_left_out: int

    @property
    def size(self) -> int:
        """Roughly how many bytes of the page it takes."""
        return 4000 + sum(len(chart) for _, chart in self.charts)


def sites_of(content: dict[str, Any]) -> list[Site]:
    """Return the sites of a report in the order of the network."""
    end_to_end = {row["site"]: row for row in content["layers"] if row["mode"] == "end-to-end"}
    certificates = {entry["site"]: entry for entry in content["certificate"]}
    rows = [row for row in content["layers"] if row["mode"] == "shadow" and row["site"] in end_to_end]
    return [
        Site(
            name=row["site"],
            anchor=f"site-{k}",
            shadow=row,
            end_to_end=end_to_end[row["site"]],
            certificate=certificates.get(row["site"]),
        )
        for k, row in enumerate(rows)
    ]


def details(sites: list[Site], size: int) -> tuple[list[Detail], list[Site]]:
    """Return the sections that fit into `size` bytes, and the sites left out.

    Sites that failed on the data come first when there is no room for all.
    """
    chosen: dict[str, Detail] = {}
    for site in sorted(sites, key=lambda site: not site.failed):
        detail = _detail(site)
        size -= detail.size
        if size < 0:
            break
        chosen[site.anchor] = detail
    shown = [chosen[site.anchor] for site in sites if site.anchor in chosen]
    return shown, [site for site in sites if site.anchor not in chosen]


def _detail(site: Site) -> Detail:
    charts = []
    for mode, row in (("shadow", site.shadow), ("end to end", site.end_to_end)):
        caption = f"N against M, {mode}"
        setting = {"levels": row["levels"], "time_steps": row["time_steps"], "most": PAIRS}
        title = f"{site.name}: {caption}"
        charts.append((caption, level_scatter(row["level_spike_counts"], title=title, **setting)))
    if site.shadow["margin_histogram"]:
        caption = "Distance of the inputs to a decision boundary"
        chart = margin_histogram(site.shadow["margin_histogram"], title=f"{site.name}: {caption}")
        charts.append((caption, chart))
    certificate = site.certificate
    intervals = certificate["mismatches"] if certificate else []
    if certificate and certificate["mismatching_inputs"] is not None:
        caption = f"Where N differs from M, for every {certificate['dtype']} number from 0 to θ"
        title = f"{site.name}: {caption}"
        charts.append((caption, certificate_line(certificate, title=title, most=400)))
    return Detail(
        site=site,
        charts=charts,
        intervals=intervals[:INTERVALS],
        intervals_left_out=max(0, len(intervals) - INTERVALS),
    )


def _mark_of_row(aspect: str, row: dict[str, Any]) -> Mark:
    mismatches, compared = row["spike_count_mismatches"], row["neurons"] * row["samples"]
    verdict = "REFUTED" if mismatches else "TESTED"
    detail = f"N ≠ M {mismatches} times in {compared}"
    return Mark(aspect=aspect, verdict=verdict, detail=detail, tone=verdict)


def _mark_of_certificate(entry: dict[str, Any] | None) -> Mark:
    if entry is None:
        return Mark(aspect="all numbers", verdict="UNKNOWN", detail="no certificate", tone="UNKNOWN")
    aspect, verdict, failing = (
        f"all {entry['dtype'] or 'numbers'}",
        entry["verdict"],
        entry["mismatching_inputs"],
    )
    if failing is None:
        return Mark(aspect=aspect, verdict=verdict, detail=entry["detail"], tone=verdict)
    detail = f"fails on {failing} numbers, of which the data hit {entry['reached']}"
    tone = "unreached" if failing and not entry["reached"] else verdict
    return Mark(aspect=aspect, verdict=verdict, detail=detail, tone=tone)
