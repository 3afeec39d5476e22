import pickle

import numpy as np
import pytest
import torch

from qvm_verify import datasets
from tests.datasets.files import cifar_record, needs_real_data, put, real, refusal


def binary_cifar10(folder, *labels):
    return put(folder / "test_batch.bin", b"".join(cifar_record(label, seed=label) for label in labels))


@needs_real_data
@pytest.mark.parametrize(
    ("load", "folder", "sizes", "classes"),
    [
        (datasets.cifar10, "cifar-10-batches-bin", {"train": 4660, "test": 446}, 10),
        (datasets.cifar100, "cifar-100-binary", {"train": 450, "test": 167}, 100),
    ],
    ids=["cifar10", "cifar100"],
)
def test_the_real_samples_are_read_whole(load, folder, sizes, classes):
    for split, size in sizes.items():
        dataset = load(real(folder), split=split, normalize="none")
        assert (len(dataset), dataset.classes) == (size, classes)
        image, label = dataset[size - 1]
        assert image.shape == (3, 32, 32)
        assert image.dtype == torch.float32
        assert 0 <= image.min() < image.max() <= 1
        assert 0 <= label < classes
        assert len(load(real("."), split=split)) == size  # the folder around it will do


@needs_real_data
def test_the_default_normalization_is_that_of_the_real_training_pixels():
    dataset = datasets.cifar10(real("cifar-10-batches-bin"), split="train")
    images = torch.stack([dataset[index][0] for index in range(0, len(dataset), 5)])
    assert images.mean((0, 2, 3)).abs().max() < 0.05
    assert (images.std((0, 2, 3)) - 1).abs().max() < 0.05


def test_a_binary_record_is_its_label_then_red_green_and_blue_rows(tmp_path):
    folder = binary_cifar10(tmp_path / "cifar-10-batches-bin", 3, 9).parent
    raw = np.frombuffer(cifar_record(9, seed=9), dtype=np.uint8)[1:]
    for place in (folder, tmp_path):
        dataset = datasets.cifar10(place, normalize="none")
        image, label = dataset[1]
        assert label == 9
        assert image[2, 31, 30] == torch.tensor(raw[3 * 1024 - 2] / 255, dtype=torch.float32)
        assert image[1, 0, 1] == torch.tensor(raw[1024 + 1] / 255, dtype=torch.float32)


def test_the_label_of_cifar_100_is_the_fine_one(tmp_path):
    put(tmp_path / "test.bin", cifar_record(19, 99) + cifar_record(0, 7))
    dataset = datasets.cifar100(tmp_path)
    assert [label for _, label in dataset] == [99, 7]
    assert dataset.classes == 100


