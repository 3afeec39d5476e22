"""Random crop, flip, AutoAugment and Cutout: each a function of the image and of its own random numbers.

An image's numbers follow from the seed, the epoch and its place in the data. So they are the same whichever
process loads it, in whatever order, and after a run was killed and resumed.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from torch import Tensor
from torch.nn import functional as F

from qvm_verify.training.autoaugment import autoaugment

AUGMENTATIONS = ("crop", "flip", "autoaugment", "cutout")
"""In the order in which they are applied; Cutout after normalization, so that its square is the mean."""


def random_for(seed: int, epoch: int, index: int | str) -> Random:
    """Return the random numbers of one image, or of what else a name stands for, in one epoch."""
    return Random(f"{seed}/{epoch}/{index}")  # a string is hashed by SHA-512, the same everywhere


def crop(image: Tensor, random: Random) -> Tensor:
    """Return [C, H, W] cut from the image with an eighth of its sides in zeros around it (4 of 32 pixels)."""
    height, width = image.shape[-2:]
    above, left = height // 8, width // 8
    top, start = random.randint(0, 2 * above), random.randint(0, 2 * left)
    padded = F.pad(image, (left, left, above, above))
    return padded[..., top : top + height, start : start + width]


def flip(image: Tensor, random: Random) -> Tensor:
    """Return [C, H, W], mirrored left to right at the toss of a coin."""
    return image.flip(-1) if random.random() < 0.5 else image


def cutout(image: Tensor, random: Random) -> Tensor:
    """Return a copy of [C, H, W] with zeros in a square of half its shorter side (16 of 32 pixels).

    The centre is any pixel, so the square may reach over the edge (DeVries & Taylor, "Improved
    Regularization of Convolutional Neural Networks with Cutout", 2017).
    """
    height, width = image.shape[-2:]
    side = min(height, width) // 2
    top, left = random.randrange(height) - side // 2, random.randrange(width) - side // 2
    image = image.clone()
    image[..., max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = 0
    return image


BEFORE_NORMALIZATION: dict[str, Callable[[Tensor, Random], Tensor]] = {
    "crop": crop,
    "flip": flip,
    "autoaugment": autoaugment,
}
AFTER_NORMALIZATION: dict[str, Callable[[Tensor, Random], Tensor]] = {"cutout": cutout}


def augment(
    image: Tensor, names: tuple[str, ...], normalize: Callable[[Tensor], Tensor] | None, random: Random
) -> Tensor:
    """Return an image as the network takes it, after the augmentations `names`.

    `normalize` makes float32 of bytes [C, H, W]; None where the image is in the network's units already.
    """
    for name, step in BEFORE_NORMALIZATION.items():
        if name in names:
            image = step(image, random)
    if normalize is not None:
        image = normalize(image)
    for name, step in AFTER_NORMALIZATION.items():
        if name in names:
            image = step(image, random)
    return image.contiguous()
