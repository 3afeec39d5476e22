"""Every counterexample of the corpus says REPRODUCED, and what is not one never does."""

import json
import subprocess
import sys

import pytest

from qvm_verify.audit.command import command as audit
from qvm_verify.exits import run_command
from qvm_verify.replay import judges
from qvm_verify.replay.command import command as replay
from tests.commands import read, refused
from tests.replay.corpus import CORPUS, changed, report_of, written

REPRODUCIBLE = [name for name in CORPUS if name != "module"]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    return {name: written(name, folder / name) for name in CORPUS}


@pytest.mark.parametrize("name", REPRODUCIBLE)
def test_every_counterexample_of_the_corpus_is_reproduced(name, reports, run):
    code, out, err = run(replay, reports[name])
    lines = out.splitlines()
    assert (code, err) == (1, "")
    assert len(lines) == len(read(reports[name])["counterexamples"]) > 0
    assert all(line.startswith("REPRODUCED C") for line in lines)


def test_what_only_the_module_under_audit_did_is_unseen_and_not_printed_as_a_counterexample(
    reports, run, tmp_path
):
    code, out, err = run(replay, reports["module"])
    assert (code, err) == (4, "")
    assert all(line.startswith("UNSEEN     C") for line in out.splitlines())
    assert "only the audited network can show" in out
    code, _, err = run(replay, reports["module"], "--emit-test", "found.py")
    refused((code, "", err), "no counterexample reproduced")


CAUSES = {
    "v-init": "v-init",
    "time-steps": "time-steps",
    "reset": "reset",
    "threshold": "threshold",
    "streaming": "propagated-error",  # behind a max-pool, which takes the mean of maxima
    "firing": "firing",
    "ceil": "integer-z",
    "half-even": "quantizer-tie",
    "float16": "float-accumulation",
    "float32": "float-accumulation",
    "float64": "float-accumulation",
    "module": "module",
    "unconverted": "unconverted-activation",
}


@pytest.mark.parametrize("name", CORPUS)
def test_the_first_counterexample_of_each_report_has_the_cause_that_was_planted(name, reports):
    assert read(reports[name])["counterexamples"][0]["causes"] == [CAUSES[name]]


def test_one_counterexample_is_printed_with_its_trace_and_what_holds_over_the_rationals(reports, run):
    code, out, _ = run(replay, f"{reports['float32']}#C1")
    assert code == 1
    assert "cause: float-accumulation (with exact arithmetic: M = 4, N = 4)" in out
    assert "t = 6: q = 0.833333313 (0x1.aaaaaa0000000p-1), U = 0.999999821" in out
    assert out.endswith("over the rationals M = 4, N = 4\n")


