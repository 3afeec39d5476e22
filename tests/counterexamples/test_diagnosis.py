"""The cause of a counterexample is what makes N = M when it is put right, and the fewest such settings."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from qvm_verify import reference
from qvm_verify.counterexamples import diagnose
from qvm_verify.counterexamples.diagnosis import REPAIRS, causes, repaired
from qvm_verify.counterexamples.experiment import experiment_of
from tests.counterexamples.cases import CASES, case
from tests.strategies import near_boundaries


@pytest.mark.parametrize("expected", CASES, ids=" and ".join)
def test_each_cause_is_found_where_it_alone_was_planted(expected):
    assert diagnose(CASES[expected]).causes == expected


def test_every_cause_that_can_be_put_right_is_among_the_planted_ones():
    assert {name for names in CASES for name in names} == set(REPAIRS)


def test_the_diagnosis_says_what_was_put_right_and_what_came_of_it():
    assert diagnose(CASES["v-init",]).diagnosis == "with V0 matched to the quantizer: M = 0, N = 0"


def wrong_cases():
    """Cases with any number of settings wrong, near decision boundaries as often as not."""
    theta = st.sampled_from([1.0, 1.5, 0.7])
    return st.builds(
        lambda x, gamma, theta, **settings: case(x=x * gamma, gamma=gamma, theta=theta, **settings),
        x=near_boundaries(4) | st.floats(-0.5, 1.5, width=32),
        gamma=theta,
        theta=theta,
        quantizer=st.sampled_from(reference.QUANTIZERS),
        v_init=st.sampled_from([None, 0.0, 0.25, 0.5, 1.0]),
        time_steps=st.integers(1, 6),
        firing=st.sampled_from(reference.FIRINGS),
        reset=st.sampled_from(reference.RESETS),
    )


@example(CASES["float-accumulation",])
@example(CASES["integer-z",])
@example(CASES["v-init", "reset"])
@given(wrong_cases())
def test_putting_the_causes_right_makes_n_equal_m_and_no_fewer_do(wrong):
    experiment = experiment_of(wrong)
    assume(not experiment.run().lossless)
    found = causes(experiment, most=len(REPAIRS))
    assert found is not None  # Algorithm 1 over the rationals is lossless, firing above θ for ceil
    assert repaired(experiment, found).run().lossless
    for size in range(len(found)):
        for fewer in combinations(found, size):
            assert not repaired(experiment, fewer).run().lossless


def test_a_module_that_does_something_else_is_named_where_the_reference_finds_n_equal_to_m():
    assert diagnose(case(x=0.3)).causes == ("module",)


def test_a_number_that_is_none_is_named():
    assert diagnose(case(x=float("nan"))).causes == ("non-finite",)


def test_a_current_that_no_earlier_site_explains_is_laid_to_the_activation_left_behind():
    found = diagnose(CASES["propagated-error",], unconverted=True)
    assert found.causes == ("unconverted-activation",)
    assert diagnose(CASES["v-init",], unconverted=True).causes == ("v-init",)


def test_a_cause_that_cannot_be_named_is_not_guessed(monkeypatch):
    monkeypatch.setattr("qvm_verify.counterexamples.diagnosis.REPAIRS", {})
    found = diagnose(CASES["v-init",])
    assert (found.causes, found.diagnosis) == ((), "no setting put right makes N stand for M")


def test_a_repair_that_repairs_nothing_is_noticed(monkeypatch):
    idle = {name: (lambda e: replace(e, levels=e.levels), words) for name, (_, words) in REPAIRS.items()}
    monkeypatch.setattr("qvm_verify.counterexamples.diagnosis.REPAIRS", idle)
    assert diagnose(CASES["reset",]).causes == ()
