"""The command that calibrates and trains, and what a kill does to it: nothing."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from qvm_verify import networks
from qvm_verify.audit.command import command as audit
from qvm_verify.exits import InputError
from qvm_verify.train.command import command as train
from qvm_verify.train.start import first_of
from tests.commands import refused
from tests.datasets.files import REAL, needs_real_data
from tests.training.runs import same

SHORT = ["--limit", 96, "--batch-size", 32, "--learning-rate", 0.05]


def test_training_ends_with_a_checkpoint_that_audits(run, tmp_path):
    code, out, err = run(train, "--arch", "digits_cnn", *SHORT, "--epochs", 2, "--test-data", "digits")
    assert (code, err) == (0, "")
    assert "epoch 2/2: loss " in out
    assert "trained: reports/digits_cnn-round-L8.pt" in out
    assert "of 360 images of digits" in out
    network = networks.load(tmp_path / "reports" / "digits_cnn-round-L8.pt")
    assert networks.architecture_of(network).classes == 10
    assert not list(tmp_path.rglob("*.part"))


def test_a_run_that_is_killed_goes_on_to_the_same_bits(run, tmp_path):
    options = [*SHORT, "--arch", "digits_cnn", "--augment", "crop,flip,cutout", "--epochs", 16]
    arguments = [str(option) for option in [*options, "--output", tmp_path / "killed.pt"]]
    state = tmp_path / "killed.pt.state"
    process = subprocess.Popen(
        [sys.executable, "-m", "qvm_verify.train", *arguments],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 60
    while not state.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    epoch = torch.load(state, weights_only=True)["epoch"]
    assert 1 <= epoch < 16
    assert not (tmp_path / "killed.pt").exists()
    code, out, _ = run(train, *arguments)
    assert (code, f"epoch {epoch + 1}/16" in out, f"epoch {epoch}/16" in out) == (0, True, False)
    run(train, *options, "--output", "whole.pt")
    weights = [networks.load(tmp_path / name).state_dict() for name in ("killed.pt", "whole.pt")]
    assert same(*weights)


def test_a_checkpoint_is_calibrated_and_tuned_at_other_levels(run, trained, tmp_path):
    model = trained("round").path
    options = ["--levels", 4, "--quantizer", "floor", "--output", "coarse.pt"]
    code, out, _ = run(train, model, *options, "--calibrate", "max", "--epochs", 0)
    assert code == 0
    assert "calibrated: 5 thresholds from " in out
    coarse = networks.load(tmp_path / "coarse.pt")
    architecture = networks.architecture_of(coarse)
    assert (architecture.levels, architecture.quantizer) == (4, "floor")
    before = networks.load(model).state_dict()
    for name, value in coarse.state_dict().items():
        assert torch.equal(value, before[name]) != name.endswith("threshold")


def test_a_run_that_goes_on_does_not_calibrate_again(run, trained, tmp_path):
    options = [trained("round").path, *SHORT, "--calibrate", "mse", "--epochs", 1, "--output", "tuned.pt"]
    assert "calibrated" in run(train, *options)[1]
    first = (tmp_path / "tuned.pt").read_bytes()
    out = run(train, *options)[1]
    assert "resuming: tuned.pt.state" in out
    assert "calibrated" not in out
    assert (tmp_path / "tuned.pt").read_bytes() == first


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--arch", "resnet99"], "resnet99"),
        ([], "--arch"),
        (["--arch", "digits_cnn", "--levels", "0"], "--levels"),
        (["--arch", "digits_cnn", "--classes", "5", "--epochs", "1"], "classes 0 to 4"),
        (["--arch", "digits_cnn", "--quantizer", "nearest"], "--quantizer"),
        (["--arch", "digits_cnn", "--augment", "crop,mixup"], "'mixup'"),
        (
            ["--arch", "digits_cnn", "--augment", "autoaugment", "--epochs", "1"],
            "AutoAugment is defined on bytes",
        ),
        (["--arch", "digits_cnn", "--calibrate", "median"], "--calibrate"),
        (["--arch", "digits_cnn", "--percentile", "0"], "--percentile"),
        (["--arch", "digits_cnn", "--epochs", "-1"], "--epochs"),
        (["--arch", "digits_cnn", "--learning-rate", "nan"], "--learning-rate"),
        (["--arch", "digits_cnn", "--limit", "10"], "10 images do not make one batch of 64"),
        (["--arch", "digits_cnn", "--data", "dogs"], "dogs"),
        (["--arch", "digits_cnn", "--device", "toaster"], "--device toaster"),
        (["absent.pt"], "absent.pt"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused_in_one_sentence(options, reason, run, tmp_path):
    refused(run(train, *options), reason)
    assert not list(tmp_path.rglob("*.pt"))


def test_options_that_contradict_the_checkpoint_or_each_other_are_refused(run, model):
    refused(run(train, model, "--arch", "digits_cnn"), "--arch")
    refused(run(train, "--arch", "resnet18", "--pooling", "median"), "--pooling")
    refused(run(train, model, "--classes", 5), "--classes 5", "10 classes")


def test_images_that_do_not_fit_the_network_are_refused(run, tmp_path):
    images = np.random.default_rng(0).random((64, 3, 8, 8))
    np.savez(tmp_path / "colour.npz", x=images, y=np.zeros(64, dtype=int))
    refused(run(train, "--arch", "digits_cnn", "--data", "npz:colour.npz", "--epochs", 1), "[3, 8, 8]")


def test_a_network_of_one_s_own_is_trained_to_a_state_dict_that_audits(run, tmp_path):
    (tmp_path / "own_to_train.py").write_text(
        "from torch import nn\n"
        "from qvm_verify.snn import QuantizedActivation\n"
        "def small(levels, quantizer):\n"
        "    activation = QuantizedActivation(levels, quantizer, 4.0)\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), activation, nn.Linear(32, 10))\n"
    )
    options = ["--arch", "own_to_train:small", "--levels", 4, "--quantizer", "floor"]
    code, out, _ = run(train, *options, *SHORT, "--epochs", 2)
    assert code == 0
    assert "trained: reports/own_to_train-small-floor-L4.pt" in out
    code, _, err = run(audit, "reports/own_to_train-small-floor-L4.pt", *options, "--limit", 5)
    assert (code in (0, 1), err) == (True, "")


@needs_real_data
def test_a_real_relu_network_is_calibrated_and_tuned_on_real_images(run, tmp_path):
    weights = f"{REAL}/weights/resnet20-12fca82f.th"
    images = f"imagezip:{REAL}/cifar-10-jpeg.zip?split=train&normalize=imagenet"
    options = ["--data", images, "--limit", 16, "--batch-size", 8, "--calibration-images", 16]
    asked = ["--levels", 8, "--quantizer", "round"]
    refused(run(train, weights, *asked, *options), "--calibrate")
    augmentations = ["--augment", "crop,flip,autoaugment,cutout", "--channels-last"]
    rest = ["--calibrate", "mse", "--epochs", 1, "--output", "real.pt"]
    code, out, err = run(train, weights, *asked, *options, *augmentations, *rest)
    assert (code, err) == (0, "")
    assert "calibrated: 19 thresholds" in out
    tuned = networks.load(tmp_path / "real.pt")
    assert networks.architecture_of(tuned).name == "resnet20_option_a"
    assert not networks.uncalibrated(tuned)


def test_data_to_test_on_must_have_labels_and_data_to_train_on_images(run, tmp_path):
    images = np.random.default_rng(0).random((64, 1, 8, 8))
    np.savez(tmp_path / "unlabelled.npz", x=images)
    np.savez(tmp_path / "none.npz", x=images[:0], y=np.zeros(0, dtype=int))
    given = ["--arch", "digits_cnn", "--epochs", 1, "--threads", 1]
    refused(run(train, *given, "--test-data", "npz:unlabelled.npz"), "unlabelled.npz", "no labels")
    refused(run(train, *given, "--data", "npz:none.npz", "--classes", 10), "holds no image")


def test_data_without_an_image_is_refused():
    with pytest.raises(InputError, match="the data holds no image"):
        first_of([])
    assert first_of([("image", 3)]) == ("image", 3)
