"""Exit codes of the replay: counterexamples re-executed from the report alone."""

import json

import pytest

from qvm_verify.audit.command import command as audit
from qvm_verify.replay.command import command as replay
from tests.commands import read, refused


def test_a_report_without_counterexamples_replays_to_0(run, model):
    run(audit, model, "--limit", 5)
    code, out, _ = run(replay, "reports/report.json")
    assert (code, out) == (0, "reports/report.json: no counterexample in it\n")


@pytest.fixture
def report(run, model, tmp_path):
    run(audit, model, "--limit", 2, "--v-init", "0")
    return tmp_path / "reports" / "report.json"


def rewritten(path, change):
    content = read(path)
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


TAMPERINGS = {
    "other schema": (lambda c: c.update(schema="qvm-verify/report/2"), 2),
    "no counterexamples": (lambda c: c.pop("counterexamples"), 2),
    "decimal float": (lambda c: c["counterexamples"][0].update(threshold="2.0"), 2),
    "broken float": (lambda c: c["counterexamples"][0].update(v_init="0x1.zp+0"), 2),
    "huge float": (lambda c: c["counterexamples"][0].update(threshold="0x1.0p+99999"), 2),
    "endless levels": (lambda c: c["counterexamples"][0].update(levels=2**40), 2),
    "no currents": (lambda c: c["counterexamples"][0].update(currents=[]), 2),
    "spike count": (lambda c: c["counterexamples"][0].update(reference_spike_count=77), 3),
    "level": (lambda c: c["counterexamples"][0].update(reference_level=77), 3),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_tampered_report_does_not_replay(tampering, run, report):
    change, code = TAMPERINGS[tampering]
    rewritten(report, change)
    outcome = run(replay, report)
    if code == 2:
        refused(outcome, "report.json", *(["report/1", "report/2"] if tampering == "other schema" else []))
    else:
        assert outcome[0] == code
        assert "ERROR      C1 " in outcome[1]


def test_a_report_that_is_no_report_is_refused(run, report):
    refused(run(replay, f"{report}#C99"), "C99")
    refused(run(replay, "absent.json"), "absent.json")
    refused(run(replay))
    report.write_text("{")
    refused(run(replay, report), "no JSON")
