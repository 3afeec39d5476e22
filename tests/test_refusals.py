"""Exit code 2 of the audit: one sentence for everything that cannot be used."""

import os

import numpy as np
import pytest
import torch

from qvm_verify.audit.command import command as audit
from qvm_verify.networks.checkpoint import FORMAT
from tests.commands import refused


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--levels", "0"),
        ("--levels", "-1"),
        ("--levels", "many"),
        ("--time-steps", "0"),
        ("--time-steps", "1.5"),
        ("--quantizer", "nearest"),
        ("--v-init", "nan"),
        ("--v-init", "inf"),
        ("--firing", "<"),
        ("--reset", "none"),
        ("--threshold-scale", "0"),
        ("--threshold-scale", "-1"),
        ("--threshold-scale", "nan"),
        ("--currents", "alternating"),
        ("--batch-size", "0"),
        ("--limit", "0"),
        ("--seed", "-1"),
        ("--seed", str(2**63)),
        ("--dtype", "bfloat16"),
        ("--data", "mnist"),
        ("--device", "toaster"),
        ("--colour", "red"),
    ],
)
def test_an_option_without_meaning_is_refused_by_its_name_or_value(option, value, run, model, tmp_path):
    refused(run(audit, model, option, value), value if option == "--data" else option)
    assert not (tmp_path / "reports" / "report.json").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_device_that_is_not_there_is_refused(run, model):
    refused(run(audit, model, "--device", "cuda"), "--device cuda")


@pytest.mark.parametrize(("option", "value"), [("--levels", "4"), ("--quantizer", "floor")])
def test_an_option_that_contradicts_the_checkpoint_is_refused(option, value, run, model):
    refused(run(audit, model, option, value), option, value, "model.pt")


def damaged(path, trained_path, damage):
    content = torch.load(trained_path, weights_only=True)
    damage(content)
    torch.save(content, path)


class Hostile:
    def __reduce__(self):
        return os.system, ("touch ran",)


def drop(content):
    del content["weights"]["act.threshold"]


DAMAGES = {
    "architecture": (lambda c: c["header"].update(name="vgg99"), "vgg99"),
    "no levels": (lambda c: c["header"].update(levels=0), "levels"),
    "quantizer": (lambda c: c["header"].update(quantizer="nearest"), "nearest"),
    "format": (lambda c: c["header"].update(format=FORMAT + "0"), "format"),
    "missing": (drop, "act.threshold"),
    "extra": (lambda c: c["weights"].update(more=torch.ones(1)), "more"),
    "shape": (lambda c: c["weights"].update({"act.threshold": torch.ones(2)}), "shape"),
    "nan": (lambda c: c["weights"]["stem.0.weight"].fill_(torch.nan), "not finite"),
    "negative": (lambda c: c["weights"]["act.threshold"].fill_(-1.0), "must be positive"),
    "hostile": (lambda c: c.update(more=Hostile()), "may run code"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused_and_its_code_does_not_run(damage, run, trained, tmp_path):
    change, reason = DAMAGES[damage]
    damaged(tmp_path / "bad.pt", trained().path, change)
    refused(run(audit, "bad.pt"), "bad.pt", reason)
    assert not (tmp_path / "ran").exists()


def test_a_file_that_is_no_checkpoint_is_refused(run, model, tmp_path):
    refused(run(audit, "absent.pt"), "absent.pt", "no such file")
    refused(run(audit, tmp_path), "folder")
    (tmp_path / "text.pt").write_text("just text")
    refused(run(audit, "text.pt"), "text.pt")
    (tmp_path / "half.pt").write_bytes((tmp_path / "model.pt").read_bytes()[:5000])
    refused(run(audit, "half.pt"), "half.pt", "not a readable checkpoint")


IMAGES = {
    "empty": ({"x": np.zeros((0, 1, 8, 8))}, "no image"),
    "other shape": ({"x": np.zeros((2, 3, 8, 8))}, "[3, 8, 8]"),
    "flat": ({"x": np.zeros((2, 64))}, "[64]"),
    "too small": ({"x": np.zeros((2, 1, 2, 2))}, "[1, 2, 2]"),
    "objects": ({"x": np.array([{}], dtype=object)}, "plain numbers"),
    "no x": ({"images": np.zeros((2, 1, 8, 8))}, "'x'"),
}


@pytest.mark.parametrize("images", IMAGES)
def test_images_that_cannot_be_used_are_refused(images, run, model, tmp_path):
    content, reason = IMAGES[images]
    np.savez(tmp_path / "bad.npz", **content)
    refused(run(audit, model, "--data", "npz:bad.npz"), reason)


def test_a_folder_that_cannot_be_made_is_refused_before_the_long_work(run, model, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr("qvm_verify.networks.load", lambda path: pytest.fail("the work began"))
    refused(run(audit, model, "--report", "file/reports"), "file/reports")


def test_an_older_report_survives_a_run_that_fails_byte_for_byte(run, model, tmp_path):
    run(audit, model, "--limit", 3)
    folder = tmp_path / "reports"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert before.keys() == {"report.json", "report.html", "report.md", "junit.xml", "events.ndjson"}
    refused(run(audit, "absent.pt"))
    refused(run(audit, model, "--data", "npz:absent.npz"))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
