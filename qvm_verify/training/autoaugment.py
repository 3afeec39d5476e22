"""AutoAugment's policy for CIFAR-10, on bytes, by Pillow.

Cubuk, Zoph, Mané, Vasudevan, Le: "AutoAugment: Learning Augmentation Policies from Data", CVPR 2019; the
sub-policies are those of its table for CIFAR-10, the ranges those of its table of operations. Level k of
0 ... 9 divides a range evenly: shears up to 0.3, translations up to 150/331 of the side and rotations up to
30 degrees, each to either side by the toss of a coin; enhancements from 0.1 to 1.9; 8 to 4 bits of
posterization; solarization from 256 down to 0. What comes in from outside the image is grey (128).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from qvm_verify.exits import InputError

Picture = Image.Image

GREY = 128
TOP_LEVEL = 9

CIFAR10_POLICY: tuple[tuple[tuple[str, float, int], ...], ...] = (
    # each operation with its probability and its level
    (("invert", 0.1, 7), ("contrast", 0.2, 6)),
    (("rotate", 0.7, 2), ("translate_x", 0.3, 9)),
    (("sharpness", 0.8, 1), ("sharpness", 0.9, 3)),
    (("shear_y", 0.5, 8), ("translate_y", 0.7, 9)),
    (("auto_contrast", 0.5, 8), ("equalize", 0.9, 2)),
    (("shear_y", 0.2, 7), ("posterize", 0.3, 7)),
    (("color", 0.4, 3), ("brightness", 0.6, 7)),
    (("sharpness", 0.3, 9), ("brightness", 0.7, 9)),
    (("equalize", 0.6, 5), ("equalize", 0.5, 1)),
    (("contrast", 0.6, 7), ("sharpness", 0.6, 5)),
    (("color", 0.7, 7), ("translate_x", 0.5, 8)),
    (("equalize", 0.3, 7), ("auto_contrast", 0.4, 8)),
    (("translate_y", 0.4, 3), ("sharpness", 0.2, 6)),
    (("brightness", 0.9, 6), ("color", 0.2, 8)),
    (("solarize", 0.5, 2), ("invert", 0.0, 3)),
    (("equalize", 0.2, 0), ("auto_contrast", 0.6, 0)),
    (("equalize", 0.2, 8), ("equalize", 0.6, 4)),
    (("color", 0.9, 9), ("equalize", 0.6, 6)),
    (("auto_contrast", 0.8, 4), ("solarize", 0.2, 8)),
    (("brightness", 0.1, 3), ("color", 0.7, 0)),
    (("solarize", 0.4, 5), ("auto_contrast", 0.9, 3)),
    (("translate_y", 0.9, 9), ("translate_y", 0.7, 9)),
    (("auto_contrast", 0.9, 2), ("solarize", 0.8, 3)),
    (("equalize", 0.8, 8), ("invert", 0.1, 3)),
    (("translate_y", 0.7, 9), ("auto_contrast", 0.9, 1)),
)


def autoaugment(image: Tensor, random: Random) -> Tensor:
    """Return uint8 [C, H, W] after one of the 25 sub-policies, drawn with equal chances.

    Raises InputError unless the image is of bytes, in one channel or three.
    """
    if image.dtype != torch.uint8 or image.dim() != 3 or image.shape[0] not in (1, 3):
        raise InputError(
            f"AutoAugment is defined on bytes in 1 or 3 channels, not on {image.dtype} {list(image.shape)}"
        )
    picture = picture_of(image)
    for operation, probability, level in CIFAR10_POLICY[random.randrange(len(CIFAR10_POLICY))]:
        if random.random() < probability:
            picture = OPERATIONS[operation](picture, level, random)
    return bytes_of(picture)


def picture_of(image: Tensor) -> Picture:
    """Return uint8 [C, H, W] as a picture of Pillow."""
    return Image.fromarray((image[0] if len(image) == 1 else image.permute(1, 2, 0)).contiguous().numpy())


def bytes_of(picture: Picture) -> Tensor:
    """Return a picture of Pillow as uint8 [C, H, W]."""
    pixels = torch.from_numpy(np.array(picture))
    return pixels.unsqueeze(0) if pixels.dim() == 2 else pixels.permute(2, 0, 1).contiguous()


def _signed(largest: float, level: int, random: Random) -> float:
    return largest * level / TOP_LEVEL * random.choice((-1, 1))


def _affine(
    picture: Picture, *, x_of_y: float = 0.0, y_of_x: float = 0.0, right: float = 0.0, down: float = 0.0
) -> Picture:
    """Take the pixel at (x, y) from (x + x_of_y · y + right, y_of_x · x + y + down)."""
    fill = GREY if picture.mode == "L" else (GREY,) * 3
    matrix = (1.0, x_of_y, right, y_of_x, 1.0, down)
    return picture.transform(picture.size, Image.Transform.AFFINE, matrix, fillcolor=fill)


def _rotated(picture: Picture, degrees: float) -> Picture:
    return picture.rotate(degrees, fillcolor=GREY if picture.mode == "L" else (GREY,) * 3)


def _factor(level: int) -> float:
    return 0.1 + 1.8 * level / TOP_LEVEL


OPERATIONS: dict[str, Callable[[Picture, int, Random], Picture]] = {
    "shear_x": lambda p, k, random: _affine(p, x_of_y=_signed(0.3, k, random)),
    "shear_y": lambda p, k, random: _affine(p, y_of_x=_signed(0.3, k, random)),
    "translate_x": lambda p, k, random: _affine(p, right=_signed(150 / 331 * p.width, k, random)),
    "translate_y": lambda p, k, random: _affine(p, down=_signed(150 / 331 * p.height, k, random)),
    "rotate": lambda p, k, random: _rotated(p, _signed(30, k, random)),
    "auto_contrast": lambda p, k, random: ImageOps.autocontrast(p),
    "invert": lambda p, k, random: ImageOps.invert(p),
    "equalize": lambda p, k, random: ImageOps.equalize(p),
    "solarize": lambda p, k, random: ImageOps.solarize(p, round(256 - 256 * k / TOP_LEVEL)),
    "posterize": lambda p, k, random: ImageOps.posterize(p, round(8 - 4 * k / TOP_LEVEL)),
    "contrast": lambda p, k, random: ImageEnhance.Contrast(p).enhance(_factor(k)),
    "color": lambda p, k, random: ImageEnhance.Color(p).enhance(_factor(k)),
    "brightness": lambda p, k, random: ImageEnhance.Brightness(p).enhance(_factor(k)),
    "sharpness": lambda p, k, random: ImageEnhance.Sharpness(p).enhance(_factor(k)),
}
