import pytest
import torch
from torch import nn

from qvm_verify import networks
from qvm_verify.audit.command import command
from qvm_verify.exits import InputError
from qvm_verify.folding import check_folding, fold, fold_batch_norm, foldable
from qvm_verify.networks.architectures import BUILDERS
from qvm_verify.snn import QuantizedActivation
from qvm_verify.verdict import Verdict
from tests.commands import read
from tests.small_networks import TinyNetwork, dyadic_images


def test_powers_of_two_fold_to_the_bit():
    network = TinyNetwork()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data = 2.0 ** torch.arange(-1, module.num_features - 1)
    folded = fold_batch_norm(network)
    check = check_folding(network, folded, dyadic_images().split(4))
    assert check.bit_equal
    assert (check.evidence.verdict, check.evidence.inputs) == (Verdict.TESTED, 6)
    assert check.folded == {
        "stem.1": "stem.0",
        "block.conv1.1": "block.conv1.0",
        "block.conv2.1": "block.conv2.0",
    }
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_a_trained_network_does_not_fold_to_the_bit_and_the_check_says_so(trained, held_out):
    network = networks.load(trained().path)
    folded = fold_batch_norm(network)
    check = check_folding(network, folded, held_out)
    assert not check.bit_equal
    assert check.evidence.verdict is Verdict.REFUTED
    assert check.beyond_rounding == {}
    assert "not bit-equal" in check.sentence
    stem = check.sites[0]
    assert (stem.name, stem.sums) == ("act", 360 * 16 * 8 * 8)
    assert 0 < stem.sums_differing < stem.sums
    assert 0 < stem.max_difference < 1e-4
    assert stem.first_image == 0
    assert check.scores.max_difference < 1
    with pytest.raises(ValueError, match="was not built by"):
        networks.save(folded, "folded.pt")


def without_epsilon(norm):
    scale = norm.weight.double() / norm.running_var.double().sqrt()
    return scale, norm.bias.double() - scale * norm.running_mean.double()


def without_mean(norm):
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    return scale, norm.bias.double()


@pytest.mark.parametrize("mutant", [without_epsilon, without_mean])
def test_a_wrong_folding_is_told_from_rounding(mutant, trained, held_out, monkeypatch):
    network = networks.load(trained().path)
    monkeypatch.setattr(fold, "scale_and_shift", mutant)
    check = check_folding(network, fold_batch_norm(network), held_out[:1])
    assert check.evidence.verdict is Verdict.ERROR
    assert "folded wrongly" in check.sentence
    assert set(check.beyond_rounding) == set(check.folded.values())


def test_a_bias_and_a_norm_without_parameters_fold_too():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3, affine=False), nn.Flatten(), nn.Linear(12, 5), nn.BatchNorm1d(5)
    )
    network.train()(torch.randn(64, 1, 4, 4))
    check = check_folding(network.eval(), fold_batch_norm(network), [torch.randn(8, 1, 4, 4)])
    assert check.folded == {"1": "0", "4": "3"}
    assert check.beyond_rounding == {}
    assert check.scores.max_difference < 1e-5


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.other = nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), nn.BatchNorm2d(1)
        self.act = QuantizedActivation(4, "floor")

    def forward(self, x):
        y = self.conv(x)
        return self.act(self.norm(y)) + self.other(y)


class Branching(Shared):
    def forward(self, x):
        return x if x.sum() > 0 else self.conv(x)


def test_a_layer_that_others_see_too_is_left_and_listed():
    network = Shared().eval()
    assert foldable(network) == {}
    check = check_folding(network, fold_batch_norm(network), [torch.ones(2, 1, 2, 2)])
    assert check.left == ("norm", "other")
    assert check.evidence.verdict is Verdict.UNKNOWN


def test_what_cannot_be_folded_or_checked_is_named():
    with pytest.raises(InputError, match="Branching cannot be traced"):
        fold_batch_norm(Branching())
    with pytest.raises(InputError, match="'1' normalizes by the batch"):
        fold_batch_norm(nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1, track_running_stats=False)))
    network = TinyNetwork()
    with pytest.raises(InputError, match="no image"):
        check_folding(network, fold_batch_norm(network), [])
    with pytest.raises(InputError, match=r"'stem.1' is not folded into 'stem.0'"):
        check_folding(network, network, [dyadic_images()])
    with pytest.raises(InputError, match="other sites"):
        check_folding(network, nn.Identity(), [dyadic_images()])


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_rounding_is_judged_in_the_precision_of_the_network(dtype, trained, held_out, monkeypatch):
    network = networks.load(trained().path).to(dtype)
    images = [held_out[0][0].to(dtype)]
    check = check_folding(network, fold_batch_norm(network), images)
    assert (check.dtype, check.beyond_rounding) == (str(dtype).removeprefix("torch."), {})
    monkeypatch.setattr(fold, "scale_and_shift", without_mean)
    assert check_folding(network, fold_batch_norm(network), images).beyond_rounding


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_every_batch_norm_of_every_network_folds(name):
    with torch.device("meta"):
        network = networks.build(networks.Architecture(name=name, levels=4, quantizer="floor", classes=10))
    norms = {name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert set(foldable(network)) == norms


def test_an_audit_of_the_folded_network_says_what_the_folding_changed(run, model):
    code, out, _ = run(command, model, "--limit", 8, "--fold-batch-norm")
    assert code == 0
    assert "6 batch-norms folded; not bit-equal" in " ".join(out.split())
    content = read(model.parent / "reports" / "report.json")
    assert content["model"]["folding"].startswith("6 batch-norms folded")


def test_a_wrong_fold_is_not_audited(run, model, monkeypatch):
    monkeypatch.setattr(fold, "scale_and_shift", without_epsilon)
    code, _, err = run(command, model, "--limit", 8, "--fold-batch-norm")
    assert code == 3
    assert err.startswith("qvm-verify: contradiction: ")
    assert "was folded wrongly" in err
