"""From an encoded image to bytes [3, H, W], by Pillow."""

from __future__ import annotations

import io
import warnings

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from qvm_verify.exits import InputError

MOST_PIXELS = 10**8  # ImageNet's largest has 61 million
MOST_PIXELS_A_BYTE = 2**14  # a PNG of one colour, 1 bit a pixel, has 8,256
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "PPM", "GIF")  # Pillow hands others to programs beside it
MARGIN = 256 / 224  # the standard evaluation scales the shorter side to 256 and takes 224 from its centre


def decode(name: str, content: bytes, size: int | None) -> Tensor:
    """Return an encoded image as uint8 [3, H, W]; grey becomes three equal channels.

    With `size`, the shorter side is scaled (bilinear, antialiased) to round(size · 256 / 224) and the centre
    [size, size] is cut out; without, the image stays as it is. Raises InputError, naming `name`, where
    Pillow cannot read the content to its end, or it claims more pixels than 10^8 or than it can hold.
    """
    try:
        with warnings.catch_warnings():
            # Of strange metadata, and of large images: MOST_PIXELS stands in for Pillow's own limit.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                pixels = f"{image.width} x {image.height} pixels"
                if image.width * image.height > MOST_PIXELS:
                    raise InputError(f"{name}: {pixels}, more than {MOST_PIXELS}")
                if image.width * image.height > MOST_PIXELS_A_BYTE * len(content):
                    raise InputError(f"{name}: {pixels} cannot be in {len(content)} bytes")
                colour = image.convert("RGB")
    except InputError:
        raise
    except Exception as error:  # Pillow's plugins document no list of errors
        raise InputError(f"{name}: not a readable image ({type(error).__name__})") from error
    if size is not None:
        colour = _centre(name, colour, size)
    return torch.from_numpy(np.array(colour).transpose(2, 0, 1).copy())


def _centre(name: str, image: Image.Image, size: int) -> Image.Image:
    short = round(size * MARGIN)
    width, height = image.size
    scaled = (short * width // min(width, height), short * height // min(width, height))
    if scaled[0] * scaled[1] > MOST_PIXELS:
        raise InputError(
            f"{name}: {width} x {height} pixels would become {scaled[0]} x {scaled[1]}, "
            f"more than {MOST_PIXELS} in all"
        )
    left, top = round((scaled[0] - size) / 2), round((scaled[1] - size) / 2)
    resized = image.resize(scaled, Image.Resampling.BILINEAR)
    return resized.crop((left, top, left + size, top + size))
