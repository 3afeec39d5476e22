"""No bytes make a reader do anything but read them or refuse them in one sentence."""

import pytest
from hypothesis import given, settings

from tests.fuzz.attempts import attempt
from tests.fuzz.random_inputs import inputs
from tests.fuzz.seeds import SEEDS, seeds_of
from tests.fuzz.targets import TARGETS

EXAMPLES = {"report-replay": 25, "report-render": 25}  # they run networks and draw pages


def test_every_target_has_seeds():
    assert SEEDS.keys() == TARGETS.keys()


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_read_so_the_strange_inputs_begin_where_it_matters(name):
    assert [attempt(TARGETS[name], seed) for seed in seeds_of(name)].count(True) > 0


@pytest.mark.parametrize("name", TARGETS)
def test_strange_bytes_are_read_or_refused_in_one_sentence(name):
    @settings(max_examples=EXAMPLES.get(name, 100))
    @given(inputs(name))
    def holds(data):
        attempt(TARGETS[name], data)

    holds()