TAMPERINGS = {
    "a setting put right": lambda c: c.update(v_init=(0.0).hex()),
    "another count": lambda c: c.update(reference_spike_count=c["reference_spike_count"] + 1),
    "no mismatch": lambda c: c.update(
        level=c["reference_spike_count"], spike_count=c["reference_spike_count"]
    ),
    "another step of the trace": lambda c: c["trace"]["steps"][0].update(u="0x1.0p+0"),
    "another weight": lambda c: c["slice"].update(bias=(99.0).hex()),
    "another smallest case": lambda c: c["minimal"].update(v_init=(0.0).hex()),
    "another smallest trace": lambda c: c["minimal"]["trace"]["steps"][0].update(spike=False),
    "another cause": lambda c: c.update(causes=["reset"]),
    "other fewest inputs": lambda c: c["slice"].update(fewest=[10**6]),
    "fewer currents": lambda c: c.update(currents=c["currents"][:2]),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_tampered_counterexample_is_an_error_in_one_sentence_and_not_printed_as_one(
    tampering, reports, run, tmp_path
):
    content = changed(read(reports["v-init"]), TAMPERINGS[tampering])
    path = tmp_path / "tampered.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    code, out, err = run(replay, f"{path}#C1")
    assert (code, err) == (3, "")
    assert out.startswith("ERROR      C1  ")
    assert (out.count("\n"), "M = 0 of L" in out) == (1, False)
    code, out, _ = run(replay, path, "--emit-test", "found.py")
    assert code == 3  # one error outweighs all that reproduce, and the error is not written
    assert "def test_c1(" not in (tmp_path / "found.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("which", ["level", "spike_count"])
def test_another_mismatch_than_the_reference_finds_is_not_taken_for_reproduced(which, reports, run, tmp_path):
    def tamper(c):
        c[which] = next(n for n in (1, 2, 3, 4) if n not in (c["level"], c["spike_count"]))

    content = changed(read(reports["v-init"]), tamper)
    (tmp_path / "tampered.json").write_text(json.dumps(content), encoding="utf-8")
    code, out, err = run(replay, "tampered.json#C1")
    assert (code, err) == (4, "")
    assert out.startswith("UNSEEN     C1  ")


def test_a_count_that_no_neuron_reaches_is_what_its_module_returned_and_no_contradiction(
    reports, run, tmp_path
):
    content = changed(read(reports["module"]), lambda c: c.update(spike_count=c["time_steps"] + 1))
    (tmp_path / "beyond.json").write_text(json.dumps(content), encoding="utf-8")
    code, out, err = run(replay, "beyond.json#C1")
    assert (code, err) == (4, "")
    assert out.startswith("UNSEEN     C1  ")


def test_pytorch_that_contradicts_the_reference_is_an_error(reports, run, monkeypatch):
    monkeypatch.setattr("qvm_verify.replay.judges.run_on_torch", lambda case: (0, 0))
    code, out, _ = run(replay, f"{reports['v-init']}#C1")
    assert code == 3
    assert "PyTorch finds M = 0, N = 0, unlike the reference" in out


def test_a_counterexample_is_fixed_in_a_network_whose_conversion_is_matched(model, run, tmp_path):
    run(audit, model, "--limit", 1, "--v-init", "0", "--certify", "off")
    code, out, _ = run(replay, "reports/report.json", "--model", model)
    assert code == 0
    assert all(line.startswith("FIXED ") for line in out.splitlines())
    assert "M = 4 of L = 8, N = 4 of T = 8" in out
    content = read(tmp_path / "reports" / "report.json")
    content["counterexamples"][0]["site"] = "another"
    (tmp_path / "other.json").write_text(json.dumps(content), encoding="utf-8")
    refused(run(replay, "other.json", "--model", model), "another")


BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "qvm_verify", "z3", "jsonschema"):
            raise ImportError(f"{name} is imported")
sys.meta_path.insert(0, Blocker())
"""


def test_the_emitted_test_passes_where_nothing_but_numpy_can_be_imported(reports, tmp_path):
    texts = []
    for name in REPRODUCIBLE:
        path = tmp_path / f"test_{name.replace('-', '_')}.py"
        assert run_command(replay, [str(reports[name]), "--emit-test", str(path)]) == 1
        texts.append(path.read_text(encoding="utf-8"))
    wrong = texts[0].replace("assert (m, n) == (", "assert (m, n) == (9, ")
    (tmp_path / "test_that_is_wrong.py").write_text(wrong, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(BLOCKER, encoding="utf-8")
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "."],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        env={"PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    tests = sum(text.count("def test_") for text in texts)
    failing = texts[0].count("def test_")
    assert f"{failing} failed, {tests} passed" in process.stdout, process.stdout[-2000:]


def test_an_emitted_test_is_only_written_where_something_reproduces(reports, run, tmp_path):
    refused(run(replay, reports["ceil"], "--emit-test", "found.txt"), "found.txt", ".py")
    content = changed(read(reports["float32"]), TAMPERINGS["another count"])
    for c in content["counterexamples"]:
        c["reference_spike_count"] = 1
    (tmp_path / "tampered.json").write_text(json.dumps(content), encoding="utf-8")
    refused(run(replay, "tampered.json", "--emit-test", "found.py"), "no counterexample reproduced")


def test_the_same_audit_gives_the_same_counterexamples():
    assert report_of("v-init").counterexamples == report_of("v-init").counterexamples


def test_what_does_not_reproduce_is_not_judged_in_another_network(monkeypatch):
    gone = judges.Judgement(judges.Status.ERROR, "gone")
    monkeypatch.setattr(judges, "judge", lambda c: gone)
    assert judges.judge_in(None, None) is gone


def test_a_network_on_which_pytorch_and_the_reference_differ_is_an_error(monkeypatch):
    monkeypatch.setattr(judges, "judge", lambda c: judges.Judgement(judges.Status.REPRODUCED, ""))
    monkeypatch.setattr(judges, "run_case", lambda case: (1, 2))
    monkeypatch.setattr(judges, "run_on_torch", lambda case: (1, 3))
    status, detail = judges.judge_in(None, None)
    assert status is judges.Status.ERROR
    assert detail == "PyTorch finds M = 1, N = 3, unlike the reference"
