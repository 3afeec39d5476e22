"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qvm_verify.exits import InputError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to; rename it to `path` when the block ends well.

    Whoever looks at `path` meanwhile sees what was there before. Raises InputError where the folder
    cannot be made or written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        ensure_folder(path.parent)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
    except RuntimeError as error:  # so PyTorch calls a file that it cannot open, and a full disk
        raise InputError(f"{path}: cannot be written ({str(error).splitlines()[0]})") from error
    finally:
        # A folder that could not be made makes even the look for left-overs fail.
        if temporary.parent.is_dir():
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears whole. Raises InputError where the folder cannot be written."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def ensure_folder(folder: Path) -> None:
    """Make a folder and its parents. Raises InputError where that cannot be or it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: no folder can be made there ({error.strerror or error})") from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder}: the folder cannot be written")
