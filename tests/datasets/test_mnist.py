import gzip

import pytest
import torch

from qvm_verify import datasets
from tests.datasets.files import idx, needs_real_data, put, real, refusal

IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def digits(folder, labels=(7, 2), suffix=""):
    pack = gzip.compress if suffix else bytes
    pixels = [index % 251 for index in range(len(labels) * 784)]
    put(folder / f"{IMAGES}{suffix}", pack(idx(pixels, len(labels), 28, 28)))
    put(folder / f"{LABELS}{suffix}", pack(idx(labels, len(labels))))
    return folder


@needs_real_data
def test_the_real_test_digits_are_the_official_ones():
    dataset = datasets.mnist(real("mnist"), verify="official")
    assert len(dataset) == 10_000
    assert torch.bincount(dataset.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert all(datasets.official(path) for path in real("mnist").glob("t*.gz"))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_digits_are_read_bare_and_gzipped(suffix, tmp_path):
    dataset = datasets.mnist(digits(tmp_path, suffix=suffix))
    assert [label for _, label in dataset] == [7, 2]
    image, _ = dataset[1]
    assert image.shape == (1, 28, 28)
    assert image[0, 0, 1] == torch.tensor((785 % 251) / 255)
    normalized = datasets.mnist(tmp_path, normalize="mnist")[1][0]
    assert torch.allclose(normalized, (image - 0.1307) / 0.3081)


def test_the_splits_have_their_own_files(tmp_path):
    digits(tmp_path)
    assert "neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz" in refusal(
        datasets.mnist, tmp_path, split="train"
    )


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (IMAGES, b"", "begins with nothing, and must with 00000803 (idx)"),
        (IMAGES, idx([1, 2], 2), "begins with 00000801, and must with 00000803"),
        (IMAGES, b"\0\0\x0d\x03" + bytes(12), "begins with 00000d03"),  # floats
        (IMAGES, idx([], 2, 28, 28)[:10], "ends at byte 10, within its header"),
        (IMAGES, idx([0] * 1568, 2, 28, 28)[:-1], "1568 bytes must follow byte 16, and there are only 1567"),
        (IMAGES, idx([0] * 1569, 2, 28, 28), "1568 bytes must follow byte 16, and there are more"),
        (IMAGES, idx([0] * 1568, 1, 56, 28), "items of [56, 28] at byte 8, and must be [28, 28]"),
        (IMAGES, idx([0], 2**32 - 1, 28, 28), "claims 4294967295 items at byte 4"),
        (IMAGES, idx([0], 2**20, 28, 28), "822083584 bytes must follow byte 16, and there are only 1"),
        (IMAGES, idx([0] * 784, 1, 28, 28), "2 labels, and t10k-images-idx3-ubyte has 1 images"),
        (LABELS, idx([7, 10], 2), "label 1 at byte 9: 10, and must be 0..9"),
        (LABELS, idx([7], 2), "2 bytes must follow byte 8, and there are only 1"),
    ],
)
def test_a_wrong_idx_file_is_refused_with_what_was_expected(name, content, reason, tmp_path):
    digits(tmp_path)
    put(tmp_path / name, content)
    message = refusal(datasets.mnist, tmp_path)
    assert reason in message
    assert str(tmp_path) in message


def test_a_broken_gzip_file_is_refused(tmp_path):
    digits(tmp_path, suffix=".gz")
    path = tmp_path / f"{IMAGES}.gz"
    whole = path.read_bytes()
    for content in (whole[:-30], b"no gzip", whole[:40] + b"\xff" * 20 + whole[60:]):
        put(path, content)
        assert f"{path}: cannot be read to its end" in refusal(datasets.mnist, tmp_path)
        assert "not a readable gzip file" in refusal(datasets.official, path)


def test_other_digits_are_not_the_official_ones(tmp_path):
    digits(tmp_path)
    assert datasets.official(tmp_path / LABELS) is False
    assert "27ae3e4e09519cfbb04c329615203637" not in refusal(datasets.mnist, tmp_path, verify="official")
    assert "2646ac647ad5339dbf082846283269ea" in refusal(datasets.mnist, tmp_path, verify="official")
