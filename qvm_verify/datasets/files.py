"""Folders and files as a user gives them, each complaint with the path."""

from __future__ import annotations

import stat
from pathlib import Path

from qvm_verify.exits import InputError

LARGEST = 2**30  # bytes of a file that is read whole: seven times the largest official one


def is_whole_number(text: str) -> bool:
    """Return whether `text` is 1 to 19 ASCII digits: a number from 0 that int() takes as it is."""
    return text.isascii() and text.isdigit() and len(text) < 20


def folder_at(path: str | Path) -> Path:
    """Return `path` as a folder. Raises InputError where there is none."""
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path}: {'is a file, not a folder' if path.is_file() else 'no such folder'}")
    return path


def read_whole(path: Path) -> bytes:
    """Return the bytes of a file. Raises InputError where it is missing, unreadable or beyond 1 GiB."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: is no file")
        if status.st_size > LARGEST:
            raise InputError(f"{path}: {status.st_size} bytes, and files up to {LARGEST} are read")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def listed(folder: Path) -> list[Path]:
    """Return what a folder holds, sorted by name; what begins with a dot is not part of a dataset.

    Raises InputError where the folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror or error})") from error
