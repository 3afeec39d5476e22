import io
import pickle
import struct
import zipfile
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from qvm_verify import datasets
from tests.datasets.files import needs_real_data, put, real, refusal


def png(width, height, colour=(255, 0, 0), mode="RGB"):
    file = io.BytesIO()
    Image.new(mode, (width, height), colour).save(file, "PNG")
    return file.getvalue()


def claiming(width, height):
    """Return a PNG of a few bytes that claims a size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def image_folder(folder):
    put(folder / "val" / "n02" / "b.JPEG", png(40, 30, (0, 255, 0)))
    put(folder / "val" / "n02" / "a.JPEG", png(30, 40, (255, 0, 0)))
    put(folder / "val" / "n01" / "z.JPEG", png(20, 20, 128, mode="L"))
    put(folder / "val" / "n01" / ".hidden", b"")
    return folder


@needs_real_data
def test_real_imagenet_files_are_scaled_cut_and_normalized():
    dataset = datasets.imagenet(real("imagenet"))
    assert (len(dataset), dataset.classes) == (100, 100)
    assert dataset.class_names == sorted(dataset.class_names)
    image, label = dataset[7]
    assert (image.shape, label) == ((3, 224, 224), 7)
    assert -2.2 < image.min() < image.max() < 2.7
    assert datasets.imagenet(real("imagenet"), size=64)[7][0].shape == (3, 64, 64)


def test_classes_are_the_sorted_folders_and_images_the_sorted_files(tmp_path):
    dataset = datasets.imagenet(image_folder(tmp_path), size=8, normalize="none")
    assert dataset.class_names == ["n01", "n02"]
    assert [path.name for path, _ in dataset.files] == ["z.JPEG", "a.JPEG", "b.JPEG"]
    grey, red, green = (image[:, 4, 4].tolist() for image, _ in dataset)
    assert grey == pytest.approx([128 / 255] * 3)
    assert (red, green) == ([1, 0, 0], [0, 1, 0])
    assert [label for _, label in dataset] == [0, 1, 1]
    assert len(datasets.imagenet(tmp_path / "val")) == 3  # the folder of the classes itself


def test_the_shorter_side_becomes_256_and_the_centre_224(tmp_path):
    # left half black, right half white, 512 x 256: nothing is scaled, columns 144..367 are cut out
    pixels = np.zeros((256, 512, 3), dtype=np.uint8)
    pixels[:, 300:] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    put(tmp_path / "n01" / "a.png", file.getvalue())
    image, _ = datasets.imagenet(tmp_path, normalize="none")[0]
    assert torch.equal(image[0, 0], (torch.arange(144, 368) >= 300).float())


def test_a_file_that_is_no_image_is_refused_when_it_is_asked_for(tmp_path):
    image_folder(tmp_path)
    path = put(tmp_path / "val" / "n01" / "z.JPEG", png(9, 9)[:50])
    dataset = datasets.imagenet(tmp_path)
    assert len(dataset) == 3
    assert f"{path}: not a readable image" in refusal(dataset.__getitem__, 0)
    for content in (b"", b"text", png(64, 64)[:-30]):
        path.write_bytes(content)
        assert "not a readable image" in refusal(dataset.__getitem__, 0)
    path.unlink()
    assert f"{path}: cannot be read" in refusal(dataset.__getitem__, 0)


def test_an_image_of_a_kind_that_pillow_hands_to_another_program_is_not_opened(tmp_path):
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file := io.BytesIO(), "EPS")
    put(tmp_path / "n01" / "a.jpg", file.getvalue())
    assert "not a readable image" in refusal(datasets.imagenet(tmp_path).__getitem__, 0)


def test_an_image_that_claims_too_much_is_refused_before_it_is_decoded(tmp_path):
    put(tmp_path / "n01" / "a.png", claiming(5_000, 5_000))
    assert "5000 x 5000 pixels cannot be in 65 bytes" in refusal(datasets.imagenet(tmp_path).__getitem__, 0)
    put(tmp_path / "n01" / "a.png", claiming(12_000, 9_000))
    assert "12000 x 9000 pixels, more than 100000000" in refusal(datasets.imagenet(tmp_path).__getitem__, 0)
    put(tmp_path / "n01" / "a.png", claiming(2**16, 2**16))
    assert "DecompressionBombError" in refusal(datasets.imagenet(tmp_path).__getitem__, 0)
    put(tmp_path / "n01" / "a.png", png(10_000, 1))
    assert "10000 x 1 pixels would become 2560000 x 256" in refusal(
        datasets.imagenet(tmp_path).__getitem__, 0
    )


def test_folders_without_the_split_or_an_image_are_refused(tmp_path):
    assert "holds no folder of a class" in refusal(datasets.imagenet, tmp_path)
    image_folder(tmp_path)
    assert "holds the split 'val', and no 'train'" in refusal(datasets.imagenet, tmp_path, split="train")
    (tmp_path / "val" / "n03").mkdir()
    assert "n03: the class has no image" in refusal(datasets.imagenet, tmp_path)


def image_zip(path, members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def small_zip(path):
    members = {
        "c/train/cat/1.png": png(2, 2, (0, 255, 0)),
        "c/test/dog/0.png": png(2, 2, (0, 0, 255)),
        "c/test/cat/1.png": png(2, 2, (0, 255, 0)),
        "c/test/cat/0.png": png(2, 2, (255, 0, 0)),
        "c/test/notes.txt": b"",
    }
    return image_zip(path, members)


@needs_real_data
def test_the_real_zip_holds_all_of_cifar_10():
    test = datasets.imagezip(real("cifar-10-jpeg.zip"))
    assert len(test) == 10_000
    assert test.class_names[::9] == ["airplane", "truck"]
    for index in (0, 9_999):
        image, label = test[index]
        assert (image.shape, label) == ((3, 32, 32), index // 1000)


def test_images_of_a_zip_are_in_the_order_of_their_names(tmp_path):
    dataset = datasets.imagezip(small_zip(tmp_path / "a.zip"), normalize="none")
    assert dataset.class_names == ["cat", "dog"]
    assert [(image[:, 0, 0].tolist(), label) for image, label in dataset] == [
        ([1, 0, 0], 0),
        ([0, 1, 0], 0),
        ([0, 0, 1], 1),
    ]
    assert len(datasets.imagezip(tmp_path / "a.zip", split="train")) == 1
    assert torch.equal(pickle.loads(pickle.dumps(dataset))[0][0], dataset[0][0])  # for a loader's workers
    assert datasets.imagezip(tmp_path / "a.zip", size=7)[0][0].shape == (3, 7, 7)


def test_a_wrong_zip_is_refused(tmp_path):
    path = small_zip(tmp_path / "a.zip")
    whole = path.read_bytes()
    assert "holds no image val/CLASS/NAME" in refusal(datasets.imagezip, path, split="val")
    for content in (b"", b"text", whole[:-10]):
        path.write_bytes(content)
        assert f"{path}: not a readable zip" in refusal(datasets.imagezip, path)
    damaged = bytearray(whole)
    damaged[whole.index(b"IDAT", whole.index(b"cat/0.png")) + 6] ^= 1
    path.write_bytes(damaged)
    assert f"{path}: 'c/test/cat/0.png': cannot be unpacked" in refusal(
        datasets.imagezip(path).__getitem__, 0
    )
    image_zip(path, {"test/cat/0.png": b"text"})
    assert f"{path}: 'test/cat/0.png': not a readable image" in refusal(
        datasets.imagezip(path).__getitem__, 0
    )
    assert "is a folder, not a zip" in refusal(datasets.imagezip, tmp_path)
