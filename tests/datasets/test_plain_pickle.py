import os
import pickle
import struct
import subprocess
import tracemalloc

import numpy as np
import pytest

from qvm_verify import plain_pickle
from qvm_verify.datasets.plain_pickle import load_plain
from tests.datasets.files import put, refusal


class Calls:
    """Pickled, it calls a function on arguments."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def written(tmp_path, content, protocol=2):
    raw = content if isinstance(content, bytes) else pickle.dumps(content, protocol=protocol)
    return put(tmp_path / "batch", raw)


@pytest.mark.parametrize("protocol", range(5))
def test_arrays_and_plain_containers_come_back_as_they_were(protocol, tmp_path):
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    content = {
        "a": array,
        "fortran": np.asfortranarray(array),
        "big": array.astype(">i4"),
        "again": [
            array.shape,
            1,
            -5,
            2**40,
            1.5,
            None,
            True,
            "text",
            "é",
            b"bytes",
            {},
            [],
            (),
            {"x": [1, 2]},
        ],
    }
    back = load_plain(written(tmp_path, content, protocol))
    for name in ("a", "fortran", "big"):
        assert np.array_equal(back[name], content[name])
        assert back[name].dtype == content[name].dtype
    assert back["again"] == content["again"]


def test_text_of_python_2_is_read_as_the_official_files_have_it(tmp_path):
    # protocol 2 of Python 2: a str is SHORT_BINSTRING 'U', also as the array's bytes
    raw = (
        b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b"
        b"\x87Rq\x05(K\x01K\x01K\x03\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x03\x00\x80\xfftbU\x06labelsq\x08]q\x09K\x05au."
    )
    back = load_plain(written(tmp_path, raw))
    assert back["data"].tolist() == [[0, 128, 255]]
    assert back["labels"] == [5]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "function",
    [os.system, eval, exec, open, getattr, subprocess.Popen, np.load, np.empty],
    ids=lambda f: f.__name__,
)
def test_nothing_that_a_pickle_names_is_ever_called(function, protocol, tmp_path):
    target = tmp_path / "touched"
    path = written(tmp_path, {"data": Calls(function, f"touch {target}")}, protocol)
    message = refusal(load_plain, path)
    assert function.__name__ in message
    assert f"{path}: the pickle names" in message
    assert "at byte" in message
    assert not target.exists()


@pytest.mark.parametrize(
    "content",
    [
        np.array([{}], dtype=object),
        np.array(["text"]),
        np.array([1], dtype="M8[s]"),
        np.array([(1, 2)], dtype="i4,i4"),
        np.array([1 + 2j]),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_of_anything_but_real_numbers_are_refused(content, tmp_path):
    assert "is refused" in refusal(load_plain, written(tmp_path, {"data": content}))


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
U1 = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"


def array_of(shape, raw):
    """Return the opcodes of an array that claims `shape`, and holds `raw`."""
    sides = b"".join(pickle.dumps(side, protocol=2)[2:-1] for side in shape)
    content = b"T" + struct.pack("<i", len(raw)) + raw
    return RECONSTRUCT + b"K\x00\x85U\x01b\x87R(K\x01(" + sides + b"t" + U1 + b"\x89" + content + b"tb"


def in_dict(opcodes):
    return b"\x80\x02}U\x04data" + opcodes + b"s."


def test_the_array_of_the_hostile_tests_is_otherwise_well_formed(tmp_path):
    back = load_plain(written(tmp_path, in_dict(array_of((2, 3), b"abcdef"))))
    assert back["data"].tobytes() == b"abcdef"


HOSTILE = {
    "an array of 2^40 elements": in_dict(array_of((2**20, 2**20), b"abc")),
    "an array of 2^400 elements": in_dict(array_of((2**200, 2**200), b"abc")),
    "an array of no elements that is wide": in_dict(array_of((0, 2**63), b"")),
    "an array of a million sides": in_dict(array_of((2**60,) * 200_000, b"abc")),
    "an array of a negative side": in_dict(array_of((-1, 3), b"abc")),
    "an empty array of 2^40 elements before any content": in_dict(
        RECONSTRUCT + b"\x8a\x06" + (2**40).to_bytes(6, "little") + b"\x85U\x01b\x87R"
    ),
    "bytes of 2^40": b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc",
    "text of 2^31 - 1": b"\x80\x02T" + struct.pack("<i", 2**31 - 1) + b"abc",
    "a number of 2^31 - 1 bytes": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"abc",
    "a text number of a million digits": b"I" + b"9" * 1_000_000 + b"\n.",
    "copies of copies": b"\x80\x02(c_codecs\nencode\nq\x00X"
    + struct.pack("<I", 100_000)
    + b"a" * 100_000
    + b"q\x01"
    + b"h\x00h\x01X\x06\x00\x00\x00latin1\x86R" * 20_000
    + b"t.",
    "an unhashable key": b"\x80\x02}]]s.",
    "numbers for keys, all of one hash": b"\x80\x02}("
    + b"".join(b"\x8a\x0a" + (place * (2**61 - 1)).to_bytes(10, "little") + b"N" for place in range(20_000))
    + b"u.",
    "places in the memo, all of one hash": b"\x80\x02N"
    + b"".join(b"p%d\n" % (place * (2**61 - 1)) for place in range(1, 20_000))
    + b".",
    "a long name": b"\x80\x02c" + b"a" * 100_000 + b"\nb\n.",
    "a tuple for a key": b"\x80\x02}))s.",
    "an opcode that no container needs": b"\x80\x02}0.",
    "a persistent id": b"\x80\x02Pname\n.",
    "an object": b"\x80\x02(ios\nsystem\n.",
    "an extension": b"\x80\x02\x82\x01.",
    "an encoding of another codec": b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R.",
    "a class for a state": b"\x80\x02}}b.",
    "bytes of a length": b"\x80\x02c__builtin__\nbytes\nJ\xff\xff\xff\x7f\x85R.",
    "a memo never written": b"\x80\x02h\x05.",
    "no mark": b"\x80\x02t.",
    "an empty stack": b"\x80\x02.",
    "nothing": b"",
    "text": b"hello, world",
    "an escape in a name": b"\x80\x02cnumpy\\s\nndarray\n.",
    "a list": b"\x80\x02].",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_or_corrupt_pickle_is_refused_in_one_sentence(raw, tmp_path):
    path = written(tmp_path, raw)
    message = refusal(load_plain, path)
    assert str(path) in message
    assert len(message) < 400


@pytest.mark.parametrize(("shape", "claimed"), [((2**20, 2**20), 2**40), ((2, 2), 4), ((1, 2), 2), ((0,), 0)])
def test_an_array_must_have_exactly_the_bytes_that_it_claims(shape, claimed, tmp_path):
    message = refusal(load_plain, written(tmp_path, in_dict(array_of(shape, b"abc"))))
    assert f"claims an array of {claimed} bytes, holds 3 of them" in message


def test_more_opcodes_than_any_batch_needs_are_refused(tmp_path, monkeypatch):
    path = written(tmp_path, {"labels": [1] * 100})
    assert load_plain(path)["labels"] == [1] * 100
    monkeypatch.setattr(plain_pickle, "MOST_OPCODES", 50)
    assert "has more than 50 opcodes at byte" in refusal(load_plain, path)


def test_a_high_place_in_the_memo_and_a_long_frame_cost_nothing(tmp_path):
    assert load_plain(written(tmp_path, b"\x80\x02}r" + struct.pack("<I", 2**32 - 1) + b".")) == {}
    assert load_plain(written(tmp_path, b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"}.")) == {}


def test_what_a_pickle_claims_takes_no_memory(tmp_path):
    for name in ("an array of 2^40 elements", "bytes of 2^40", "text of 2^31 - 1", "copies of copies"):
        path = written(tmp_path, HOSTILE[name])
        tracemalloc.start()
        refusal(load_plain, path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5 * path.stat().st_size + 2**20, name


@pytest.mark.parametrize("keep", [1, 5, 40, 80, 120, -1])
def test_a_truncated_pickle_is_refused(keep, tmp_path):
    path = written(tmp_path, {"data": np.zeros((2, 3), dtype=np.uint8), "labels": [1, 2]})
    path.write_bytes(path.read_bytes()[:keep])
    assert "truncated or corrupt after byte" in refusal(load_plain, path)


def test_items_go_into_what_can_hold_them_only(tmp_path):
    corrupt = "truncated or corrupt"
    for raw in (b"\x80\x02](K\x01K\x02u.", b"\x80\x02}(K\x01u.", b"\x80\x02}(K\x01e."):
        assert corrupt in refusal(load_plain, written(tmp_path, raw))
