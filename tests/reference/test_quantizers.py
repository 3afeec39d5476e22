from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvm_verify import reference
from tests.arithmetics import ARITHMETICS, FLOATS, assert_equals, fraction, number, numbers
from tests.strategies import QUANTIZERS, THRESHOLDS, reals

#              -3/2  -1/2  -1/4    0   1/4   1/2   3/4    1   3/2   5/2
Z = ["-3/2", "-1/2", "-1/4", 0, "1/4", "1/2", "3/4", 1, "3/2", "5/2"]
QUANTIZED = {
    "floor": [-2, -1, -1, 0, 0, 0, 0, 1, 1, 2],
    "round": [-1, 0, 0, 0, 0, 1, 1, 1, 2, 3],  # every half goes up
    "round_half_even": [-2, 0, 0, 0, 0, 0, 1, 1, 2, 2],  # every half goes to the even neighbour
    "ceil": [-1, 0, 0, 0, 1, 1, 1, 1, 2, 3],
}


@pytest.mark.parametrize("dtype", ARITHMETICS)
@pytest.mark.parametrize("quantizer", reference.QUANTIZERS)
def test_each_quantizer_gives_the_integers_worked_out_by_hand(quantizer, dtype):
    result = reference.quantize(numbers(Z, dtype), quantizer)
    assert_equals(result, QUANTIZED[quantizer], dtype)


def test_an_unknown_quantizer_is_refused_by_name():
    with pytest.raises(
        ValueError, match=r"^unknown quantizer 'nearest'; one of floor, round, round_half_even, ceil$"
    ):
        reference.quantize(np.zeros(1), "nearest")


def test_round_half_even_is_numpy_rint_on_every_float16():
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    with np.errstate(invalid="ignore"):
        ours, theirs = reference.quantize(every, "round_half_even"), np.rint(every)
    np.testing.assert_array_equal(ours, theirs)  # NaN equals NaN here


def test_round_differs_from_numpy_rint_at_every_second_half():
    halves = np.array([0.5, 1.5, 2.5, 3.5])
    assert reference.quantize(halves, "round").tolist() == [1, 2, 3, 4]
    assert np.rint(halves).tolist() == [0, 2, 2, 4]


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_clip_keeps_the_inside_and_limits_the_outside(dtype):
    result = reference.clip(numbers([-2, 0, "1/2", 3, 4, 7], dtype), 4)
    assert_equals(result, [0, 0, "1/2", 3, 4, 4], dtype)


def test_clip_keeps_nan_and_takes_the_sign_off_zero():
    result = reference.clip(np.array([np.nan, -0.0, np.inf, -np.inf]), 4)
    assert np.isnan(result[0])
    assert result[1:].tolist() == [0, 4, 0]
    assert not np.signbit(result[1])


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_the_quantizer_input_is_x_times_l_over_gamma(dtype):
    z = reference.quantizer_input(numbers(["3/4"], dtype), threshold=number(2, dtype), levels=8)
    assert_equals(z, [3], dtype)  # 3/4 * 8 / 2


@pytest.mark.parametrize("dtype", ARITHMETICS)
@pytest.mark.parametrize(
    ("quantizer", "levels"),
    # γ = 2, L = 4, so z = 2 x:  -2   0  1/2  1  5/4  4  20
    [
        ("floor", [0, 0, 0, 1, 1, 4, 4]),
        ("round", [0, 0, 1, 1, 1, 4, 4]),
        ("round_half_even", [0, 0, 0, 1, 1, 4, 4]),
        ("ceil", [0, 0, 1, 1, 2, 4, 4]),
    ],
)
def test_level_and_activation_follow_eq_4(quantizer, levels, dtype):
    x = numbers([-1, 0, "1/4", "1/2", "5/8", 2, 10], dtype)
    site = {"threshold": number(2, dtype), "levels": 4, "quantizer": quantizer}
    assert_equals(reference.level(x, **site), levels, dtype)
    assert_equals(reference.activation(x, **site), [Fraction(m, 2) for m in levels], dtype)  # γ / L = 1/2


@given(z=reals(), quantizer=QUANTIZERS)
def test_every_quantizer_lands_on_an_integer_less_than_one_away(z, quantizer):
    result = fraction(reference.quantize(number(z, object), quantizer))
    assert result.denominator == 1
    assert abs(result - z) < 1
    if "round" in quantizer:
        assert abs(result - z) <= Fraction(1, 2)


@given(z=reals(), k=st.integers(-5, 5))
def test_floor_round_and_ceil_commute_with_adding_an_integer(z, k):
    for quantizer in ("floor", "round", "ceil"):
        shifted = reference.quantize(number(z + k, object), quantizer)
        assert shifted == reference.quantize(number(z, object), quantizer) + k


@given(z=reals(), quantizer=QUANTIZERS, k=st.integers(-5, 5))
def test_every_quantizer_leaves_integers_alone(z, quantizer, k):
    assert reference.quantize(number(k, object), quantizer) == k


@given(z=reals())
def test_the_quantizers_mirror_and_order_as_they_should(z):
    q = {name: reference.quantize(number(z, object), name) for name in reference.QUANTIZERS}
    mirrored = reference.quantize(number(-z, object), "ceil")
    assert q["floor"] == -mirrored
    assert q["floor"] <= q["round_half_even"] <= q["round"] <= q["ceil"]
    assert q["ceil"] - q["floor"] == (z.denominator != 1)
    assert q["round_half_even"] == -reference.quantize(number(-z, object), "round_half_even")
    assert (q["round_half_even"] == q["round"]) or z.denominator == 2


@given(x=reals(8), y=reals(8), upper=st.integers(1, 6))
def test_clip_is_monotone_idempotent_and_never_widens_a_distance(x, y, upper):
    a, b = (fraction(reference.clip(number(value, object), upper)) for value in (x, y))
    assert abs(a - b) <= abs(x - y)
    assert (a <= b) or (x > y)
    assert reference.clip(number(a, object), upper) == a


@given(x=reals(), y=reals(), gamma=THRESHOLDS, levels=st.integers(1, 9), quantizer=QUANTIZERS)
def test_the_level_is_monotone_in_the_current_and_lies_in_its_range(x, y, gamma, levels, quantizer):
    low, high = (
        reference.level(
            number(value, object), threshold=number(gamma, object), levels=levels, quantizer=quantizer
        )
        for value in sorted((x, y))
    )
    assert 0 <= low <= high <= levels


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("quantizer", reference.QUANTIZERS)
def test_not_a_number_has_no_level_and_infinities_have_the_outer_ones(quantizer, dtype):
    x = np.array([np.nan, np.inf, -np.inf], dtype)
    with np.errstate(invalid="ignore"):
        level = reference.level(x, threshold=dtype(1), levels=4, quantizer=quantizer)
    assert np.isnan(level[0])
    assert level[1:].tolist() == [4, 0]
