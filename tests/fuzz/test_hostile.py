"""No code of a file runs, and no claim of a file is believed."""

import contextlib
import pickle

import pytest

from tests.fuzz.claims import took
from tests.fuzz.hostile import CONTAINERS, gadgets, hostile_files, was_harmless


@pytest.fixture
def canary(tmp_path):
    return tmp_path / "ran"


@pytest.mark.filterwarnings("ignore")
def test_every_gadget_runs_where_python_loads_it(canary):
    for name, raw in gadgets(canary).items():
        with contextlib.suppress(Exception):  # after its code has run, a gadget may end as it likes
            pickle.loads(raw)
        assert canary.exists(), name
        canary.unlink()


@pytest.mark.parametrize("container", CONTAINERS)
def test_no_gadget_runs_in_any_file(container, canary):
    files = [file for file in hostile_files(canary) if file.name.endswith(f" in {container}")]
    assert len(files) == len(gadgets(canary)) > 40
    assert [file.name for file in files if not was_harmless(file, canary)] == []


def test_what_a_file_claims_is_refused_before_it_is_allocated():
    found = took()
    assert len(found) > 150
    assert {name: what for name, what in found.items() if what} == {}
