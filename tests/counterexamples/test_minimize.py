"""The smallest case fails on the reference, for the causes of the case it stands for."""

from dataclasses import replace

import pytest

from qvm_verify.counterexamples import diagnose, minimize, run_case, trace
from qvm_verify.counterexamples.experiment import experiment_of
from qvm_verify.counterexamples.minimize import _first_that_fails, _shortened
from tests.counterexamples.cases import CASES, case

SMALLEST = {  # L, T, x, the currents: worked out by hand
    ("v-init",): (1, 1, 0.5, [0.5]),
    ("time-steps",): (2, 1, 0.5, [0.5]),
    ("threshold",): (1, 1, 1.0, [1.0]),
    ("firing",): (1, 1, 1.0, [1.0]),
    ("quantizer-tie",): (1, 1, 0.5, [0.5]),
    ("integer-z",): (1, 1, 0.0, [0.0]),
    ("uneven-spikes",): (2, 2, 1.0, [0.0, 2.0]),
    ("propagated-error",): (1, 1, 0.0, [1.0]),
    ("float-accumulation",): (6, 6, float.fromhex("0x1.aaaaaap-1"), [float.fromhex("0x1.aaaaaap-1")] * 6),
}


@pytest.mark.parametrize("expected", SMALLEST, ids=" and ".join)
def test_the_smallest_case_is_the_one_worked_out_by_hand(expected):
    found = minimize(CASES[expected])
    levels, steps, x, currents = SMALLEST[expected]
    assert (found.levels, found.time_steps) == (levels, steps)
    assert float.fromhex(found.activation_current) == x
    assert list(map(float.fromhex, found.currents)) == currents


@pytest.mark.parametrize("expected", CASES, ids=" and ".join)
def test_the_smallest_case_fails_for_the_same_causes_and_is_not_larger(expected):
    found = minimize(CASES[expected])
    assert run_case(found) == (found.reference_level, found.reference_spike_count)
    assert found.reference_spike_count * found.levels != found.reference_level * found.time_steps
    assert found.causes == expected == diagnose(found).causes
    assert found.time_steps <= CASES[expected].time_steps
    assert found.trace == trace(found)


def test_everything_that_is_no_cause_is_put_right_in_the_smallest_case():
    found = minimize(case(x=0.4, v_init=0.875, theta=1.75, reset="reset_to_zero"))
    assert (found.causes, found.reset, found.threshold) == (("v-init",), "reset_by_subtraction", (1.0).hex())


def test_what_cannot_be_shown_on_the_reference_has_no_smallest_case():
    assert minimize(case(x=0.3)) is None
    assert minimize(case(x=float("inf"))) is None


def test_where_nothing_simpler_fails_the_numbers_are_rounded_to_the_bits_they_need():
    experiment = experiment_of(case(x=0.2123, v_init=0.5))
    shorter = _shortened(experiment, lambda candidate: not candidate.run().lossless)
    assert shorter.x == shorter.currents[0] == 0.1875
    shorter = _shortened(replace(experiment, x=experiment.x * 0), lambda candidate: candidate.x == 0)
    assert set(shorter.currents) == {0}


def test_where_nothing_else_fails_the_case_stays_as_it_is():
    experiment = experiment_of(case(x=0.5, currents=[0.0, 0.3, 0.0, 2.0]))  # zero has nothing simpler
    assert _shortened(experiment, lambda candidate: False) == experiment
    assert _first_that_fails(iter([experiment]), lambda candidate: False) is None


def test_a_current_of_the_anns_own_is_rounded_for_itself():
    experiment = experiment_of(case(x=0.5123, currents=[0.0, 0.3, 0.0, 2.0]))
    shorter = _shortened(experiment, lambda candidate: candidate.currents == experiment.currents)
    assert (shorter.x, shorter.currents) == (0, experiment.currents)
