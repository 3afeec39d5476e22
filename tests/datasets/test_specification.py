import numpy as np
import pytest

from qvm_verify import datasets
from qvm_verify.datasets.specification import LOADERS, NUMBER
from tests.datasets.files import cifar_record, needs_real_data, nmnist, put, real, refusal


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_data_is_opened_by_name(tmp_path):
    path = saved(tmp_path / "a.npz", x=np.zeros((2, 1, 8, 8)))
    assert len(datasets.open_dataset("digits")) == len(datasets.open_dataset("digits:test")) == 360
    assert (
        len(datasets.open_dataset("digits:train")) == len(datasets.open_dataset("digits?split=train")) == 1437
    )
    assert len(datasets.open_dataset(f"npz:{path}")) == 2


def test_options_follow_the_path(tmp_path):
    put(tmp_path / "test.bin", cifar_record(1, 2))
    put(tmp_path / "train.bin", cifar_record(1, 2) + cifar_record(1, 2))
    assert len(datasets.open_dataset(f"cifar100:{tmp_path}")) == 1
    dataset = datasets.open_dataset(f"cifar100:{tmp_path}?split=train&normalize=none")
    assert len(dataset) == 2
    assert dataset[0][0].min() >= 0


def test_options_of_frames_are_numbers(tmp_path):
    put(tmp_path / "Test" / "3" / "1.bin", nmnist(*[(1, 2, 1, time) for time in range(8)]))
    dataset = datasets.open_dataset(f"nmnist:{tmp_path}?frames=4&size=17")
    assert len(dataset) == 4
    assert dataset[0][0].shape == (2, 17, 17)


@pytest.mark.parametrize(
    "name",
    ["", "mnist", "mist:x", "digits:all", "npz", "npz:", "cifar10:", "digits:train?split=test", "npz?x=1"],
)
def test_unknown_data_is_refused_and_the_known_kinds_are_named(name):
    message = refusal(datasets.open_dataset, name)
    assert datasets.SPECIFICATIONS in message
    for known in LOADERS:
        assert known in message


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cifar10:x?spilt=train", "cifar10: no option 'spilt'; it has split=test|train, normalize=cifar10|"),
        ("cifar10:x?", "x: no such folder"),
        ("cifar10:x?split=val", "cifar10: split=val, and must be one of test, train"),
        ("cifar10:x?split", "split=, and must be one of"),
        ("cifar10:x?split=test&split=test", "'split=test' a second time"),
        (
            "imagenet:x?normalize=mnist",
            "normalize=mnist, and must be one of imagenet, cifar10, cifar100, qcfs, none",
        ),
        ("npz:x?split=train", "npz: no option 'split'; it has no options"),
        ("imagenet:x?size=0", "size=0, and must be an integer of at least 1"),
        ("imagenet:x?size=-1", "size=-1"),
        ("imagenet:x?size=1.5", "size=1.5"),
        ("imagenet:x?size=²", "size=²"),
        ("imagenet:x?size=99999999999999999999", "an integer of at least 1"),
        ("nmnist:x?frames=", "frames=, and must be"),
    ],
)
def test_an_unknown_option_or_value_is_refused_with_the_known_ones(name, reason):
    assert reason in refusal(datasets.open_dataset, name)


@pytest.mark.parametrize("name", sorted(LOADERS.keys() - {"digits"}))
def test_a_missing_path_is_one_sentence_for_every_loader(name, tmp_path):
    assert str(tmp_path / "nowhere") in refusal(datasets.open_dataset, f"{name}:{tmp_path / 'nowhere'}")
    assert refusal(datasets.open_dataset, f"{name}:{tmp_path}")  # an empty folder


def test_a_path_too_long_to_look_for_and_a_device_are_refused(tmp_path):
    assert "cannot be read" in refusal(datasets.open_dataset, f"cifar10:{'x' * 5000}")
    (tmp_path / "n01").mkdir()
    (tmp_path / "n01" / "a.JPEG").symlink_to("/dev/zero")
    assert "is no file" in refusal(datasets.open_dataset(f"imagenet:{tmp_path}").__getitem__, 0)


@pytest.mark.parametrize("name", sorted(LOADERS))
def test_the_first_value_of_an_option_is_the_default_of_its_loader(name):
    for option, values in LOADERS[name].options.items():
        default = LOADERS[name].open.__kwdefaults__ or {"split": LOADERS[name].open.__defaults__[0]}
        assert values is NUMBER or default[option] == values[0]


def test_data_without_an_image_is_refused(tmp_path):
    path = saved(tmp_path / "a.npz", x=np.zeros((0, 1, 8, 8)))
    assert "no image" in refusal(datasets.open_dataset, f"npz:{path}")
    put(tmp_path / "test_batch.bin", b"")
    assert "no image" in refusal(datasets.open_dataset, f"cifar10:{tmp_path}")


def test_the_number_of_classes_is_known_where_anybody_knows_it(tmp_path):
    path = saved(tmp_path / "a.npz", x=np.zeros((2, 1, 8, 8)))
    assert datasets.classes_of(datasets.open_dataset("digits")) == 10
    assert datasets.classes_of(datasets.open_dataset(f"npz:{path}")) is None


@needs_real_data
@pytest.mark.parametrize(
    ("name", "path", "classes", "shape"),
    [
        ("cifar10", "cifar-10-batches-bin", 10, (3, 32, 32)),
        ("cifar100", "cifar-100-binary", 100, (3, 32, 32)),
        ("imagezip", "cifar-10-jpeg.zip", 10, (3, 32, 32)),
        ("imagenet", "imagenet", 100, (3, 224, 224)),
        ("mnist", "mnist", 10, (1, 28, 28)),
        ("nmnist", "nmnist-small", 10, (2, 34, 34)),
    ],
)
def test_real_data_is_opened_by_name(name, path, classes, shape):
    dataset = datasets.open_dataset(f"{name}:{real(path)}")
    image, label = dataset[len(dataset) - 1]
    assert datasets.classes_of(dataset) == classes
    assert image.shape == shape
    assert 0 <= label < classes
