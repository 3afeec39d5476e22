"""Exit codes 0, 1, 3 and 4 of the audit, and the program that runs all commands."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

from qvm_verify import networks
from qvm_verify.__main__ import main
from qvm_verify.audit.command import command as audit
from qvm_verify.replay.command import command as replay
from tests.commands import read, refused


def test_a_matched_conversion_ends_with_0_and_a_report(run, model, tmp_path):
    code, out, err = run(audit, model, "--limit", 30, "--report", "found")
    assert (code, err) == (0, "")
    assert "lossless" in out
    report = read(tmp_path / "found" / "report.json")
    assert (report["verdict"], report["exit_code"], report["output"]["samples"]) == ("lossless", 0, 30)
    assert report["model"]["architecture"] == "digits_cnn"
    assert (report["model"]["levels"], report["model"]["time_steps"], report["model"]["v_init"]) == (
        8,
        8,
        0.5,
    )
    assert len(report["model"]["sha256"]) == 64
    assert report["environment"]["seed"] == 0
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    "wrong",
    [
        ["--v-init", "0"],
        ["--time-steps", "4"],
        ["--reset", "reset_to_zero"],
        ["--threshold-scale", "1.01"],
        ["--currents", "streaming"],
    ],
    ids=" ".join,
)
def test_a_wrong_conversion_ends_with_1_and_its_counterexamples_replay(wrong, run, model):
    code, out, _ = run(audit, model, "--limit", 10, *wrong)
    assert code == 1
    assert "First diverging layer" in out
    code, out, _ = run(replay, "reports/report.json")
    assert code == 1
    assert "REPRODUCED C1 " in out
    assert "ERROR" not in out
    code, out, _ = run(replay, "reports/report.json#C1")
    assert (code, out.count("REPRODUCED")) == (1, 1)
    assert "  t = 1: q = " in out


def test_a_contradiction_between_pytorch_and_the_reference_ends_with_3(run, model, tmp_path, monkeypatch):
    monkeypatch.setattr("qvm_verify.reference.quantizers.HALF", Fraction(1, 4))  # a judge that is wrong
    code, out, _ = run(audit, model, "--limit", 5)
    assert code == 3
    assert "inconclusive: ERROR" in out
    assert read(tmp_path / "reports" / "report.json")["exit_code"] == 3


def test_what_nobody_looked_at_ends_with_4(run, model, monkeypatch):
    def half_converted(ann, options):
        return torch.nn.Sequential(ann)

    monkeypatch.setattr("qvm_verify.audit.command._convert", half_converted)
    code, out, _ = run(audit, model, "--limit", 5)
    assert code == 4
    assert "inconclusive" in out


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_every_dtype_runs_through_and_is_named_in_the_report(dtype, run, model, tmp_path):
    code, _, err = run(audit, model, "--limit", 5, "--dtype", dtype)
    assert code in (0, 1)
    assert err == ""
    assert read(tmp_path / "reports" / "report.json")["environment"]["dtype"] == dtype


def test_images_of_ones_own_are_audited(run, model, tmp_path):
    np.savez(tmp_path / "own.npz", x=np.random.default_rng(0).random((7, 1, 8, 8)))
    code, _, _ = run(audit, model, "--data", "npz:own.npz", "--batch-size", 3)
    assert code in (0, 1)
    assert read(tmp_path / "reports" / "report.json")["output"]["samples"] == 7


def test_without_a_model_one_is_trained_saved_and_audited(run, tmp_path, monkeypatch):
    monkeypatch.setattr("qvm_verify.training.train", lambda network, *a, **k: network.eval())
    code, out, _ = run(audit, "--levels", 4, "--quantizer", "floor", "--limit", 3)
    assert code in (0, 1)
    assert "trained: reports/digits-floor-L4.pt (seed 0)" in out
    saved = networks.architecture_of(networks.load(tmp_path / "reports" / "digits-floor-L4.pt"))
    assert (saved.levels, saved.quantizer) == (4, "floor")


def test_one_program_runs_all_commands(monkeypatch, capsys):
    def outcome(*arguments):
        monkeypatch.setattr(sys, "argv", ["qvm-verify", *arguments])
        code = main()
        return code, *capsys.readouterr()

    code, out, _ = outcome("--help")
    assert (code, "audit" in out, "replay" in out) == (0, True, True)
    assert outcome() == (code, out, "")
    refused(outcome("conquer"), "conquer")
    refused(outcome("replay", "absent.json"), "absent.json")


@pytest.mark.parametrize("name", ["audit", "replay", "report"])
def test_python_dash_m_runs_each_command(name, tmp_path):
    process = subprocess.run(
        [sys.executable, "-m", f"qvm_verify.{name}", "absent"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    refused((process.returncode, process.stdout, process.stderr), "absent")


def test_a_complaint_is_one_line_whatever_it_quotes(run):
    refused(run(audit, "a.pt", "--colour\nred \x1b[2J \udcff"), r"--colour\nred \x1b[2J \udcff")
