"""`report.md`: a report as a comment on a pull request."""

from __future__ import annotations

import re
from typing import Any

from qvm_verify.report.sentences import counterexample_sentence, finding_sentence, mending, verdict_sentence

ROWS = 20
"""How many sites the table shows; those that failed on the data first."""

SYMBOLS = {"lossless": "✅", "not-lossless": "❌", "inconclusive": "⚠️"}


def render_markdown(content: dict[str, Any]) -> str:
    """Return the verdict, a short table, the first counterexample and how to replay it.

    Names in a report are anybody's text: what Markdown or HTML would take for markup is escaped.
    """
    verdict = content["verdict"]
    blocks = [f"## {SYMBOLS[verdict]} {verdict}", _escaped(verdict_sentence(content))]
    findings = [f"- {_escaped(finding_sentence(finding))}" for finding in content["findings"][:5]]
    blocks += ["\n".join(findings)] if findings else []
    blocks += _table(content)
    if content["counterexamples"]:
        first = content["counterexamples"][0]
        number = len(content["counterexamples"])
        blocks += [
            f"First of {number} counterexamples: {_escaped(counterexample_sentence(first))}",
            _fenced(first["replay"]),
        ]
    return "\n\n".join(blocks) + "\n"


def _table(content: dict[str, Any]) -> list[str]:
    """Return the table of sites as blocks; none where no site was compared."""
    end_to_end = {row["site"]: row for row in content["layers"] if row["mode"] == "end-to-end"}
    certificates = {entry["site"]: entry for entry in content["certificate"]}
    shadows = [row for row in content["layers"] if row["mode"] == "shadow" and row["site"] in end_to_end]
    if not shadows:
        return []
    rows = []
    for row in shadows:
        both = row["spike_count_mismatches"], end_to_end[row["site"]]["spike_count_mismatches"]
        entry = certificates.get(row["site"])
        failing = None if entry is None else entry["mismatching_inputs"]
        every = "UNKNOWN" if failing is None else f"{entry['verdict']}, {failing} fail" if entry else ""
        if entry is not None and failing:
            every += f"; {_escaped(mending(entry))}"
        cells = [_escaped(row["site"]), *map(str, both), every]
        rows.append((not any(both), f"| {' | '.join(cells)} |"))
    shown = sorted(rows, key=lambda row: row[0])[:ROWS] if len(rows) > ROWS else rows
    head = "| site | shadow N ≠ M | end to end N ≠ M | every number |\n| --- | ---: | ---: | --- |"
    table = "\n".join([head, *(text for _, text in shown)])
    left_out = len(rows) - len(shown)
    return [table, f"{left_out} more sites are in report.json."] if left_out else [table]


def _escaped(text: str) -> str:
    """Return text on one line in which nothing is markup, no address a link and nobody mentioned.

    GitHub looks for mentions in what it has rendered, so there an escape is not enough to stop them.
    """
    one_line = " ".join(text.split()).replace("@", "@\N{ZERO WIDTH SPACE}")
    return re.sub(r"[\\`*_{}\[\]<>#|~&]|:(?=//)", lambda match: f"&#{ord(match[0])};", one_line)


def _fenced(command: str) -> str:
    """Return a command as a block of code, with a fence longer than any run of backticks in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", command)), default=0))
    return f"{fence}sh\n{command}\n{fence}"
