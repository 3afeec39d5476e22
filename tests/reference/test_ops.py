from fractions import Fraction

import numpy as np
import pytest

from qvm_verify import reference
from tests.arithmetics import FLOATS


def test_as_dtype_turns_floats_into_the_fractions_that_they_stand_for():
    exact = reference.as_dtype(np.array([0.75, 0.1]), object)
    assert exact[0] == Fraction(3, 4)
    assert exact[1] == Fraction(0.1) != Fraction(1, 10)
    assert all(type(item) is Fraction for item in exact)


def test_as_dtype_keeps_the_shape_and_takes_integers_and_booleans():
    assert reference.as_dtype(np.array([[True], [False]]), object).tolist() == [[1], [0]]
    assert reference.as_dtype(3, object).shape == ()


@pytest.mark.parametrize(("value", "error"), [(np.nan, ValueError), (np.inf, OverflowError)])
def test_as_dtype_refuses_what_has_no_rational_value(value, error):
    with pytest.raises(error):
        reference.as_dtype(value, object)


@pytest.mark.parametrize("dtype", FLOATS)
def test_cast_brings_an_integer_into_the_dtype_of_the_other_side(dtype):
    result = reference.NUMPY.cast(np.array([3], dtype=np.int64), like=np.ones(1, dtype))
    assert result.dtype == dtype
    assert result.tolist() == [3]


def test_floor_and_ceil_are_exact_for_fractions():
    x = np.array([Fraction(-1, 3), Fraction(10**30, 3), Fraction(2)], dtype=object)
    assert reference.NUMPY.floor(x).tolist() == [-1, 10**30 // 3, 2]
    assert reference.NUMPY.ceil(x).tolist() == [0, 10**30 // 3 + 1, 2]


@pytest.mark.parametrize("quantizer", reference.QUANTIZERS)
@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("z", [2**63, 2**64, 10**30, Fraction(2**64 - 1, 2), -(2**63) - 1, -(10**30)])
def test_a_level_is_exact_where_z_is_past_every_machine_integer(z, shape, quantizer):
    x = np.full(shape, reference.as_dtype(z, object))
    level = reference.level(x, threshold=Fraction(1), levels=3, quantizer=quantizer)
    assert level == (3 if z > 0 else 0)


@pytest.mark.parametrize("value", [-(2**63), -1, 0, 2**63 - 1])
def test_an_integer_that_int64_holds_stays_an_integer(value):
    assert reference.NUMPY.where(np.array([True]), value, 0).dtype == np.int64
    assert reference.NUMPY.where(np.array([True]), value, 0).tolist() == [value]


@pytest.mark.parametrize("value", [-(2**64), -(2**63) - 1, 2**63, 2**64 - 1, 2**64])
def test_an_integer_that_int64_does_not_hold_is_an_exact_object(value):
    found = reference.NUMPY.where(np.array([True]), value, 0)
    assert found.dtype == object
    assert found.tolist() == [value]
