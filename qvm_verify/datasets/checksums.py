"""MD5 sums of official files, where they are published for the files and not only for the archives.

Nothing is ever downloaded. A sample in an official layout is welcome, so a sum that differs is an error only
for who asks: `?verify=official`.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

from qvm_verify.datasets.files import read_whole
from qvm_verify.exits import InputError

MD5 = {
    # CIFAR-10 and CIFAR-100, python version: the sums that torchvision checks.
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "train": "16019d7e3df5f24257cddd939b257f8d",
    "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
    # MNIST, uncompressed: gzip stores names and times, so archives of the same digits differ.
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
VERIFY = ("nothing", "official")


def official(path: str | Path) -> bool | None:
    """Return whether a file is the official one of its name; None where no sum is published for that name.

    A `.gz` is judged by its content. Raises InputError where the file cannot be read.
    """
    path = Path(path)
    wanted = MD5.get(path.name.removesuffix(".gz"))
    if wanted is None:
        return None
    return _md5(path) == wanted


def require_official(path: Path, verify: str) -> None:
    """Raise InputError unless `verify` is "nothing" or the file is the official one."""
    if verify == "nothing":
        return
    known = official(path)
    if known is None:
        raise InputError(f"{path}: no official checksum is published for this file, only for its archive")
    if not known:
        wanted = MD5[path.name.removesuffix(".gz")]
        raise InputError(f"{path}: the MD5 of its content is {_md5(path)}, and of the official file {wanted}")


def _md5(path: Path) -> str:
    if path.suffix != ".gz":
        return hashlib.md5(read_whole(path), usedforsecurity=False).hexdigest()
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with gzip.open(path, "rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a readable gzip file (truncated, or of another kind)") from error
    return digest.hexdigest()
