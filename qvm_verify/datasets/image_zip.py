"""Images in a zip of class folders, read in place: CIFAR-10 as JPEG is spread in this form."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from qvm_verify.datasets.decoding import decode
from qvm_verify.datasets.images import Normalize
from qvm_verify.exits import InputError
from qvm_verify.zips import opened, read_member

SUFFIXES = (".jpg", ".jpeg", ".png")
LARGEST_MEMBER = 2**26  # bytes of one image once unpacked


class ImageZip(Dataset[tuple[Tensor, int]]):
    """Images [3, H, W] of the members `.../SPLIT/CLASS/NAME` of a zip, unpacked when they are asked for.

    Classes and images are sorted by name, whatever the order in the zip; for CIFAR-10 that is the official
    numbering of classes. An item raises InputError, naming zip and member, where it is no image or its
    checksum differs.
    """

    def __init__(self, path: Path, *, split: str, size: int | None, normalize: str) -> None:
        self.path = path
        self._opened: tuple[int, zipfile.ZipFile] | None = None
        members = [
            (place.parent.name, name)
            for name in self._zip().namelist()
            if (place := PurePosixPath(name)).suffix.lower() in SUFFIXES and place.parent.parent.name == split
        ]
        if not members:
            raise InputError(f"{path}: holds no image {split}/CLASS/NAME{{{','.join(SUFFIXES)}}}")
        self.class_names = sorted({name for name, _ in members})
        self.classes = len(self.class_names)
        number = {name: label for label, name in enumerate(self.class_names)}
        self.members = [(member, number[name]) for name, member in sorted(members)]
        self._size = size
        self.normalize = Normalize(normalize)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.members)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return (image, label)."""
        member, label = self.members[index]
        return self.normalize(decode(f"{self.path}: {member!r}", self._read(member), self._size)), label

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: everything but the open file."""
        return {**self.__dict__, "_opened": None}

    def _read(self, member: str) -> bytes:
        return read_member(self.path, self._zip(), member, LARGEST_MEMBER)

    def _zip(self) -> zipfile.ZipFile:
        """Return the zip, opened once in each process: a forked one must not share the place in the file."""
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), opened(self.path))
        return self._opened[1]


def imagezip(
    path: str | Path, *, split: str = "test", size: int | None = None, normalize: str = "cifar10"
) -> ImageZip:
    """Return the images of one split of a zip of class folders, normalized as CIFAR-10 unless told otherwise.

    Without `size` all images must have one size, or no batch of two can be made. Raises InputError where
    the file is missing, no zip, or holds no image of the split.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder, not a zip' if path.is_dir() else 'no such file'}")
    return ImageZip(path, split=split, size=size, normalize=normalize)
