"""Lossless over the reals is not lossless in float32: the known failures, found again.

M and N step only near k θ / T and (k + 1/2) θ / T, so it is enough to look at every float32 within 2^12
numbers of those; scanning all two billion positive numbers finds no other.
"""

from random import Random

import numpy as np
import pytest
from hypothesis import Phase, find, settings
from hypothesis.errors import NoSuchExample

from qvm_verify import reference
from tests.strategies import near_boundaries

REACH = 2**12


def candidates(time_steps):
    """Every float32 near a boundary, for θ = 1, from just above 0 to past θ."""
    centres = np.arange(1, 2 * time_steps + 3, dtype=np.float32) / np.float32(2 * time_steps)
    bits = centres.view(np.int32)[:, None] + np.arange(-REACH, REACH + 1, dtype=np.int32)
    subnormal = np.arange(1, REACH, dtype=np.int32)
    return np.unique(np.concatenate([bits.ravel(), subnormal])).view(np.float32)


def levels_and_counts(x, time_steps, quantizer):
    one = x.dtype.type(1)
    level = reference.level(x, threshold=one, levels=time_steps, quantizer=quantizer)
    run = reference.simulate(
        reference.constant_currents(x, time_steps),
        v_init=reference.MATCHED_V_INIT[quantizer],
        parameters=reference.IFParameters(one),
    )
    return level, run.spike_count


def failures(x, time_steps, quantizer):
    level, count = levels_and_counts(x, time_steps, quantizer)
    wrong = level != count
    return [(float(q), int(m), int(n)) for q, m, n in zip(x[wrong], level[wrong], count[wrong], strict=True)]


@pytest.mark.parametrize("time_steps", [2, 4, 8])
def test_floor_is_lossless_in_float32_for_powers_of_two(time_steps):
    assert failures(candidates(time_steps), time_steps, "floor") == []


def test_floor_fails_in_float32_on_exactly_one_input_for_six_time_steps():
    assert failures(candidates(6), 6, "floor") == [(0.8333333134651184, 5, 4)]


@pytest.mark.parametrize(("time_steps", "wrong"), [(4, 4), (8, 8)])
def test_half_up_fails_in_float32_on_as_many_inputs_as_time_steps(time_steps, wrong):
    found = failures(candidates(time_steps), time_steps, "round")
    assert len(found) == wrong
    assert all(abs(m - n) == 1 for _, m, n in found)


def test_the_float32_failures_are_no_failures_in_exact_arithmetic():
    for x, *_ in failures(candidates(4), 4, "round"):
        level, count = levels_and_counts(reference.as_dtype(np.array([x]), object), 4, "round")
        assert level == count


@pytest.mark.parametrize("seed", range(5))
def test_the_boundary_strategy_finds_the_half_up_failure_within_two_hundred_examples(seed):
    def fails(x):
        return bool(failures(np.array([x]), 4, "round"))

    found = find(
        near_boundaries(4),
        fails,
        settings=settings(
            max_examples=200, derandomize=False, database=None, phases=[Phase.generate, Phase.shrink]
        ),
        random=Random(seed),
    )
    assert fails(found)


def test_the_boundary_strategy_finds_nothing_where_nothing_is_wrong():
    with pytest.raises(NoSuchExample):
        find(near_boundaries(4), lambda x: bool(failures(np.array([x]), 4, "floor")))
