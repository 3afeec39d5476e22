"""Bare state dicts of other projects: every spelling loads bit for bit, whatever cannot be is refused."""

import os
import random

import pytest
import safetensors.torch
import torch

from qvm_verify import networks
from qvm_verify.exits import InputError
from qvm_verify.networks.containers import Stored
from qvm_verify.networks.recognition import Given
from tests.networks.spellings import (
    AKAMASTER,
    QCFS_RESNET,
    TORCHVISION,
    TORCHVISION_VGG,
    qcfs_vgg,
    randomized,
    renamed,
)

GIVEN = {"levels": 4, "quantizer": "floor"}
THRESHOLDS = ["thresh", "act.thresh", "up", "relu.up 0-d", "up 0-d"]


@pytest.fixture(scope="module")
def resnet20():
    return randomized(networks.resnet20(classes=10, **GIVEN))


@pytest.fixture(scope="module")
def option_a():
    return randomized(networks.resnet20_option_a(**GIVEN))


def written(path, state):
    state = {name: tensor.clone() for name, tensor in state.items()}
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(state, path)
    else:
        torch.save(state, path)
    return path


def same(loaded, original):
    ours = original.state_dict()
    theirs = loaded.state_dict()
    return list(ours) == list(theirs) and all(torch.equal(ours[name], theirs[name]) for name in ours)


def refusal(path, **given):
    with pytest.raises(InputError) as error:
        networks.load(path, **given)
    sentence = str(error.value)
    assert "\n" not in sentence
    assert sentence.startswith(f"{path}: ")
    return sentence


@pytest.mark.parametrize(
    ("name", "keywords", "pooling"),
    [
        ("digits_cnn", {}, None),
        ("mnist_cnn", {}, None),
        ("vgg16", {"variant": "cifar"}, "average"),
        ("vgg16", {"variant": "imagenet"}, "max"),
        ("resnet18", {"variant": "cifar", "channels": 2}, None),
        ("resnet18", {"variant": "imagenet"}, "max"),
        ("resnet20", {"variant": "cifar"}, None),
        ("resnet34", {"variant": "cifar"}, None),
        ("resnet34", {"variant": "imagenet"}, "average"),
        ("resnet20_option_a", {}, None),
        ("resnet32_option_a", {}, None),
    ],
)
def test_every_network_is_recognised_by_its_shapes(name, keywords, pooling):
    with torch.device("meta"):
        network = getattr(networks, name)(classes=7, **GIVEN, **keywords)
    relu = {key: tensor for key, tensor in network.state_dict().items() if not key.endswith("threshold")}
    found = networks.recognition.recognise(
        Stored({}, relu, ordered=True), Given(levels=4, quantizer="floor", pooling=pooling)
    )
    architecture = networks.architecture_of(found.skeleton)
    wanted = {"name": name, "classes": 7, "levels": 4, "quantizer": "floor", "pooling": pooling, **keywords}
    assert {key: getattr(architecture, key) for key in wanted} == wanted
    assert found.weights.keys() == relu.keys()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_every_spelling_of_a_threshold_loads(threshold, suffix, resnet20, tmp_path):
    state = renamed(resnet20.state_dict(), QCFS_RESNET, threshold)
    assert len(state) == len(resnet20.state_dict())
    loaded = networks.load(written(tmp_path / f"a{suffix}", state), **GIVEN)
    assert same(loaded, resnet20)
    assert networks.architecture_of(loaded).variant == "cifar"
    assert not any(module.training for module in loaded.modules())


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("rules", [[], QCFS_RESNET, AKAMASTER, TORCHVISION], ids=["ours", "qcfs", "a", "tv"])
def test_every_layout_of_a_residual_network_loads(rules, suffix, resnet20, tmp_path):
    state = renamed(resnet20.state_dict(), rules, "threshold")
    assert same(networks.load(written(tmp_path / f"a{suffix}", state), **GIVEN), resnet20)


