import os
import pickle

import pytest
import safetensors.torch
import torch
from torch import nn

from qvm_verify import networks
from qvm_verify.exits import InputError
from qvm_verify.networks.checkpoint import FORMAT

SUFFIXES = (".pt", ".safetensors")
HEADER = {"format": FORMAT, "name": "digits_cnn", "levels": 4, "quantizer": "floor", "classes": 10}


def network(seed=0):
    torch.manual_seed(seed)
    return networks.digits_cnn(levels=4, quantizer="floor")


def write(path, header, weights):
    """Write a checkpoint as a stranger might have made it."""
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(weights, path, metadata={k: str(v) for k, v in header.items()})
    else:
        torch.save({"header": header, "weights": weights}, path)
    return path


def changed_weights(**changes):
    weights = {name: tensor.clone() for name, tensor in network().state_dict().items()}
    return {name: value for name, value in (weights | changes).items() if value is not None}


def test_the_same_network_is_the_same_bytes_in_every_file(tmp_path):
    # An audit knows its network by them: one trained again must be taken for the same.
    for name in ("a.pt", "another.pt"):
        networks.save(network(), tmp_path / name)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "another.pt").read_bytes()


def refusal(path):
    """Return the sentence with which a file is refused."""
    with pytest.raises(InputError) as error:
        networks.load(path)
    sentence = str(error.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    return sentence.removeprefix(f"{path}: ")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_checkpoint_comes_back_bit_for_bit_and_in_evaluation_mode(suffix, tmp_path):
    original = network().train()
    original(torch.rand(4, 1, 8, 8))  # moves the statistics of batch-norm
    original.act.threshold.data.fill_(0.1)
    networks.save(original, tmp_path / f"a{suffix}")
    loaded = networks.load(tmp_path / f"a{suffix}")
    assert networks.architecture_of(loaded) == networks.architecture_of(original)
    assert not any(module.training for module in loaded.modules())
    for name, tensor in original.state_dict().items():
        found = loaded.state_dict()[name]
        assert found.dtype == tensor.dtype
        assert found.numpy().tobytes() == tensor.numpy().tobytes(), name
    assert loaded.act.threshold.requires_grad
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_saving_over_a_checkpoint_replaces_it(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    networks.save(network(0), path)
    networks.save(network(1), path)
    assert torch.equal(networks.load(path).stem[0].weight, network(1).stem[0].weight)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_variant_pooling_and_channels_come_back(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    original = networks.resnet20(variant="imagenet", pooling="max", channels=2, classes=3)
    networks.save(original, path)
    loaded = networks.load(path)
    assert networks.architecture_of(loaded) == networks.architecture_of(original)
    assert isinstance(loaded.pool, nn.MaxPool2d)
    assert loaded(torch.rand(1, 2, 32, 32)).shape == (1, 3)


def test_only_networks_that_can_be_built_again_are_saved(tmp_path):
    with pytest.raises(ValueError, match="Identity was not built"):
        networks.save(nn.Identity(), tmp_path / "a.pt")
    assert not list(tmp_path.iterdir())


def test_saving_where_no_folder_can_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="file"):
        networks.save(network(), tmp_path / "file" / "a.pt")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_missing_a_folder_text_or_truncated_is_refused(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    assert refusal(path) == "no such file"
    assert "folder" in refusal(tmp_path)
    path.write_text("not a checkpoint")
    assert "truncated, or of another kind" in refusal(path)
    networks.save(network(), path)
    whole = path.read_bytes()
    for length in (0, 5, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "truncated, or of another kind" in refusal(path)


class Hostile:
    """Runs a command of its own choice when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize(
    "writer", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content))]
)
def test_a_file_that_holds_code_is_refused_and_the_code_does_not_run(writer, tmp_path):
    writer({"header": HEADER, "weights": Hostile(tmp_path / "ran")}, tmp_path / "a.pt")
    assert "refused" in refusal(tmp_path / "a.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        {"weights": {}},
        {"header": HEADER},
        {"header": [], "weights": {}},
        {"header": HEADER, "weights": {"a": 1}},
    ],
)
def test_a_pytorch_file_of_another_shape_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "a.pt")
    assert "no header with levels and quantizer" in refusal(tmp_path / "a.pt")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "qvm-verify/checkpoint/2"}, "checkpoint/2"),
        ({"name": "vgg99"}, "vgg99"),
        ({"levels": 0}, "levels"),
        ({"levels": -3}, "levels"),
        ({"levels": "many"}, "many"),
        ({"levels": 2**40}, "levels"),
        ({"levels": "9" * 5000}, "header is wrong"),
        ({"classes": 0}, "classes"),
        ({"name": "resnet20", "channels": 0}, "channels"),
        ({"quantizer": "nearest"}, "nearest"),
        ({"classes": "ten"}, "ten"),
        ({"classes": -1}, "header is wrong"),
        ({"variant": "cifar"}, "variant"),
        ({"name": "resnet20", "pooling": "median"}, "median"),
        ({"name": "resnet20", "channels": "two"}, "two"),
    ],
)
def test_a_header_that_means_nothing_is_refused(suffix, change, reason, tmp_path):
    assert reason in refusal(write(tmp_path / f"a{suffix}", HEADER | change, changed_weights()))


@pytest.mark.parametrize("missing", HEADER)
def test_a_header_that_lacks_a_field_is_refused(missing, tmp_path):
    header = {key: value for key, value in HEADER.items() if key != missing}
    assert refusal(write(tmp_path / "a.pt", header, changed_weights()))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"act.threshold": None}, "lacks 'act.threshold'"),
        ({"another": torch.zeros(1)}, "does not know 'another'"),
        ({"act.threshold": torch.ones(2)}, "'act.threshold' has shape [2]"),
        ({"act.threshold": torch.tensor(float("nan"))}, "'act.threshold' holds a weight that is not finite"),
        ({"stem.0.weight": torch.full((16, 1, 3, 3), torch.inf)}, "'stem.0.weight' holds a weight"),
        ({"act.threshold": torch.tensor(-0.5)}, "threshold of 'act' is -0.5"),
        ({"act.threshold": torch.tensor(0.0)}, "threshold of 'act' is 0"),
    ],
)
def test_weights_that_do_not_fit_or_mean_nothing_are_refused_by_name(suffix, change, reason, tmp_path):
    assert reason in refusal(write(tmp_path / f"a{suffix}", HEADER, changed_weights(**change)))


def test_weights_of_another_network_are_refused(tmp_path):
    header = HEADER | {"classes": 7}
    assert "head.2" in refusal(write(tmp_path / "a.pt", header, changed_weights()))
