"""The scorecard itself: what it prints, what it refuses, and how it ends."""

import json
import sys
import types

import pytest

from qvm_verify.exits import Exit
from tests.commands import refused
from tests.scorecard import command as scorecard
from tests.scorecard.part import Line, Part, Table, from_json, to_json
from tests.scorecard.render import markdown

PART = Part(
    title="Planted faults",
    lines=(Line("faults refuted", 1200, 1200, "in 2 families"),),
    tables=(Table("Every fault", ("fault", "found by"), (("a | b", "shadow"),)),),
    remarks=("What it means.",),
)


@pytest.fixture
def two_parts(monkeypatch):
    """Let the scorecard consist of two parts that measure what a test tells them to."""
    measured = {"first": PART, "second": PART}
    for name in measured:
        module = types.ModuleType(f"measured_{name}")
        module.measure = lambda effort, name=name: measured[name]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(scorecard, "PARTS", {name: f"measured_{name}" for name in measured})
    return measured


def test_a_part_survives_json():
    assert from_json(json.loads(json.dumps(to_json(PART)))) == PART


def test_the_markdown_names_what_was_tried_what_lies_behind_it_and_what_is_missing():
    text = markdown([PART], ["fuzz"])
    assert "**Wrong verdicts: 0.**" in text
    assert "| faults refuted | 1,200 | 1,200 | in 2 families |" in text
    assert "| a \\| b | shadow |" in text  # a bar in a cell is no border of it
    assert "What it means." in text
    assert "Never measured: fuzz." in text
    assert "Never measured" not in markdown([PART], [])


def test_all_parts_as_they_should_be_end_with_0(two_parts, run, tmp_path):
    code, out, err = run(scorecard.command)
    assert (code, err) == (Exit.AS_EXPECTED, "")
    assert "Wrong verdicts: 0." in out
    assert (tmp_path / "reports" / "scorecard.md").read_text(encoding="utf-8").count("faults refuted") == 2


def test_a_part_that_was_never_measured_is_named_and_never_0(two_parts, run, tmp_path):
    code, out, _ = run(scorecard.command, "--only", "second")
    assert code == Exit.INCONCLUSIVE
    assert "never measured: first" in out
    code, out, _ = run(scorecard.command, "--only", "first")  # the other is known from the run before
    assert (code, "never measured" in out) == (Exit.AS_EXPECTED, False)


BAD = {
    "something not as it should be": Part(title="x", lines=(Line("faults", 2, 1),)),
    "a wrong verdict": Part(title="x", lines=(Line("faults", 1, 1),), wrong_verdicts=1),
}


@pytest.mark.parametrize("what", BAD)
def test_anything_that_is_not_as_it_should_be_ends_with_1(what, two_parts, run):
    two_parts["second"] = BAD[what]
    code, out, _ = run(scorecard.command)
    assert code == Exit.COUNTEREXAMPLE
    assert f"Wrong verdicts: {BAD[what].wrong_verdicts}." in out


@pytest.mark.parametrize("content", ["{", "[]", "null", '{"title": "x"}', '{"title": "x", "lines": [{}]}'])
def test_a_file_that_holds_no_part_is_refused(content, two_parts, run, tmp_path):
    run(scorecard.command)
    path = tmp_path / "reports" / "scorecard" / "first.json"
    path.write_text(content, encoding="utf-8")
    refused(run(scorecard.command, "--only", "second"), "first.json", "not a part of a scorecard")


def test_a_part_that_does_not_exist_is_refused(two_parts, run):
    refused(run(scorecard.command, "--only", "third"), "third")
    refused(run(scorecard.command, "--seconds", "0"), "--seconds")