def test_the_names_of_a_file_whose_order_is_lost_are_put_in_order(resnet20, tmp_path):
    state = renamed(resnet20.state_dict(), QCFS_RESNET, "act.thresh")
    names = list(state)
    random.Random(0).shuffle(names)
    path = tmp_path / "a.safetensors"
    safetensors.torch.save_file({name: state[name].clone() for name in names}, path)
    assert same(networks.load(path, **GIVEN), resnet20)


@pytest.mark.parametrize("prefix", ["module.", "module.module.", "_orig_mod.module."])
@pytest.mark.parametrize("nest", ["state_dict", "model", "net", None])
def test_wrappers_and_nests_are_seen_through(nest, prefix, option_a, tmp_path):
    state = {prefix + name: t for name, t in renamed(option_a.state_dict(), AKAMASTER, "up").items()}
    torch.save({nest: state, "epoch": 3, "best": 0.9} if nest else state, tmp_path / "a.th")
    loaded = networks.load(tmp_path / "a.th", **GIVEN)
    assert same(loaded, option_a)
    assert networks.architecture_of(loaded).name == "resnet20_option_a"


@pytest.mark.parametrize("layout", [qcfs_vgg, lambda state: renamed(state, TORCHVISION_VGG)])
@pytest.mark.parametrize("pooling", ["average", "max"])
def test_vgg_16_loads_and_its_pooling_is_as_given(pooling, layout, tmp_path, monkeypatch):
    monkeypatch.setattr("qvm_verify.networks.vgg.HIDDEN", 64)  # the real 4096 take seconds to write
    original = randomized(networks.vgg16(classes=10, pooling=pooling, **GIVEN))
    suffix = ".pt" if pooling == "average" else ".safetensors"
    path = written(tmp_path / f"a{suffix}", layout(original.state_dict()))
    loaded = networks.load(path, pooling=pooling, **GIVEN)
    assert same(loaded, original)
    assert networks.architecture_of(loaded) == networks.architecture_of(original)
    assert refusal(path, **GIVEN).endswith("holds a vgg16 and not its pooling; give --pooling")
    os.remove(path)


def test_variant_and_channels_are_read_off_the_shapes(tmp_path):
    original = randomized(networks.resnet20(variant="imagenet", channels=2, classes=3, **GIVEN))
    path = written(tmp_path / "a.pt", renamed(original.state_dict(), TORCHVISION))
    assert same(networks.load(path, pooling="average", **GIVEN), original)
    assert "give --pooling" in refusal(path, **GIVEN)


def test_a_bias_that_a_layer_does_without_is_zero(tmp_path):
    original = randomized(networks.mnist_cnn(**GIVEN))
    path = written(tmp_path / "a.pt", original.state_dict())
    assert same(networks.load(path, **GIVEN), original)
    linear = randomized(networks.resnet20_option_a(**GIVEN))
    state = linear.state_dict()
    del state["head.2.bias"]
    loaded = networks.load(written(path, state), **GIVEN)
    assert not loaded.head[2].bias.any()


def test_half_precision_is_widened_and_a_missing_count_of_batches_is_0(option_a, tmp_path):
    state = {
        name: tensor.half() for name, tensor in option_a.state_dict().items() if "num_batches" not in name
    }
    loaded = networks.load(written(tmp_path / "a.pt", state), **GIVEN)
    assert loaded.stem[0].weight.dtype == torch.float32
    assert torch.equal(loaded.stem[0].weight, option_a.stem[0].weight.half().float())
    assert loaded.stem[1].num_batches_tracked == 0


