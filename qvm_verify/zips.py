"""Zip files of strangers: what a member claims to become is held against what can be in the file."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from pathlib import Path

from qvm_verify.exits import InputError

BROKEN = (  # what zipfile raises for a damaged, encrypted or exotic file
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError),
    *(RuntimeError, LookupError, ValueError, OverflowError),
)
DEFLATED = 1032  # times, at most, is what deflate unpacks to


def member_size(path: Path, archive: zipfile.ZipFile, name: str) -> int:
    """Return the bytes of a member once unpacked, of which no more are claimed than can be there.

    Raises InputError where they are, or where the member is packed in another way than by deflate, and
    KeyError where there is none of that name.
    """
    info = archive.getinfo(name)
    most = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: DEFLATED}.get(info.compress_type)
    if most is None:
        raise InputError(f"{path}: {name!r}: is packed by the method {info.compress_type}, which is not read")
    there = path.stat().st_size
    if info.compress_size > there or info.file_size > most * info.compress_size:
        raise InputError(
            f"{path}: {name!r}: claims {info.file_size} bytes, packed into {info.compress_size}, "
            f"and the file has {there}"
        )
    return info.file_size


def read_member(path: Path, archive: zipfile.ZipFile, name: str, largest: int = 2**63) -> bytes:
    """Return a member's content, of up to `largest` bytes. Raises InputError where it cannot be unpacked."""
    try:
        size = member_size(path, archive, name)
        if size > largest:
            raise InputError(f"{path}: {name!r}: {size} bytes, and up to {largest} are read")
        return archive.read(name)
    except InputError:
        raise
    except BROKEN as error:
        raise InputError(f"{path}: {name!r}: cannot be unpacked ({_first(error)})") from error


def opened(path: Path, what: str = "zip") -> zipfile.ZipFile:
    """Return the zip. Raises InputError, calling it `what`, where it is none, or has a name twice."""
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN as error:
        raise InputError(f"{path}: not a readable {what} (truncated, or of another kind)") from error
    if len(set(archive.namelist())) != len(archive.namelist()):
        archive.close()
        raise InputError(f"{path}: not a readable {what} (it has two members of one name)")
    return archive


def _first(error: Exception) -> str:
    return " ".join(str(error).split())[:80]
