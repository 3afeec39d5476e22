"""The audit of what people really have: bare state dicts, ReLU networks, networks of their own."""

import sys
import textwrap

import numpy as np
import pytest
import torch

from qvm_verify import networks
from qvm_verify.audit.command import command as audit
from tests.commands import read, refused
from tests.networks.spellings import AKAMASTER, renamed

GIVEN = ("--levels", "4", "--quantizer", "floor")
IMAGES = ("--data", "npz:images.npz", "--certify", "off")


@pytest.fixture
def images(tmp_path):
    """Write two small images, and return them."""
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "images.npz", x=x)
    return torch.from_numpy(x)


@pytest.fixture
def state(tmp_path, images):
    """Return the state dict of a ResNet-20 whose batch-norms know the images, by akamaster's names."""
    torch.manual_seed(0)
    network = networks.resnet20_option_a()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network.train()(images)
    return renamed(network.state_dict(), AKAMASTER, "up")


def relu(state):
    return {name: tensor for name, tensor in state.items() if not name.endswith(".up")}


def test_a_bare_state_dict_is_audited_with_what_it_lacks(run, state, tmp_path):
    torch.save(state, tmp_path / "bare.pth")
    code, out, err = run(audit, "bare.pth", *GIVEN, *IMAGES)
    assert (code, err) == (0, ""), out
    model = read(tmp_path / "reports" / "report.json")["model"]
    assert (model["architecture"], model["levels"], model["quantizer"]) == ("resnet20_option_a", 4, "floor")
    assert model["variant"] == "cifar"


@pytest.mark.parametrize("left_out", ["levels", "quantizer"])
def test_the_error_says_which_flag_gives_what_a_state_dict_lacks(left_out, run, state, tmp_path):
    torch.save(state, tmp_path / "bare.pth")
    place = GIVEN.index(f"--{left_out}")
    given = GIVEN[:place] + GIVEN[place + 2 :]
    refused(run(audit, "bare.pth", *given, *IMAGES), "bare.pth", f"give --{left_out}")


@pytest.mark.parametrize("method", ["max", "percentile", "mse"])
def test_a_relu_checkpoint_is_calibrated_and_the_report_says_how(method, run, state, tmp_path):
    torch.save({"state_dict": relu(state)}, tmp_path / "relu.th")
    calibration = ("--calibrate", method, "--calibrate-data", "npz:images.npz", "--percentile", "99")
    code, out, err = run(audit, "relu.th", *GIVEN, *IMAGES, *calibration)
    assert (code in (0, 1), err) == (True, ""), out  # a measured threshold is no power of two
    report = read(tmp_path / "reports" / "report.json")
    assert report["findings"] == []
    wanted = f"{method} on npz:images.npz"
    assert report["model"]["calibration"] == (f"99 {wanted}" if method == "percentile" else wanted)


def test_a_relu_checkpoint_is_not_audited_uncalibrated(run, state, tmp_path):
    torch.save(relu(state), tmp_path / "relu.th")
    refused(run(audit, "relu.th", *GIVEN, *IMAGES), "19 thresholds are not known", "--calibrate")
    refused(run(audit, "relu.th", *GIVEN, *IMAGES, "--calibrate", "max"), "--calibrate-data")
    wrong = ("--calibrate", "max", "--calibrate-data", "digits")
    refused(run(audit, "relu.th", *GIVEN, *IMAGES, *wrong), "--calibrate-data digits: does not run through")
    refused(run(audit, "relu.th", *GIVEN, *IMAGES, *wrong[:2], "--percentile", "0"), "--percentile")


def test_what_contradicts_the_checkpoint_is_refused(run, state, tmp_path, model):
    torch.save(state, tmp_path / "bare.pth")
    calibration = ("--calibrate", "max", "--calibrate-data", "digits")
    refused(run(audit, "bare.pth", *GIVEN, *calibration), "bare.pth holds thresholds of its own")
    refused(run(audit, model, "--pooling", "max"), "no pooling to choose")
    for option in (("--arch", "a:b"), ("--pooling", "max"), calibration[:2], calibration[2:]):
        refused(run(audit, *option), option[0], "name one")


