import pytest

from qvm_verify.report.markdown import render_markdown
from tests.report.contents import EVIL, empty, lossless, refuted, with_sites


def test_a_refuted_report_shows_verdict_table_first_counterexample_and_replay_command():
    content = refuted()
    text = render_markdown(content)
    assert text.startswith("## ❌ not-lossless\n\n")
    assert "| first | " in text
    assert f"First of {len(content['counterexamples'])} counterexamples: first&#91;0&#93;, image" in text
    assert f"```sh\n{content['counterexamples'][0]['replay']}\n```" in text


def test_a_lossless_report_says_that_it_is_tested_only():
    text = render_markdown(lossless())
    assert text.startswith("## ✅ lossless\n\n")
    assert "TESTED in float32; this says nothing of other images" in text
    assert "counterexample" not in text


@pytest.mark.parametrize("name", [EVIL, "@everyone", "a\nb", "![x](http://x)", "**bold**", "| | |"])
def test_no_name_is_taken_for_markup(name):
    text = render_markdown(refuted(name))
    plain, _, command = text.partition("```sh")
    assert not set("<>`*[]") & set(plain)
    assert "@e" not in plain
    assert "://" not in plain
    rows = [line for line in plain.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert {row.count("|") for row in rows} == {5}
    assert command.count("```") == 1


def test_a_large_network_keeps_its_failing_sites_in_a_short_table():
    content = with_sites(lossless(), 50)
    next(row for row in content["layers"] if row["site"] == "site49")["spike_count_mismatches"] = 3
    text = render_markdown(content)
    assert text.count("| site") == 21  # 20 and the head
    assert "| site49 | 3 | 0 |" in text
    assert "30 more sites are in report.json" in text


def test_a_report_without_a_site_has_no_table_and_is_inconclusive():
    text = render_markdown(empty())
    assert text.startswith("## ⚠️ inconclusive")
    assert "|" not in text
