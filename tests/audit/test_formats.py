"""What the command leaves in its folder besides report.json."""

import json

import pytest

from qvm_verify.audit.command import command
from qvm_verify.exits import run_command
from qvm_verify.report.command import command as report_command
from qvm_verify.report.formats import FORMATS
from tests.commands import read, refused


@pytest.fixture(scope="module")
def audited(trained, tmp_path_factory):
    """Return a folder with what an audit of a wrong conversion wrote."""
    folder = tmp_path_factory.mktemp("audited")
    options = ("--limit", "32", "--batch-size", "16", "--v-init", "0", "--report", str(folder))
    assert run_command(command, [str(trained().path), *options]) == 1
    return folder


def test_every_format_and_the_events_lie_beside_the_report_and_no_journal_is_left(audited):
    names = {path.name for path in audited.iterdir()}
    assert names == {"report.json", "report.html", "report.md", "junit.xml", "events.ndjson"}
    comparison = read(audited / "report.json")["currents_comparison"]
    assert comparison["images"] == 2
    assert max(entry["streaming"]["mean"] for entry in comparison["sites"]) > 0


def test_the_events_tell_the_audit_in_its_order(audited):
    events = [json.loads(line) for line in (audited / "events.ndjson").read_text().splitlines()]
    kinds = [event["event"] for event in events]
    assert list(dict.fromkeys(kinds)) == ["start", "certificate", "batch", "site", "claim", "verdict"]
    assert (kinds.count("certificate"), kinds.count("batch"), kinds.count("site")) == (5, 2, 10)
    batches = [event for event in events if event["event"] == "batch"]
    report = read(audited / "report.json")
    for mode in ("shadow", "end-to-end"):
        total = sum(row["spike_count_mismatches"] for row in report["layers"] if row["mode"] == mode)
        assert sum(batch["mismatches"][mode] for batch in batches) == total > 0
    assert (events[-1]["verdict"], events[-1]["exit_code"]) == (report["verdict"], 1)


def test_the_formats_can_be_made_again_from_report_json_alone(audited, run, tmp_path):
    before = {name: (audited / name).read_bytes() for name in FORMATS}
    code, out, err = run(report_command, audited / "report.json", "--output", "again")
    assert (code, err) == (0, "")
    assert out.split() == [f"again/{name}" for name in FORMATS]
    assert {name: (tmp_path / "again" / name).read_bytes() for name in FORMATS} == before


def test_the_comparison_can_be_left_out(run, model, tmp_path):
    run(command, model, "--limit", 4, "--certify", "off", "--no-compare-streaming", "--report", "out")
    assert read(tmp_path / "out" / "report.json")["currents_comparison"] is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("claims", 0), {"verdict": "TESTED", "inputs": None}),
        (("counterexamples", 0), {"threshold": "0x1.0p+9999"}),
        (("layers", 5), {"max_abs_difference": 10**400}),
    ],
)
def test_a_report_that_follows_the_schema_and_means_nothing_is_one_sentence(
    path, value, audited, run, tmp_path
):
    content = read(audited / "report.json")
    content[path[0]][path[1]].update(value)
    (tmp_path / "tampered.json").write_text(json.dumps(content), encoding="utf-8")
    outcome = run(report_command, tmp_path / "tampered.json", "--output", "again")
    refused(outcome, "tampered.json", "no audit says")


def test_a_report_that_cannot_be_read_is_one_sentence(run, tmp_path):
    refused(run(report_command, tmp_path / "none.json"), "none.json", "cannot be read")
