"""A disk that is really full: a file system in memory, small at first. Mounting needs root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


class Disk:
    """A mounted file system."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def grow(self) -> None:
        """Make room."""
        subprocess.run(["mount", "-o", "remount,size=64m", self._folder], check=True)


@contextmanager
def tiny_disk(folder: Path, kibibytes: int) -> Iterator[Disk]:
    """Put a disk of that size under the folder `reports`."""
    place = folder / "reports"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", place], check=True)
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", place], check=True)


def can_mount() -> bool:
    """Tell whether this process may mount a disk, by trying."""
    if os.geteuid() != 0:
        return False
    with TemporaryDirectory() as folder:
        try:
            with tiny_disk(Path(folder), 64):
                return True
        except (subprocess.CalledProcessError, FileNotFoundError):
            return False
