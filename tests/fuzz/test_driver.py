"""The two drivers try what they say they try, and find what is there to be found."""

import subprocess
import sys
from random import Random

import pytest

from qvm_verify.exits import InputError
from tests.fuzz import driver
from tests.fuzz.attempts import FindingError, Target, TooSlowError, attempt
from tests.fuzz.mutations import CHANGES, mutated

needs_atheris = pytest.mark.skipif(
    not driver.available(), reason="atheris is not installed (the extra fuzz): nothing is guided by coverage"
)


def raising(error):
    def read(folder, data):
        raise error

    return Target("planted", read)


@pytest.mark.parametrize("error", [ValueError("x"), MemoryError(), KeyError("x"), RecursionError()], ids=repr)
def test_anything_but_a_refusal_is_a_finding(error):
    with pytest.raises(type(error)):
        attempt(raising(error), b"")
    assert attempt(raising(InputError("a sentence")), b"") is False


def test_a_refusal_only_after_memory_ran_out_is_a_finding():
    late = InputError("not readable")
    late.__cause__ = MemoryError()
    with pytest.raises(FindingError, match="memory had run out"):
        attempt(raising(late), b"")


def test_a_reader_that_hangs_is_a_finding():
    def read(folder, data):
        while True:
            pass

    with pytest.raises(TooSlowError):
        attempt(Target("planted", read), b"", seconds=0.05)


@pytest.mark.parametrize("change", dict.fromkeys(CHANGES), ids=lambda change: change.__name__)
def test_every_change_changes_something_and_the_same_seed_makes_the_same(change):
    data = b'{"a": [1, 2, {"b": 12345}]}\n#!header\n' + bytes(range(64))
    made = {change(data, Random(seed)) for seed in range(30)}
    assert len(made - {data}) > 5
    assert change(data, Random(3)) == change(data, Random(3))
    assert isinstance(change(b"", Random(3)), bytes)
    assert mutated(data, Random(9)) == mutated(data, Random(9))


@needs_atheris
def test_the_guided_fuzzer_tries_inputs_and_finds_nothing_in_a_few_seconds():
    outcome = driver.fuzz("nmnist", seconds=2)
    assert outcome.tried > 10
    assert outcome.coverage > 5
    assert outcome.found == {}


PLANTED = """
import sys
from pathlib import Path
from tests.fuzz import guided
from tests.fuzz.attempts import Target

def read(folder, data):
    if len(data) > 3 and data[0] > 0x7F:
        raise KeyError("planted")

guided.TARGETS["planted"] = Target("planted", read)
guided.main("planted", Path(sys.argv[1]), ["-runs=400", "-seed=1", "-timeout=0", "-handle_alrm=0"])
"""


@needs_atheris
def test_the_guided_fuzzer_finds_what_is_planted(tmp_path):
    done = subprocess.run([sys.executable, "-c", PLANTED, str(tmp_path)], capture_output=True, check=False)
    (found,) = tmp_path.glob("found-*")
    assert found.name == "found-KeyError-outside", done.stderr[-500:]
    assert found.read_bytes()[0] > 0x7F
