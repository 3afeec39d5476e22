import pytest

from qvm_verify.exits import InputError
from qvm_verify.whole_files import ensure_folder, written_whole


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_appears_when_its_block_ends_and_not_before(tmp_path):
    path = tmp_path / "new" / "file"
    with written_whole(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert names(path.parent) == ["file"]


def test_a_reader_sees_the_older_file_while_the_newer_one_is_written(tmp_path):
    path = tmp_path / "file"
    path.write_text("older")
    with written_whole(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "older"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt()])
def test_a_block_that_fails_half_way_leaves_the_older_file_and_nothing_else(error, tmp_path):
    path = tmp_path / "file"
    path.write_text("older")

    def write():
        with written_whole(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert path.read_text() == "older"
    assert names(tmp_path) == ["file"]


def test_an_error_of_the_disk_becomes_one_sentence_that_names_the_file(tmp_path):
    def write():
        with written_whole(tmp_path / "file") as temporary:
            temporary.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"file: cannot be written \(No space left on device\)"):
        write()
    assert names(tmp_path) == []


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(InputError, match="no folder can be made"):
            ensure_folder(path)
