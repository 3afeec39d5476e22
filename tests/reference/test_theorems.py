"""The paper's theorems on the reference, in exact rationals: where they hold and where they do not."""

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from qvm_verify import reference
from tests.arithmetics import number, numbers
from tests.strategies import THRESHOLDS, TIME_STEPS, reals, shares

PROVED_QUANTIZERS = st.sampled_from(["floor", "round"])


def run(currents, v_init, theta, firing=">="):
    parameters = reference.IFParameters(theta, firing)
    return reference.simulate(numbers(currents, object), v_init=v_init, parameters=parameters)


def bounded_runs():
    """(θ, V0, currents) with 0 <= V0 <= θ and 0 <= q <= θ, the ends drawn often."""

    def scaled(theta, v_init, currents):
        return theta, v_init * theta, [q * theta for q in currents]

    return st.builds(scaled, THRESHOLDS, shares(), st.lists(shares(), min_size=1, max_size=9))


def floor_count(theta, v_init, currents):
    """⌊(V0 + Q_tot) / θ⌋, what Theorem 2 says the spike count is."""
    return (v_init + sum(currents)) // theta


@given(bounded_runs())
def test_theorem_1_holds_the_potential_stays_between_zero_and_theta(bounded):
    theta, v_init, currents = bounded
    found = run(currents, v_init, theta)
    assert all(0 <= v <= theta for v in found.v)


def test_theorem_1_needs_its_bound_on_the_current():
    assert run([Fraction(-1, 2)], 0, 1).v.tolist() == [Fraction(-1, 2)]
    assert run([Fraction(5, 2)], 0, 1).v.tolist() == [Fraction(3, 2)]


@given(bounded_runs())
def test_theorem_2_holds_with_a_minimum_and_as_printed_except_in_its_own_case_2(bounded):
    theta, v_init, currents = bounded
    n, printed = run(currents, v_init, theta).spike_count, floor_count(*bounded)
    assert n == min(len(currents), printed)
    always_full = v_init == theta and all(q == theta for q in currents)
    assert (n != printed) == always_full


@given(theta=THRESHOLDS, time_steps=TIME_STEPS)
def test_theorem_2_as_printed_is_false_where_everything_is_theta(theta, time_steps):
    found = run([theta] * time_steps, theta, theta)
    assert found.spike_count == time_steps
    assert floor_count(theta, theta, [theta] * time_steps) == time_steps + 1
    assert found.residual == theta


def matched_run(z, theta, time_steps, quantizer, firing=">="):
    """Return (N, M) of one neuron under the constant current with z = x T / θ."""
    x = z * theta / time_steps
    v_init = reference.MATCHED_V_INIT[quantizer] * theta
    level = reference.level(
        number(x, object), threshold=number(theta, object), levels=time_steps, quantizer=quantizer
    )
    return run([x] * time_steps, v_init, theta, firing).spike_count, level


@given(z=reals(10), theta=THRESHOLDS, time_steps=TIME_STEPS, quantizer=PROVED_QUANTIZERS)
def test_theorem_3_holds_for_floor_and_round_at_every_real_z(z, theta, time_steps, quantizer):
    n, m = matched_run(z, theta, time_steps, quantizer)
    assert n == m


@given(z=reals(10), theta=THRESHOLDS, time_steps=TIME_STEPS, v_init=shares())
def test_under_a_constant_current_the_count_is_the_clipped_floor_for_any_v_init(z, theta, time_steps, v_init):
    found = run([z * theta / time_steps] * time_steps, v_init * theta, theta)
    assume(v_init < 1 or z.denominator != 1)
    assert found.spike_count == max(0, min(time_steps, (v_init + z) // 1))


@given(z=reals(10), theta=THRESHOLDS, time_steps=TIME_STEPS)
def test_theorem_3_holds_for_ceil_unless_z_is_an_integer_from_zero_to_below_t(z, theta, time_steps):
    n, m = matched_run(z, theta, time_steps, "ceil")
    fails = z.denominator == 1 and 0 <= z < time_steps
    assert n == m + fails


def test_theorem_3_fails_for_ceil_at_a_silent_input():
    n, m = matched_run(Fraction(0), Fraction(1), 8, "ceil")
    assert (n, m) == (1, 0)  # V0 = θ fires at once


@given(z=reals(10), theta=THRESHOLDS, time_steps=TIME_STEPS)
def test_firing_strictly_above_theta_repairs_theorem_3_for_ceil_at_every_z(z, theta, time_steps):
    n, m = matched_run(z, theta, time_steps, "ceil", firing=">")
    assert n == m


def test_firing_strictly_above_theta_breaks_theorem_3_for_floor_at_a_tie():
    n, m = matched_run(Fraction(1), Fraction(1), 2, "floor", firing=">")
    assert (n, m) == (0, 1)


def test_round_half_even_breaks_theorem_3_at_every_second_half():
    halves = [Fraction(1, 2), Fraction(3, 2), Fraction(5, 2), Fraction(7, 2)]
    found = [matched_run(z, Fraction(1), 4, "round_half_even") for z in halves]
    assert [(int(n), int(m)) for n, m in found] == [(1, 0), (2, 2), (3, 2), (4, 4)]


@given(z=reals(10), theta=THRESHOLDS, time_steps=st.integers(2, 9))
def test_an_unmatched_v_init_breaks_theorem_3_for_round_somewhere(z, theta, time_steps):
    floored = run([z * theta / time_steps] * time_steps, 0, theta).spike_count
    _, m = matched_run(z, theta, time_steps, "round")
    rounds_up = (z + Fraction(1, 2)) // 1 > z // 1
    assert (floored != m) == (rounds_up and Fraction(1, 2) <= z < time_steps)
