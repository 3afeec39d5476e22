import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvm_verify import reference
from tests.arithmetics import FLOATS
from tests.strategies import QUANTIZERS


def level(x, threshold, levels, quantizer):
    with np.errstate(over="ignore", invalid="ignore"):
        return reference.level(x, threshold=x.dtype.type(threshold), levels=levels, quantizer=quantizer)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("quantizer", "expected"), [("floor", [0.5, 1.0, 1.5, 2.0]), ("round_half_even", None), ("ceil", None)]
)
def test_boundaries_lie_where_hand_arithmetic_puts_them(quantizer, expected, dtype):
    found = reference.decision_boundaries(threshold=2, levels=4, quantizer=quantizer, dtype=dtype)
    up, tiny = dtype(np.inf), np.nextafter(dtype(0), dtype(1))
    if quantizer == "ceil":  # any x above k / 2 has the level k + 1
        expected = [np.nextafter(dtype(x), up) for x in (0.5, 1.0, 1.5)]
        assert 0 < found[0] <= 2 * tiny  # 2 x may round a subnormal x, but not to 0
        found = found[1:]
    if quantizer == "round_half_even":  # z = 1/2 and 5/2 go down to the even neighbour
        expected = [np.nextafter(dtype(0.25), up), 0.75, np.nextafter(dtype(1.25), up), 1.75]
    assert found.dtype == dtype
    assert found.tolist() == [float(x) for x in expected]


def test_the_first_half_up_boundary_lies_below_a_half_in_floating_point():
    # z + 1/2 rounds up to 1 for the largest float below 1/2; the reference computes what the field computes
    found = reference.decision_boundaries(threshold=1, levels=1, quantizer="round", dtype=np.float32)
    assert found.tolist() == [float(np.nextafter(np.float32(0.5), np.float32(0)))]


def test_a_boundary_may_be_the_largest_float_there_is():
    found = reference.decision_boundaries(threshold=65504, levels=1, quantizer="floor", dtype=np.float16)
    assert found.tolist() == [65504]


@settings(max_examples=30)
@given(threshold=st.sampled_from([0.3, 0.7, 1.0, 1.7, 40.0]), levels=st.integers(1, 16), quantizer=QUANTIZERS)
def test_in_float16_boundaries_are_those_of_a_search_through_every_number(threshold, levels, quantizer):
    every = np.arange(0x7C01, dtype=np.uint16).view(np.float16)  # 0 to infinity
    found = reference.decision_boundaries(
        threshold=threshold, levels=levels, quantizer=quantizer, dtype=np.float16
    )
    reached = level(every, threshold, levels, quantizer)
    assert found.tolist() == [float(every[(reached >= k).argmax()]) for k in range(1, levels + 1)]


@given(
    threshold=st.floats(0.015625, 64, width=32),
    levels=st.integers(1, 32),
    quantizer=QUANTIZERS,
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_the_level_rises_at_each_boundary_and_not_one_float_before(threshold, levels, quantizer, dtype):
    found = reference.decision_boundaries(
        threshold=threshold, levels=levels, quantizer=quantizer, dtype=dtype
    )
    before = np.nextafter(found, dtype(0))
    wanted = np.arange(1, levels + 1)
    assert (level(found, threshold, levels, quantizer) >= wanted).all()
    assert (level(before, threshold, levels, quantizer) < wanted).all()


@pytest.mark.parametrize("quantizer", reference.QUANTIZERS)
def test_boundaries_near_the_largest_float_are_found_without_a_warning(quantizer):
    every = np.arange(0x7C01, dtype=np.uint16).view(np.float16)
    found = reference.decision_boundaries(threshold=50000, levels=16, quantizer=quantizer, dtype=np.float16)
    reached = level(every, 50000, 16, quantizer)  # x L overflows long before x reaches the threshold
    assert found.tolist() == [float(every[(reached >= k).argmax()]) for k in range(1, 17)]