@pytest.mark.parametrize("missing", ["levels", "quantizer"])
def test_what_a_state_dict_cannot_hold_must_be_given_and_the_flag_is_named(missing, option_a, tmp_path):
    path = written(tmp_path / "a.pt", renamed(option_a.state_dict(), AKAMASTER))
    given = {name: value for name, value in GIVEN.items() if name != missing}
    assert refusal(path, **given).endswith(
        f"holds a resnet20_option_a and not its {missing}; give --{missing}"
    )
    assert "no pooling to choose" in refusal(path, pooling="max", **GIVEN)
    assert "levels must be" in refusal(path, **GIVEN | {"levels": 0})


def changed(state, **changes):
    state = {name: tensor.clone() for name, tensor in state.items()} | changes
    return {name: tensor for name, tensor in state.items() if tensor is not None}


REFUSED = {
    "negative": ({"layer1.0.relu2.up": torch.tensor([-0.3])}, "'layer1.0.relu2.up' is -0.3"),
    "zero": ({"relu.up": torch.tensor(0.0)}, "'relu.up' is 0"),
    "nan threshold": ({"relu.up": torch.tensor(torch.nan)}, "'relu.up' is nan"),
    "by channel": ({"relu.up": torch.ones(16)}, "'relu.up' has shape [16]; one threshold a site"),
    "too few": ({"relu.up": None}, "18 thresholds, and resnet20_option_a 19 activations"),
    "unknown": ({"layer1.0.gate.alpha": torch.ones(1)}, "'layer1.0.gate.alpha' belongs to no layer"),
    "nan": ({"conv1.weight": torch.full((16, 3, 3, 3), torch.nan)}, "not finite"),
    "bias": ({"conv1.bias": torch.zeros(16)}, "'conv1' has a bias"),
    "double": ({"linear.weight": torch.zeros(10, 64).double()}, "float64, and must be"),
    "shape": ({"layer3.0.conv1.weight": torch.zeros(64, 32, 5, 5)}, "are those of none of digits_cnn"),
    "more of a norm": ({"bn1.mask": torch.ones(16)}, "'bn1.weight' belongs to no layer"),
    "more of a site": ({"relu.thresh": torch.ones(1)}, "belongs to no layer"),
    "complex": ({"relu.up": torch.ones(1, dtype=torch.complex64)}, "'relu.up' is torch.complex64"),
    "norms": ({"bn1.running_mean": None}, "'bn1.weight' belongs to no layer"),
    "depth": ({"more.weight": torch.zeros(64, 64, 3, 3)}, "20 convolutions, 0 of 1x1, 19 batch-norms"),
    "no dot": ({"weight": torch.zeros(64, 64, 3, 3)}, "'weight' belongs to no layer"),
    "no channels": ({"conv1.weight": torch.zeros(16, 0, 3, 3)}, "are those of none of"),
    "no classes": ({"linear.weight": torch.zeros(0, 64)}, "are those of none of"),
    "repeated": ({"conv1.weight": torch.zeros(1, 1, 1, 1).expand(2**40, 3, 3, 3)}, "no plain tensor"),
    "sparse": ({"relu.up": torch.ones(1).to_sparse()}, "no plain tensor"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_state_dict_that_does_not_fit_is_refused_by_name(case, option_a, tmp_path):
    change, reason = REFUSED[case]
    torch.save(changed(renamed(option_a.state_dict(), AKAMASTER, "up"), **change), tmp_path / "a.pt")
    assert reason in refusal(tmp_path / "a.pt", **GIVEN)


def test_thresholds_in_an_order_of_their_own_are_refused_not_guessed(resnet20, tmp_path):
    state = renamed(resnet20.state_dict(), QCFS_RESNET)
    own = {name: state.pop(name) for name in list(state) if name.endswith(".act.thresh")}
    mixed = {}
    for name, tensor in state.items():  # every block defines its last activation first
        block = name.partition(".residual_function.0.weight")[0]
        if f"{block}.act.thresh" in own and name.endswith("residual_function.0.weight"):
            mixed[f"{block}.act.thresh"] = own[f"{block}.act.thresh"]
        mixed[name] = tensor
    torch.save(mixed, tmp_path / "a.pt")
    assert "not where a threshold of resnet20 would be" in refusal(tmp_path / "a.pt", **GIVEN)


def block_of(name):
    """Return where a block stands: the stem first, the linear layer last."""
    parts = name.split(".")
    return (parts[0], int(parts[1])) if parts[0].startswith("layer") else ("" if parts[0] != "fc" else "~", 0)


def test_a_shortcut_that_is_defined_first_is_still_a_shortcut(resnet20, tmp_path):
    state = renamed(resnet20.state_dict(), TORCHVISION)
    names = sorted(state, key=lambda name: (block_of(name), "downsample" not in name))  # a stable sort
    assert names.index("layer2.0.downsample.1.weight") < names.index("layer2.0.bn1.weight")
    torch.save({name: state[name] for name in names}, tmp_path / "a.pt")
    assert same(networks.load(tmp_path / "a.pt", **GIVEN), resnet20)


def test_numbered_thresholds_may_stand_together_but_only_in_the_order_of_their_numbers(resnet20, tmp_path):
    state = renamed(resnet20.state_dict(), TORCHVISION)
    together = sorted(state, key=lambda name: (block_of(name), "relu" in name))
    assert together[-4:-2] == ["layer3.2.relu1.thresh", "layer3.2.relu2.thresh"]
    torch.save({name: state[name] for name in together}, tmp_path / "a.pt")
    assert same(networks.load(tmp_path / "a.pt", **GIVEN), resnet20)
    falling = {name.replace("relu1", "relu9"): state[name] for name in together}
    torch.save(falling, tmp_path / "a.pt")
    assert "not where a threshold" in refusal(tmp_path / "a.pt", **GIVEN)


@pytest.mark.parametrize(
    "content", [[1], {"state_dict": 3}, {"a": 1}, {"state_dict": {}}, {1: torch.ones(1)}]
)
def test_a_file_without_a_state_dict_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "a.pt")
    assert "no state dict" in refusal(tmp_path / "a.pt", **GIVEN)


def test_a_nest_that_holds_itself_is_refused(tmp_path):
    nest = {}
    nest["model"] = nest
    torch.save(nest, tmp_path / "a.pt")
    assert "no state dict" in refusal(tmp_path / "a.pt", **GIVEN)


class Hostile:
    def __reduce__(self):
        return os.system, ("touch ran",)


@pytest.mark.parametrize("nest", [lambda x: x, lambda x: {"state_dict": x}, lambda x: {"more": x, "net": {}}])
def test_a_state_dict_that_holds_code_is_refused_and_the_code_does_not_run(nest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(nest({"conv1.weight": torch.ones(1), "x": Hostile()}), "a.th")
    with pytest.raises(InputError, match="may run code"):
        networks.load("a.th", **GIVEN)
    assert not (tmp_path / "ran").exists()


def test_a_whole_pickled_module_is_refused(tmp_path):
    torch.save(torch.nn.Linear(1, 1), tmp_path / "a.pt")
    assert "may run code" in refusal(tmp_path / "a.pt", **GIVEN)


def test_a_relu_network_is_flagged_until_it_is_calibrated_and_cannot_be_saved(option_a, tmp_path):
    state = {name: t for name, t in option_a.state_dict().items() if not name.endswith("threshold")}
    loaded = networks.load(written(tmp_path / "a.pt", state), **GIVEN)
    sites = networks.uncalibrated(loaded)
    assert sites == [name.removesuffix(".threshold") for name in option_a.state_dict() if "threshold" in name]
    with pytest.raises(ValueError, match="'act' is not known; calibrate"):
        networks.save(loaded, tmp_path / "b.pt")
    loaded.act.threshold.data.fill_(1.0)
    assert networks.uncalibrated(loaded) == sites[1:]  # each has a threshold of its own
    assert networks.uncalibrated(option_a) == []