OWN = """
import torch
from torch import nn
from torch.nn import functional as F
from qvm_verify import QuantizedActivation

class Net(nn.Module):
    def __init__(self, levels, quantizer, classes, kind="plain"):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, classes)
        self.a, self.b = (QuantizedActivation(levels, quantizer) for _ in range(2))
        self.kind = kind

    def forward(self, x):
        x = self.a(self.conv(x))
        if self.kind == "functional":
            x = F.relu(x - 0.1)
        if self.kind == "shared":
            x = self.a(x - 0.1)
        if self.kind == "control flow" and x.mean() > 0.1:
            x = x / 2
        return self.fc(self.b(x).flatten(1))

def plain(levels, quantizer, classes): return Net(levels, quantizer, classes)
def shared(**keywords): return Net(**keywords, kind="shared")
def functional(levels, quantizer, classes=7): return Net(levels, quantizer, classes, kind="functional")
def control_flow(levels, quantizer): return Net(levels, quantizer, 10, kind="control flow")
def settled(): return Net(4, "floor", 10)
def broken(): raise RuntimeError("out\\nof order")
def nothing(): return 3
constant = 3
"""


@pytest.fixture
def own(tmp_path, images, monkeypatch):
    """Write a module with a network of one's own, and a state dict of it."""
    torch.manual_seed(0)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "own.py").write_text(textwrap.dedent(OWN))
    monkeypatch.setattr(sys, "path", sys.path.copy())  # the command adds to it
    for name in ("mine", "mine.own"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    names = {"conv": torch.nn.Conv2d(3, 4, 3), "fc": torch.nn.Linear(144, 10)}
    weights = {f"{a}.{b}": tensor for a, module in names.items() for b, tensor in module.state_dict().items()}
    thresholds = {"a.threshold": torch.tensor(1.0), "b.threshold": torch.tensor(0.5)}
    torch.save({"model": weights | thresholds}, tmp_path / "own.pt")
    torch.save(weights, tmp_path / "relu.pt")
    return tmp_path


@pytest.mark.parametrize(
    ("factory", "code", "finding"),
    [
        ("plain", 0, None),
        ("settled", 0, None),
        ("shared", 0, None),
        ("functional", 4, ("unconverted-activation", "(network)")),
        ("control_flow", 4, ("control-flow", "(network)")),
    ],
)
def test_a_network_of_ones_own_is_audited_and_what_conversion_misses_is_reported(
    factory, code, finding, run, own
):
    outcome = run(audit, "own.pt", "--arch", f"mine.own:{factory}", *GIVEN, *IMAGES)
    assert outcome[0] == code, outcome
    report = read(own / "reports" / "report.json")
    found = [(entry["kind"], entry["site"]) for entry in report["findings"]]
    assert found == [] if finding is None else finding in found
    sites = [row["site"] for row in report["layers"] if row["mode"] == "shadow"]
    assert sites == (["a", "a#2", "b"] if factory == "shared" else ["a", "b"])
    assert report["model"]["architecture"] == f"mine.own:{factory}"
    assert (report["model"]["levels"], report["model"]["quantizer"]) == (4, "floor")


def test_a_relu_network_of_ones_own_is_calibrated(run, own):
    arch = ("--arch", "mine.own:plain", *GIVEN, *IMAGES)
    refused(run(audit, "relu.pt", *arch), "2 thresholds are not known")
    calibration = ("--calibrate", "max", "--calibrate-data", "npz:images.npz")
    assert run(audit, "relu.pt", *arch, *calibration)[0] in (0, 1)


@pytest.mark.parametrize(
    ("arch", "given", "reason"),
    [
        ("mine.own", GIVEN, "package.module:factory"),
        ("mine.absent:plain", GIVEN, "cannot be imported: ModuleNotFoundError"),
        ("mine.own:absent", GIVEN, "cannot be imported: AttributeError"),
        ("mine.own:constant", GIVEN, "is of type int, and cannot be called"),
        ("mine.own:broken", GIVEN, "raised RuntimeError: out of order"),
        ("mine.own:nothing", GIVEN, "returned something of type int, not a module"),
        ("mine.own:plain", GIVEN[:2], "needs quantizer; give --quantizer"),
        ("mine.own:plain", GIVEN[2:], "needs levels; give --levels"),
        ("torch.nn:Identity", GIVEN, "does not know"),
        ("mine.own:settled", ("--levels", "8"), "--levels 8: the site 'a' of this network has 4"),
        ("mine.own:settled", ("--quantizer", "ceil"), "--quantizer ceil: the site 'a'"),
        ("mine.own:plain", (*GIVEN, "--pooling", "max"), "no pooling to choose"),
    ],
)
def test_a_factory_that_cannot_be_used_is_refused(arch, given, reason, run, own):
    refused(run(audit, "own.pt", "--arch", arch, *given, *IMAGES), reason)
