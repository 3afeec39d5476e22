"""The numbers and the links of the README, held against what they speak of."""

import re
from pathlib import Path

import pytest

import qvm_verify as qvm
from tests.certificate.sites import pair

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("quantizer", "levels"), [("floor", 6), ("round", 4), ("ceil", 4)])
def test_the_failing_numbers_of_the_summary_are_those_of_the_certificates(quantizer, levels):
    activation, neuron = pair(levels, quantizer, 1.0)
    found = qvm.certify(activation, neuron, threshold=1.0, levels=levels, time_steps=levels).mismatches
    (row,) = [line for line in README.splitlines() if line.startswith(f"| Theorem 3, {quantizer} |")]
    assert f"T = {levels} fails on {'one number' if found == 1 else f'{found:,} numbers'} |" in row


def test_as_many_sentences_contradict_the_papers_tables_as_its_report_says():
    report = (ROOT / "reports" / "paper.md").read_text(encoding="utf-8")
    row = re.search(r"^\| sentences \| (\d+) \|.* (\d+) \|$", report, re.MULTILINE)
    assert f"{row[1]} of {row[2]} contradict them" in README


def test_every_link_leads_to_a_file_of_the_project():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert "reports/real/README.md" in links
    assert [link for link in links if not (ROOT / link).exists()] == []
