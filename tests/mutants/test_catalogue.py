"""The catalogue is as large as it says, and a check that finds nothing is told apart from one that does."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.mutants.catalogue import FAMILIES, FAULTS, VARIATIONS
from tests.mutants.examine import examine
from tests.mutants.measure import part_of
from tests.mutants.subjects import tiny_floor


def test_there_are_at_least_sixty_faults_and_as_many_sound_variations():
    assert len(FAULTS) >= 60
    assert len(VARIATIONS) >= len(FAULTS)


def test_every_family_has_at_least_two_faults_and_no_fault_is_of_another():
    counts = Counter(fault.family for fault in FAULTS)
    assert counts.keys() == set(FAMILIES)
    assert min(counts.values()) >= 2


def test_no_two_entries_have_one_name():
    for entries in ([(f.family, f.name) for f in FAULTS], [(v.kind, v.name) for v in VARIATIONS]):
        assert [entry for entry, count in Counter(entries).items() if count > 1] == []


def test_a_fault_whose_counterexample_cannot_reproduce_says_why():
    assert all((fault.replays == "REPRODUCED") == (fault.why == "") for fault in FAULTS)


def test_most_faults_are_to_be_compared_and_reproduced():
    assert sum(fault.shows in ("shadow", "end-to-end") for fault in FAULTS) > 0.9 * len(FAULTS)
    assert sum(fault.replays == "REPRODUCED" for fault in FAULTS) >= 60


@pytest.mark.parametrize("shows", ["shadow", "end-to-end", "finding", "refusal"])
def test_a_fault_that_was_never_planted_is_not_taken_for_refuted(shows):
    fault = replace(FAULTS[0], subject=tiny_floor, plant=lambda ann, snn: (ann, snn), shows=shows)
    outcome = examine(fault)
    assert (outcome.refuted, outcome.localised, outcome.replayed) == (False, False, False)
    assert outcome.verdict == "lossless"
    part = part_of([(fault, outcome)], [])
    assert part.wrong_verdicts == 1
    assert [line.good for line in part.lines[:2]] == [0, 0]


def test_a_fault_that_is_found_elsewhere_is_refuted_but_not_localised():
    fault = replace(next(f for f in FAULTS if f.name == "resets twice"), site="act")
    outcome = examine(fault)
    assert (outcome.refuted, outcome.localised, outcome.site) == (True, False, "block.act1")


def test_a_false_alarm_is_a_wrong_verdict():
    part = part_of([], [(VARIATIONS[0], "not-lossless"), (VARIATIONS[1], "lossless")])
    (line,) = [line for line in part.lines if line.what.startswith("sound")]
    assert (line.tried, line.good, part.wrong_verdicts) == (2, 1, 1)
