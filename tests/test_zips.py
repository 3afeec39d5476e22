"""Members of zip files: what is taken out, and what is refused before it is."""

import zipfile

import pytest

from qvm_verify.exits import InputError
from qvm_verify.zips import read_member


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as new:
        new.writestr("deflated", b"12345", zipfile.ZIP_DEFLATED)
        new.writestr("packed otherwise", b"12345", zipfile.ZIP_BZIP2)
    return path


def read(path, name, **limit):
    with zipfile.ZipFile(path) as opened:
        return read_member(path, opened, name, **limit)


def test_a_member_of_the_largest_size_is_read_and_a_larger_one_refused(archive):
    assert read(archive, "deflated", largest=5) == b"12345"
    with pytest.raises(InputError, match="5 bytes, and up to 4 are read"):
        read(archive, "deflated", largest=4)


def test_a_member_packed_by_another_method_is_refused(archive):
    with pytest.raises(InputError, match="is packed by the method 12, which is not read"):
        read(archive, "packed otherwise")
