"""Images in memory as bytes, and how bytes become what a network takes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

NORMALIZATIONS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    # name: (mean, standard deviation) of each channel, for pixels in [0, 1]
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),  # over all its training pixels
    "cifar100": (  # over all its training pixels
        (129.3 / 255, 124.1 / 255, 112.4 / 255),
        (68.2 / 255, 65.4 / 255, 70.4 / 255),
    ),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    # The QCFS family divides CIFAR-10 by the mean of the single images' deviations.
    "qcfs": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    "mnist": ((0.1307,), (0.3081,)),
}
COLOUR = ("cifar10", "cifar100", "imagenet", "qcfs", "none")
GREY = ("mnist", "none")


class Normalize:
    """Bytes to float32: x / 255, then (x - mean) / std of each channel, in this order.

    "none" stops at x / 255. Raises KeyError for a name that NORMALIZATIONS lacks.
    """

    def __init__(self, name: str) -> None:
        mean, std = ((0.0,), (1.0,)) if name == "none" else NORMALIZATIONS[name]
        self._mean = torch.tensor(mean).reshape(-1, 1, 1)
        self._std = torch.tensor(std).reshape(-1, 1, 1)

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return uint8 `pixels` [..., C, H, W] as the float32 input of a network."""
        return pixels.to(torch.float32).div_(255).sub_(self._mean).div_(self._std)


class ImageArray(Dataset[tuple[Tensor, int]]):
    """Images held as uint8 [N, C, H, W]; an item is (float32 [C, H, W], label), made when it is asked for."""

    def __init__(
        self, pixels: NDArray[np.uint8], labels: NDArray[np.int64], *, classes: int, normalize: str
    ) -> None:
        self.pixels = torch.from_numpy(pixels)
        self.labels = torch.from_numpy(labels)
        self.classes = classes
        self.normalize = Normalize(normalize)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return (image, label)."""
        return self.normalize(self.pixels[index]), int(self.labels[index])
