import numpy as np
import pytest

from qvm_verify.proofs.ieee_steps import first_reaching, float_at, mismatches
from qvm_verify.reference import (
    MATCHED_V_INIT,
    QUANTIZERS,
    IFParameters,
    constant_currents,
    level,
    simulate,
)


def every_float16():
    patterns = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    return patterns[~np.isnan(patterns) & ~((patterns == 0) & np.signbit(patterns))]


@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("threshold", [1.0, 1.7, 0.3, 6.104e-05, 32752.0])
def test_the_intervals_hold_exactly_the_inputs_that_a_sweep_over_every_float_finds(quantizer, threshold):
    theta, currents = np.float16(threshold), every_float16()
    v_init = np.float16(MATCHED_V_INIT[quantizer]) * theta
    for time_steps in (1, 2, 3, 6, 8, 11):
        with np.errstate(over="ignore", invalid="ignore"):
            run = simulate(
                constant_currents(currents, time_steps), v_init=v_init, parameters=IFParameters(theta)
            )
            m = level(currents, threshold=theta, levels=time_steps, quantizer=quantizer)
        swept = np.sort(currents[run.spike_count != m])
        intervals = mismatches(quantizer, time_steps, theta)
        found = [currents[(currents >= i.first) & (currents <= i.last)] for i in intervals]
        assert [len(part) for part in found] == [i.inputs for i in intervals]
        np.testing.assert_array_equal(np.sort(np.concatenate([*found, currents[:0]])), swept)


@pytest.mark.parametrize("time_steps", [2, 4, 8, 16])
def test_floor_is_lossless_in_float32_at_threshold_1_for_powers_of_two(time_steps):
    assert mismatches("floor", time_steps, np.float32(1)) == []


def test_floor_fails_first_at_six_steps_on_a_single_float32():
    for time_steps in range(1, 6):
        assert mismatches("floor", time_steps, np.float32(1)) == []
    assert mismatches("floor", 6, np.float32(1)) == [(0.8333333134651184, 0.8333333134651184, 1)]


@pytest.mark.parametrize(("time_steps", "inputs"), [(2, 1), (4, 4), (8, 8)])
def test_half_up_fails_in_float32_even_for_powers_of_two(time_steps, inputs):
    assert sum(interval.inputs for interval in mismatches("round", time_steps, np.float32(1))) == inputs


def test_ceil_fires_on_every_current_too_small_to_move_the_potential():
    # V_0 = θ, and θ + x rounds back to θ: N = 1 where M = 0, for negative currents too.
    ((first, last, _), *_) = mismatches("ceil", 1, np.float32(1))
    assert (first, last) == (-(2.0**-25), 0.0)


def test_a_threshold_out_of_the_domain_is_refused():
    for threshold in (np.float32(1e-40), np.float32(3e38), np.float32(-1), np.float32("nan")):
        with pytest.raises(ValueError, match="normal and its double finite"):
            mismatches("floor", 4, threshold)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_bisection_finds_the_first_float_of_each_step(dtype):
    edges = np.array([-np.finfo(dtype).max, -1.5, 0.0, np.finfo(dtype).smallest_subnormal, np.inf], dtype)

    def count(x):
        return np.searchsorted(edges, x, side="right")

    np.testing.assert_array_equal(float_at(first_reaching(count, 5, dtype), dtype), edges)
