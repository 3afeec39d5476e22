import numpy as np
import pytest
import torch

from qvm_verify import datasets
from tests.datasets.files import refusal


def written(path, **content):
    np.savez(path, **content)
    return path


def test_the_digits_are_split_once_and_for_all_with_every_class_held_out():
    train, test = datasets.digits("train"), datasets.digits("test")
    assert (len(train), len(test)) == (1437, 360)
    images, labels = test.tensors
    assert images.shape == (360, 1, 8, 8)
    assert images.dtype == torch.float32
    assert (images.min(), images.max()) == (0, 1)
    assert labels.bincount().min() >= 34  # stratified
    assert torch.equal(images, datasets.digits("test").tensors[0])
    held_out = {image.numpy().tobytes() for image in images}
    assert not any(image.numpy().tobytes() in held_out for image in train.tensors[0])


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="'validation'"):
        datasets.digits("validation")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, bool])
def test_arrays_come_back_as_float32_images_with_their_labels(dtype, tmp_path):
    x = np.array([[0, 1], [1, 1]], dtype=dtype)
    images, labels = datasets.arrays(written(tmp_path / "a.npz", x=x, y=np.array([7, 3]))).tensors
    assert images.dtype == torch.float32
    assert images.tolist() == [[0, 1], [1, 1]]
    assert labels.tolist() == [7, 3]


def test_images_without_labels_have_none(tmp_path):
    _, labels = datasets.arrays(written(tmp_path / "a.npz", x=np.zeros((2, 1)))).tensors
    assert labels.tolist() == [datasets.NO_LABEL] * 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"z": np.zeros(2)}, "holds no array 'x', only z"),
        ({}, "holds no array 'x'"),
        ({"x": np.array([{}], dtype=object)}, "not a readable npz file of plain numbers"),
        ({"x": np.array(["a", "b"])}, "must be numbers"),
        ({"x": np.zeros((2, 1), dtype=complex)}, "must be numbers"),
        ({"x": np.zeros((2, 1)), "y": np.zeros(3, dtype=int)}, "'y' must be 2 integers"),
        ({"x": np.zeros((2, 1)), "y": np.zeros(2)}, "'y' must be 2 integers"),
        ({"x": np.zeros((2, 1)), "y": np.array([{}, {}], dtype=object)}, "plain numbers"),
        ({"x": np.float32(1)}, "'x'"),
        ({"x": np.zeros((2**40, 0))}, "'x' has images [0], without a pixel"),
    ],
    ids=str,
)
def test_a_file_that_holds_no_images_is_refused(content, reason, tmp_path):
    path = written(tmp_path / "a.npz", **content)
    assert reason in refusal(datasets.arrays, path)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_npz_is_refused(content, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    assert "not a readable npz" in refusal(datasets.arrays, path)


def test_a_truncated_npz_and_a_bare_npy_are_refused(tmp_path):
    path = written(tmp_path / "a.npz", x=np.zeros((20, 1)))
    path.write_bytes(path.read_bytes()[:-60])
    assert "not a readable npz" in refusal(datasets.arrays, path)
    np.save(tmp_path / "b.npy", np.zeros((20, 1)))
    assert refusal(datasets.arrays, tmp_path / "b.npy")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert "no such file" in refusal(datasets.arrays, tmp_path / "a.npz")
    assert "no such file" in refusal(datasets.arrays, tmp_path)