def test_pixels_are_divided_by_255_then_shifted_and_scaled_in_float32(tmp_path):
    binary_cifar10(tmp_path, 1)
    plain = datasets.cifar10(tmp_path, normalize="none")[0][0]
    for name, (mean, std) in datasets.NORMALIZATIONS.items():
        if len(mean) == 3:
            image, _ = datasets.cifar10(tmp_path, normalize=name)[0]
            shape = (3, 1, 1)
            assert torch.equal(
                image, (plain - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
            )


def test_a_wrong_label_is_refused_with_its_record_and_byte(tmp_path):
    path = binary_cifar10(tmp_path, *[1] * 17, 12, 1)
    assert refusal(datasets.cifar10, tmp_path) == (
        f"{path}: record 17 at byte {17 * 3073}: label 12, and must be 0..9"
    )
    path = put(tmp_path / "test.bin", cifar_record(1, 2) + cifar_record(1, 100))
    assert f"{path}: record 1 at byte {3074 + 1}: fine label 100, and must be 0..99" in refusal(
        datasets.cifar100, tmp_path
    )
    put(path, cifar_record(20, 2))
    assert "record 0 at byte 0: coarse label 20, and must be 0..19" in refusal(datasets.cifar100, tmp_path)


def test_a_fine_label_under_two_coarse_ones_is_refused(tmp_path):
    put(tmp_path / "test.bin", cifar_record(1, 2) + cifar_record(3, 5) + cifar_record(4, 2))
    message = refusal(datasets.cifar100, tmp_path)
    assert (
        f"record 2 at byte {2 * 3074}: fine label 2 under the coarse label 4, and record 0 has it under 1"
        in message
    )


def test_a_truncated_file_is_refused_with_the_record_that_is_cut(tmp_path):
    path = binary_cifar10(tmp_path, 1, 2)
    path.write_bytes(path.read_bytes()[:-1])
    assert f"{path}: record 1 at byte 3073 ends after 3072 bytes, and a record has 3073" in refusal(
        datasets.cifar10, tmp_path
    )


def test_missing_folders_and_files_are_named(tmp_path):
    assert "no such folder" in refusal(datasets.cifar10, tmp_path / "nowhere")
    assert "neither test_batch.bin nor test_batch" in refusal(datasets.cifar10, tmp_path)
    put(tmp_path / "data_batch_1.bin", cifar_record(1))
    assert "data_batch_2.bin" in refusal(datasets.cifar10, tmp_path, split="train")


def python_batch(path, protocol=2, **changes):
    data = np.random.default_rng(0).integers(0, 256, (3, 3072), dtype=np.uint8)
    content = {
        "data": data,
        "labels": [4, 0, 9],
        "filenames": ["a", "b", "c"],
        "batch_label": "testing",
    } | changes
    put(path, pickle.dumps(content, protocol=protocol))
    return data


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_the_python_version_holds_the_same_images(protocol, tmp_path):
    if protocol < 2:  # text protocols spell bytes by their own rules; the official files are of protocol 2
        python_batch(tmp_path / "test_batch", protocol)
        dataset = datasets.cifar10(tmp_path, normalize="none")
        assert len(dataset) == 3
        return
    data = python_batch(tmp_path / "cifar-10-batches-py" / "test_batch", protocol)
    dataset = datasets.cifar10(tmp_path, normalize="none")
    assert [label for _, label in dataset] == [4, 0, 9]
    assert np.array_equal(dataset.pixels.numpy().reshape(3, 3072), data)


def test_keys_may_be_bytes_as_other_tools_write_them(tmp_path):
    data = np.zeros((1, 3072), dtype=np.uint8)
    put(
        tmp_path / "test",
        pickle.dumps({b"data": data, b"fine_labels": [42], b"coarse_labels": [1]}, protocol=2),
    )
    assert datasets.cifar100(tmp_path)[0][1] == 42


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels": [4, 0, 10]}, "labels[2] is 10, and must be 0..9"),
        ({"labels": [4, 0, -1]}, "labels[2] is -1"),
        ({"labels": [4, 0, True]}, "labels[2] is True"),
        ({"labels": [4, 0]}, "must be a list of 3 labels, one an image, not 2"),
        ({"labels": "409"}, "must be a list of 3 labels, one an image, not a str"),
        (
            {"data": np.zeros((3, 3071), dtype=np.uint8)},
            "'data' must be uint8 [images, 3072], not uint8 [3, 3071]",
        ),
        ({"data": np.zeros((3, 3072), dtype=np.float32)}, "not float32"),
        ({"data": [1, 2, 3]}, "not list"),
    ],
    ids=str,
)
def test_a_python_batch_that_holds_something_else_is_refused(changes, reason, tmp_path):
    python_batch(tmp_path / "test_batch", **changes)
    assert reason in refusal(datasets.cifar10, tmp_path)


def test_a_python_batch_without_its_labels_is_refused(tmp_path):
    put(tmp_path / "test_batch", pickle.dumps({"data": np.zeros((0, 3072), np.uint8), "fine_labels": []}, 2))
    assert "holds no 'labels', only ['data', 'fine_labels']" in refusal(datasets.cifar10, tmp_path)


def test_a_sample_is_not_the_official_file_and_says_so_only_when_asked(tmp_path):
    python_batch(tmp_path / "test_batch")
    assert datasets.official(tmp_path / "test_batch") is False
    assert len(datasets.cifar10(tmp_path)) == 3
    message = refusal(datasets.cifar10, tmp_path, verify="official")
    assert "of the official file 40351d587109b95175f43aff81a1287e" in message


def test_a_file_without_a_published_checksum_cannot_be_verified(tmp_path):
    path = binary_cifar10(tmp_path, 1)
    assert datasets.official(path) is None
    assert "no official checksum is published" in refusal(datasets.cifar10, tmp_path, verify="official")
