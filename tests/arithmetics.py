"""The arithmetics in which the reference must give one answer, and numbers written in them."""

from fractions import Fraction

import numpy as np

from qvm_verify import reference

FLOATS = (np.float16, np.float32, np.float64)
ARITHMETICS = (object, *FLOATS)  # object: exact Fraction entries


def numbers(values, dtype):
    """Return (nested) ints, Fractions or strings like "3/4" as an array of `dtype`."""
    exact = np.vectorize(Fraction, otypes=[object])(np.asarray(values, dtype=object))
    return reference.as_dtype(exact.astype(float) if dtype is not object else exact, dtype)


def number(value, dtype):
    """Return one number as a scalar of `dtype`."""
    return numbers(value, dtype)[()]


def assert_equals(actual, expected, dtype):
    """Assert equal values of the same dtype: nothing is widened, nothing is rounded away."""
    actual = np.asarray(actual)
    assert actual.dtype == np.dtype(dtype)
    wanted = numbers(expected, dtype)
    assert actual.shape == wanted.shape
    assert (actual == wanted).all(), f"{actual} is not {wanted}"


def fraction(value):
    """Return one exact number, scalar or 0-dimensional, as a Fraction."""
    return Fraction(np.asarray(value, dtype=object).item())
