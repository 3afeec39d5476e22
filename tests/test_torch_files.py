"""What `torch.save` writes comes back as `torch.load` has it; what it would not write is refused."""

import io
import zipfile
from collections import Counter, OrderedDict

import pytest
import torch

from qvm_verify.exits import InputError
from qvm_verify.torch_files import TYPES, load_tensors

BASE = torch.arange(24.0).reshape(4, 6)
CONTENTS = {
    **{str(dtype): torch.arange(5).to(dtype) for dtype in TYPES.values()},
    "views of one storage": [BASE, BASE[1:3, ::2], BASE.t(), BASE[2, 3]],
    "repeated": torch.ones(1).expand(3, 4),
    "nothing": [torch.zeros(0), torch.zeros(3, 0, 2), torch.zeros(())],
    "a parameter": torch.nn.Parameter(BASE.clone()),
    "a state dict": torch.nn.BatchNorm2d(3).state_dict(),
    "containers": {
        "a": [1, -1, 2**70, 1.5, None, True, (1, (2,)), "é", b"bytes"],
        3: {},
        b"k": OrderedDict(x=1),
    },
    "what schedules hold": {"milestones": Counter([3, 3, 5]), "size": BASE.shape, "type": torch.float16},
}


def same(a, b):
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b) and a.stride() == b.stride()
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(same, a.values(), b.values()))
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "older"])
@pytest.mark.parametrize("name", CONTENTS)
def test_what_was_saved_comes_back_as_pytorch_has_it(name, zipped, tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"x": CONTENTS[name]}, path, _use_new_zipfile_serialization=zipped)
    assert same(load_tensors(path), torch.load(path, weights_only=True))


def test_an_optimizer_comes_back(tmp_path):
    network = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    torch.save(optimizer.state_dict(), tmp_path / "a.pt")
    assert same(load_tensors(tmp_path / "a.pt"), optimizer.state_dict())


def test_memory_is_aligned_as_pytorchs_own_so_that_kernels_round_as_they_did(tmp_path):
    torch.save([torch.ones(3), torch.ones(5)], tmp_path / "a.pt")
    assert all(tensor.data_ptr() % 64 == 0 for tensor in load_tensors(tmp_path / "a.pt"))


def repacked(content, change):
    """Return a saved file whose zip has other members: `change` maps a dict of them to another."""
    torch.save(content, file := io.BytesIO())
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(changed := io.BytesIO(), "w") as archive:
        for name, data in change(members).items():
            archive.writestr(name, data)
    return changed.getvalue()


def test_numbers_of_another_byte_order_are_turned_round(tmp_path):
    def turn(members):
        swapped = b"".join(bytes(reversed(members["archive/data/0"][k : k + 4])) for k in range(0, 12, 4))
        return members | {"archive/byteorder": b"big", "archive/data/0": swapped}

    (tmp_path / "a.pt").write_bytes(repacked(torch.tensor([1.0, 2.0, 3.5]), turn))
    assert load_tensors(tmp_path / "a.pt").tolist() == [1.0, 2.0, 3.5]


DAMAGES = {
    "a shorter storage": (
        lambda m: m | {"archive/data/0": b"abcd"},
        "claims 12 bytes of a storage that has 4",
    ),
    "a longer storage": (
        lambda m: m | {"archive/data/0": bytes(16)},
        "claims 12 bytes of a storage that has 16",
    ),
    "no storage": (lambda m: {n: d for n, d in m.items() if n != "archive/data/0"}, "truncated"),
    "no pickle": (lambda m: {n: d for n, d in m.items() if "pkl" not in n}, "holds 0 files data.pkl"),
    "two pickles": (lambda m: {"b/data.pkl": b"N."} | m, "holds 2 files data.pkl"),
    "an empty pickle": (lambda m: m | {"archive/data.pkl": b""}, "truncated"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_members_that_do_not_fit_each_other_are_refused(damage, tmp_path):
    change, reason = DAMAGES[damage]
    (tmp_path / "a.pt").write_bytes(repacked(torch.ones(3), change))
    with pytest.raises(InputError, match=reason):
        load_tensors(tmp_path / "a.pt")


def test_a_flipped_bit_in_a_weight_is_noticed(tmp_path):
    torch.save(torch.full((64,), 1.0), tmp_path / "a.pt")
    raw = bytearray((tmp_path / "a.pt").read_bytes())
    at = raw.index(torch.full((64,), 1.0).numpy().tobytes())
    raw[at] ^= 1
    (tmp_path / "a.pt").write_bytes(raw)
    with pytest.raises(InputError, match="not a readable checkpoint"):
        load_tensors(tmp_path / "a.pt")


def test_two_members_of_one_name_are_refused(tmp_path):
    torch.save(torch.ones(1), tmp_path / "a.pt")
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(tmp_path / "a.pt", "a") as archive,
    ):
        archive.writestr("a/data.pkl", b"N.")
    with pytest.raises(InputError, match="two members of one name"):
        load_tensors(tmp_path / "a.pt")


def test_tensors_that_show_their_bytes_too_often_are_refused(tmp_path):
    torch.save(torch.ones(2**16).expand(2**10, -1), tmp_path / "a.pt")
    with pytest.raises(InputError, match="repeats what it holds too often"):
        load_tensors(tmp_path / "a.pt")
