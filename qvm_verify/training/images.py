"""A dataset as training reads it: decoded once, and augmented anew in every epoch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sized
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset

from qvm_verify.exits import InputError
from qvm_verify.training.augmentations import augment, random_for

MEMORY = 2**31
"""Bytes of images that are kept; a larger dataset is read from its files in every epoch."""


class TrainingImages(Dataset[tuple[Tensor, int]]):
    """(image, label) of a dataset, augmented by random numbers of `seed`, `epoch` and the index.

    Where the dataset turns bytes into network inputs by its attribute `normalize`, the images are kept as
    bytes, and augmented as bytes. Raises InputError for a dataset of unknown length.
    """

    def __init__(self, dataset: Dataset[Any], *, augmentations: tuple[str, ...] = (), seed: int = 0) -> None:
        if not isinstance(dataset, Sized):
            raise InputError("training needs a dataset of known length")
        self.epoch = 1
        self._seed = seed
        self._augmentations = augmentations
        self._images = len(dataset)
        self._source, self._normalize = _as_bytes(dataset)
        self._kept: tuple[Tensor, list[int]] | None = None
        if self._images:
            first, _ = self._source[0]
            if first.numel() * first.element_size() * self._images <= MEMORY:
                self._kept = self._read(first)

    def __len__(self) -> int:
        """Return the number of images."""
        return self._images

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return (image, label) as the network takes them in this epoch."""
        if self._kept is None:
            image, label = self._source[index]
        else:
            images, labels = self._kept
            image, label = images[index], labels[index]
        random = random_for(self._seed, self.epoch, index)
        return augment(image, self._augmentations, self._normalize, random), int(label)

    def _read(self, first: Tensor) -> tuple[Tensor, list[int]]:
        """Return all images and their labels, read once."""
        images = torch.empty(self._images, *first.shape, dtype=first.dtype)
        labels = []
        for index in range(self._images):
            image, label = self._source[index]
            if image.shape != first.shape:
                raise InputError(
                    f"image {index} has shape {list(image.shape)}, the first one {list(first.shape)}"
                )
            images[index] = image
            labels.append(int(label))
        return images, labels


def _as_bytes(dataset: Any) -> tuple[Any, Callable[[Tensor], Tensor] | None]:
    """Return a dataset whose items are not normalized, and what normalizes them, None where unknown."""
    if isinstance(dataset, Subset):
        inner, normalize = _as_bytes(dataset.dataset)
        return Subset(inner, dataset.indices), normalize
    normalize = getattr(dataset, "normalize", None)
    if normalize is None:
        return dataset, None
    dataset = copy.copy(dataset)
    dataset.normalize = _unchanged
    return dataset, normalize


def _unchanged(image: Tensor) -> Tensor:
    return image
