from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvm_verify import reference
from tests.arithmetics import ARITHMETICS, FLOATS, assert_equals, fraction, number, numbers
from tests.strategies import reals


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_the_unevenness_error_is_theta_over_t_times_the_count_difference(dtype):
    error = reference.unevenness_error(
        threshold=number(2, dtype),
        time_steps=8,
        level=np.array([5, 3, 4]),
        spike_count=np.array([3, 8, 4]),
    )
    assert_equals(error, ["1/2", "5/4", 0], dtype)  # 2/8 * 2, 2/8 * 5, 0; integer counts widen nothing


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_the_conversion_error_is_the_distance_of_activation_and_rate(dtype):
    error = reference.conversion_error(
        activation=numbers([1, "1/4"], dtype), scaled_rate=numbers(["1/4", 1], dtype)
    )
    assert_equals(error, ["3/4", "3/4"], dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_an_error_that_is_none_is_a_positive_zero(dtype):
    same = np.array([0, 3])
    uneven = reference.unevenness_error(threshold=dtype(2), time_steps=8, level=same, spike_count=same)
    conversion = reference.conversion_error(activation=same.astype(dtype), scaled_rate=same.astype(dtype))
    for error in (uneven, conversion):
        assert error.tolist() == [0, 0]
        assert not np.signbit(error).any()


@given(m=st.integers(0, 8), n=st.integers(0, 8), theta=st.sampled_from([Fraction(1, 3), Fraction(2)]))
def test_both_errors_agree_where_t_equals_l(m, n, theta):
    a, phi = (number(theta / 8 * k, object) for k in (m, n))
    uneven = reference.unevenness_error(threshold=number(theta, object), time_steps=8, level=m, spike_count=n)
    assert reference.conversion_error(activation=a, scaled_rate=phi) == uneven


def test_errors_propagate_through_the_weights_in_units_of_the_next_threshold():
    delta = reference.propagated_error(
        weight=[[1.0, -2.0], [0.5, 0.0]], threshold_before=1.5, threshold=3.0, count_errors=[2, 1]
    )
    assert delta.tolist() == [0.0, 0.5]  # (2 - 2) * 1.5 / 3 and 1 * 1.5 / 3


def test_the_bounds_of_eq_14_are_the_ones_worked_out_by_hand():
    delta = numbers([0, "1/2", 1, "-3/2", -2], object)
    assert reference.count_error_bound(delta).tolist() == [1, 1, 2, 2, 3]
    assert reference.sharp_count_error_bound(delta).tolist() == [0, 1, 1, 2, 2]


@given(z=reals(), delta=reals(), steps=st.integers(1, 8))
def test_eq_14_and_its_sharper_form_bound_the_count_error(z, delta, steps):
    m, n = (max(0, min(steps, value // 1)) for value in (z, z + delta))
    sharp = fraction(reference.sharp_count_error_bound(number(delta, object)))
    assert abs(n - m) <= sharp <= reference.count_error_bound(number(delta, object))


@given(delta=reals())
def test_the_sharper_form_of_eq_14_cannot_be_sharpened(delta):
    assert fraction(reference.sharp_count_error_bound(number(delta, object))) == max(
        abs((z + delta) // 1 - z // 1) for z in (Fraction(0), Fraction(-delta % 1))
    )


# One neuron, W = [1, -1], both thresholds 1, T = 8; M = (6, 3) gives z = 3, and N = (6, 0) gives 6.
EXAMPLE = {
    "weight": np.array([[1.0, -1.0]]),
    "threshold_before": 1.0,
    "threshold": 1.0,
    "time_steps": 8,
    "count_errors": np.array([0, -3]),
}


def test_eq_15_as_printed_falls_below_an_error_that_occurs():
    observed = reference.unevenness_error(threshold=1.0, time_steps=8, level=3, spike_count=6)
    printed = reference.error_bound(**EXAMPLE, signed_weight=True)
    assert printed.tolist() == [-2 / 8]  # ⌊-1 * 3⌋ + 1, and no error is negative
    assert printed < observed


def test_eq_15_holds_with_the_magnitude_of_the_weights():
    observed = reference.unevenness_error(threshold=1.0, time_steps=8, level=3, spike_count=6)
    bound = reference.error_bound(**EXAMPLE)
    assert bound.tolist() == [4 / 8]
    assert bound >= observed


def test_eq_15_counts_the_magnitude_of_every_previous_error():
    bound = reference.error_bound(
        weight=np.array([[1.0, 1.0]]),
        threshold_before=2.0,
        threshold=1.0,
        time_steps=4,
        count_errors=np.array([1, -1]),  # they cancel in the current; the bound does not count on it
    )
    assert bound.tolist() == [(4 + 1) / 4]


@given(
    weight=st.lists(reals(2), min_size=2, max_size=4),
    counts=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=4),
    thetas=st.tuples(st.sampled_from([Fraction(1), Fraction(3, 2)]), st.sampled_from([Fraction(2, 3)])),
)
def test_eq_15_with_magnitudes_bounds_every_exact_conversion(weight, counts, thetas):
    before, theta = thetas
    m, n = (numbers([pair[k] for pair in counts[: len(weight)]], object) for k in (0, 1))
    w = numbers([weight], object)
    level, count = (
        fraction(reference.clip(reference.NUMPY.floor(w @ k * before / theta), 6)[0]) for k in (m, n)
    )
    bound = reference.error_bound(
        weight=w, threshold_before=before, threshold=theta, time_steps=6, count_errors=n - m
    )
    assert theta / 6 * abs(level - count) <= bound[0]


def test_a_zero_error_before_is_sufficient_but_not_necessary():
    # δ = 1 before, a weight of 1/4: z goes from 1/4 to 1/2, and both have the level 0.
    levels = [(Fraction(1, 4) * k) // 1 for k in (1, 2)]
    assert levels[0] == levels[1]
    delta = reference.propagated_error(
        weight=[[Fraction(1, 4)]], threshold_before=1, threshold=1, count_errors=[1]
    )
    assert delta[0] != 0
