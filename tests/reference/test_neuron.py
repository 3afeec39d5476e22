import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvm_verify import reference
from tests.arithmetics import ARITHMETICS, FLOATS, assert_equals, number, numbers
from tests.strategies import FIRINGS, THRESHOLDS, reals

# θ = 1, V0 = 1/2, q = 3/4, 3/4, 3/4. Worked by hand, (U, s, V) a time-step:
RUNS = {
    (">=", "reset_by_subtraction"): ["5/4 1 1/4", "1 1 0", "3/4 0 3/4"],
    (">", "reset_by_subtraction"): ["5/4 1 1/4", "1 0 1", "7/4 1 3/4"],
    (">=", "reset_to_zero"): ["5/4 1 0", "3/4 0 3/4", "3/2 1 0"],
    (">", "reset_to_zero"): ["5/4 1 0", "3/4 0 3/4", "3/2 1 0"],
}


def run(currents, v_init, threshold, firing=">=", reset="reset_by_subtraction"):
    return reference.simulate(
        currents, v_init=v_init, parameters=reference.IFParameters(threshold, firing, reset)
    )


@pytest.mark.parametrize("dtype", ARITHMETICS)
@pytest.mark.parametrize(("firing", "reset"), RUNS)
def test_a_run_gives_the_potentials_worked_out_by_hand(firing, reset, dtype):
    u, spikes, v = zip(*(row.split() for row in RUNS[firing, reset]), strict=True)
    found = run(numbers(["3/4"] * 3, dtype), number("1/2", dtype), number(1, dtype), firing, reset)
    assert_equals(found.u, u, dtype)
    assert found.spikes.tolist() == [s == "1" for s in spikes]
    assert_equals(found.v, v, dtype)
    assert found.spike_count == spikes.count("1")
    assert found.residual == number(v[-1], dtype)


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_one_step_reports_the_potential_before_and_after_the_spike(dtype):
    p = reference.IFParameters(number(2, dtype))
    u, spike, v = reference.if_step(numbers([1, "3/2"], dtype), numbers(["1/2", "1/2"], dtype), p)
    assert_equals(u, ["3/2", 2], dtype)
    assert spike.tolist() == [False, True]  # exactly at the threshold it fires
    assert_equals(v, ["3/2", 0], dtype)


def test_counting_steps_is_counting_spikes():
    p = reference.IFParameters(1.0)
    steps = reference.if_steps([0.75, 0.75, 0.75], 0.5, p)
    assert [float(step.u) for step in steps] == [1.25, 1.0, 0.75]
    assert reference.count_spikes(steps) == 2
    assert reference.count_spikes([]) == 0


def test_neurons_of_one_array_do_not_disturb_each_other_and_thresholds_broadcast():
    currents = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0]])  # [T, neurons]
    found = run(currents, 0.0, np.array([1.0, 2.0]))
    assert found.spikes.tolist() == [[True, False], [False, True], [True, False]]
    assert found.spike_count.tolist() == [2, 1]
    assert found.residual.tolist() == [0, 1]


def test_every_neuron_may_start_from_a_potential_of_its_own():
    found = run(np.full((2, 2), 0.5), np.array([0.0, 0.5]), 1.0)
    assert found.u.tolist() == [[0.5, 1.0], [1.0, 0.5]]
    with pytest.raises(ValueError, match="broadcast"):
        run(np.full((2, 2), 0.5), np.zeros(3), 1.0)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3)])
def test_a_run_without_a_time_step_is_refused(shape):
    with pytest.raises(ValueError, match="time-step"):
        run(np.zeros(shape), 0.0, 1.0)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("v_init", [0, np.float64(0.5), np.int64(1)])
def test_a_wider_v_init_or_threshold_never_widens_the_run(v_init, dtype):
    found = run(np.ones((2, 3), dtype), v_init, np.float64(2))
    assert found.u.dtype == found.v.dtype == dtype


def test_constant_currents_repeat_one_current_t_times():
    repeated = reference.constant_currents(np.array([0.25, 0.5]), 3)
    assert repeated.tolist() == [[0.25, 0.5]] * 3
    with pytest.raises(ValueError, match="time_steps"):
        reference.constant_currents(np.zeros(1), 0)


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_the_scaled_rate_is_theta_over_t_times_n_and_an_int_count_widens_nothing(dtype):
    rate = reference.scaled_rate(np.array([0, 3, 8]), threshold=number(2, dtype), time_steps=8)
    assert_equals(rate, [0, "3/4", 2], dtype)


def test_the_scaled_rate_divides_first_as_the_activation_does():
    # θ / 7 * 3 and θ * 3 / 7 are different floats here, and only the first is (γ / L) M bit for bit.
    threshold, seven, three = np.float32(0.7), np.float32(7), np.float32(3)
    rate = reference.scaled_rate(np.array([3]), threshold=threshold, time_steps=7)
    assert rate[0] == threshold / seven * three != threshold * three / seven


def test_the_conserved_potential_is_what_eq_2_says():
    # V0 + Q - θ N = 1/2 + 9/4 - 1 * 2
    kept = reference.conserved_potential(v_init=0.5, total_current=2.25, threshold=1.0, spike_count=2)
    assert kept == 0.75


@given(currents=st.lists(reals(), min_size=1, max_size=8), v_init=reals(), theta=THRESHOLDS, firing=FIRINGS)
def test_reset_by_subtraction_conserves_charge_exactly_for_any_currents(currents, v_init, theta, firing):
    found = run(numbers(currents, object), v_init, theta, firing)
    expected = reference.conserved_potential(
        v_init=v_init, total_current=sum(currents), threshold=theta, spike_count=found.spike_count.item()
    )
    assert found.residual == expected


@given(currents=st.lists(reals(), min_size=1, max_size=8), theta=THRESHOLDS, firing=FIRINGS)
def test_reset_to_zero_loses_exactly_the_overshoot_of_every_spike(currents, theta, firing):
    found = run(numbers(currents, object), 0, theta, firing, "reset_to_zero")
    fired = found.u[found.spikes]
    assert found.residual == sum(currents) - sum(fired)
    assert (found.v[found.spikes] == 0).all()
