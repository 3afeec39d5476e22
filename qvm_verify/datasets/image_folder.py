"""ImageNet, and whatever else keeps its images in one folder for each class."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.utils.data import Dataset

from qvm_verify.datasets.decoding import decode
from qvm_verify.datasets.files import folder_at, listed, read_whole
from qvm_verify.datasets.images import Normalize
from qvm_verify.exits import InputError

SPLITS = ("val", "train")


class ImageFolder(Dataset[tuple[Tensor, int]]):
    """Images [3, size, size] of the files `CLASS/*`, opened only when they are asked for.

    A label is the place of its class among the folders that are there, sorted by name: the official number
    only where all classes are. The order is that of the sorted file names. An item raises InputError, naming
    the file, where it is no image.
    """

    def __init__(self, folder: Path, *, size: int | None, normalize: str) -> None:
        self.class_names = [path.name for path in listed(folder) if path.is_dir()]
        self.classes = len(self.class_names)
        self.files: list[tuple[Path, int]] = []
        for label, name in enumerate(self.class_names):
            files = listed(folder / name)
            if not files:
                raise InputError(f"{folder / name}: the class has no image")
            self.files += [(file, label) for file in files]
        if not self.files:
            raise InputError(f"{folder}: holds no folder of a class")
        self._size = size
        self.normalize = Normalize(normalize)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return (image, label)."""
        path, label = self.files[index]
        return self.normalize(decode(str(path), read_whole(path), self._size)), label


def imagenet(
    path: str | Path, *, split: str = "val", size: int = 224, normalize: str = "imagenet"
) -> ImageFolder:
    """Return the images of `path`/`split`/nXXXXXXXX/*, or of `path`/nXXXXXXXX/*, as [3, size, size].

    The shorter side is scaled to size · 256 / 224 and the centre taken. Raises InputError where the folder
    is missing, holds another split only, or a class without an image.
    """
    folder = folder_at(path)
    if (folder / split).is_dir():
        return ImageFolder(folder / split, size=size, normalize=normalize)
    others = [name for name in SPLITS if (folder / name).is_dir()]
    if others:
        raise InputError(f"{folder}: holds the split {others[0]!r}, and no {split!r}")
    return ImageFolder(folder, size=size, normalize=normalize)
