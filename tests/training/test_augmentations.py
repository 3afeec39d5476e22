from random import Random

import pytest
import torch

from qvm_verify.exits import InputError
from qvm_verify.training import autoaugment as policies
from qvm_verify.training.augmentations import augment, crop, cutout, flip, random_for
from qvm_verify.training.images import TrainingImages


def byte_image(channels=3, height=32, width=32, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (channels, height, width), generator=random, dtype=torch.uint8)


class Centre:
    """Random numbers that are given."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def randrange(self, end):
        number = self.numbers.pop(0)
        assert 0 <= number < end
        return number


@pytest.mark.parametrize(
    ("row", "column", "area"),
    [(16, 16, 256), (8, 24, 256), (0, 0, 64), (31, 31, 81), (0, 16, 128), (16, 31, 144)],
)
def test_cutout_cuts_the_exact_square_less_what_lies_outside(row, column, area):
    cut = cutout(torch.ones(3, 32, 32), Centre(row, column))
    assert (cut == 0).sum(dim=(1, 2)).tolist() == [area] * 3
    assert cut[:, row, column].eq(0).all()
    assert cut.unique().tolist() == [0, 1]


def test_cutout_leaves_the_image_it_was_given():
    image = torch.ones(1, 8, 8)
    cutout(image, Random(0))
    assert image.eq(1).all()


def test_a_crop_is_a_shift_by_at_most_an_eighth():
    image = byte_image(height=32, width=32) // 2 + 1  # no zeros but those around it
    shifts = set()
    for seed in range(300):
        cropped = crop(image, Random(seed))
        assert cropped.shape == image.shape
        found = [
            (down, right)
            for down in range(-4, 5)
            for right in range(-4, 5)
            if torch.equal(cropped, shifted(image, down, right))
        ]
        assert len(found) == 1
        shifts.update(found)
    assert {down for down, _ in shifts} == {right for _, right in shifts} == set(range(-4, 5))


def shifted(image, down, right):
    out = torch.zeros_like(image)
    height, width = image.shape[-2:]
    rows = slice(max(down, 0), height + min(down, 0)), slice(max(-down, 0), height - max(down, 0))
    columns = slice(max(right, 0), width + min(right, 0)), slice(max(-right, 0), width - max(right, 0))
    out[:, rows[0], columns[0]] = image[:, rows[1], columns[1]]
    return out


def test_a_flip_happens_half_the_time():
    image = byte_image()
    flipped = sum(torch.equal(flip(image, Random(seed)), image.flip(-1)) for seed in range(400))
    assert 150 < flipped < 250


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("policy", range(25))
def test_every_sub_policy_keeps_shape_and_bytes(policy, channels, monkeypatch):
    image = byte_image(channels, height=32, width=24)
    always = tuple((operation, 1.0, level) for operation, _, level in policies.CIFAR10_POLICY[policy])
    monkeypatch.setattr(policies, "CIFAR10_POLICY", (always,))
    changed = policies.autoaugment(image, Random(policy))
    assert (changed.shape, changed.dtype) == (image.shape, torch.uint8)
    assert torch.equal(policies.autoaugment(image, Random(policy)), changed)


def test_the_policy_has_the_paper_s_form():
    assert len(policies.CIFAR10_POLICY) == 25
    for sub_policy in policies.CIFAR10_POLICY:
        assert len(sub_policy) == 2
        for operation, probability, level in sub_policy:
            assert operation in policies.OPERATIONS
            assert 0 <= probability <= 1
            assert level in range(10)


def applied(operation, level, image, seed=0):
    return policies.bytes_of(policies.OPERATIONS[operation](policies.picture_of(image), level, Random(seed)))


def test_the_operations_do_what_their_names_say():
    image = byte_image()
    assert torch.equal(applied("invert", 0, image), 255 - image)
    assert torch.equal(applied("posterize", 9, image), image & 0xF0)
    assert torch.equal(applied("posterize", 0, image), image)
    assert torch.equal(applied("solarize", 0, image), image)
    assert torch.equal(applied("solarize", 9, image), 255 - image)
    for operation in ("rotate", "shear_x", "shear_y", "translate_x", "translate_y"):
        assert torch.equal(applied(operation, 0, image), image)
    half = applied("brightness", 2, image)  # 0.1 + 1.8 * 2 / 9 = 0.5
    assert (half.int() - image.int() // 2).abs().max() <= 1
    up, down = (applied("translate_y", 9, image, seed) for seed in (0, 1))
    wide = {
        bool(part[:, rows].eq(128).all()) for part in (up, down) for rows in (slice(14), slice(-14, None))
    }
    assert wide == {True, False}


def test_autoaugment_refuses_what_is_not_bytes():
    for wrong in (torch.ones(3, 8, 8), byte_image(2)):
        with pytest.raises(InputError, match="AutoAugment is defined on bytes in 1 or 3 channels"):
            policies.autoaugment(wrong, Random(0))


def test_the_random_numbers_of_an_image_are_its_own():
    numbers = {random_for(*key).random() for key in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (0, 1, 11), (0, 11, 1)]}
    assert len(numbers) == 5
    assert random_for(3, 4, 5).random() == 0.17377331663813622  # on every machine


class Pictures(torch.utils.data.Dataset):
    """Bytes that are normalized by an attribute, as the image datasets do it."""

    def __init__(self):
        self.pixels = torch.stack([byte_image(seed=seed) for seed in range(6)])
        self.reads = 0

    def normalize(self, pixels):
        return (pixels.float() - 100) / 50

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, index):
        self.reads += 1
        return self.normalize(self.pixels[index]), index


def test_images_are_decoded_once_kept_as_bytes_and_normalized_after():
    data = Pictures()
    plain = TrainingImages(torch.utils.data.Subset(data, [4, 2]))
    assert plain._kept[0].dtype == torch.uint8
    assert torch.equal(plain[0][0], data[4][0])
    assert (plain[0][1], plain[1][1], len(plain)) == (4, 2, 2)
    cut = TrainingImages(data, augmentations=("cutout",))
    assert all((cut[index][0] == 0).sum() >= 3 * 64 for index in range(6))  # zero is the mean, after it
    TrainingImages(data, augmentations=("autoaugment",))[0]
    assert torch.equal(data[0][0], data.normalize(data.pixels[0]))  # the dataset itself is as it was


def test_all_augmentations_together_make_a_network_s_input():
    image = augment(byte_image(), ("cutout", "autoaugment", "flip", "crop"), lambda x: x.float(), Random(1))
    assert (image.shape, image.dtype, image.is_contiguous()) == ((3, 32, 32), torch.float32, True)
