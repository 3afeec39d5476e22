"""Solvers against one another, and against trying every case."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvm_verify.proofs.solvers import Answer, ask_solver, available_solvers
from tests.differential.questions import (
    BFLOAT,
    HALF,
    TINY,
    Question,
    questions_over_floats,
    questions_over_the_reals,
)
from tests.differential.small_floats import Small, SmallOps, every

LIMIT = 20.0


def complaints(question):
    text = question.obligation().smtlib
    asked = [solver for solver in question.solvers if solver in available_solvers()]
    assert asked
    return question.complaints({solver: ask_solver(text, solver, LIMIT) for solver in asked})


@settings(max_examples=20)
@given(questions_over_the_reals())
def test_over_the_reals_both_solvers_say_what_trying_every_case_finds(question):
    assert complaints(question) == []


@pytest.mark.parametrize("form", TINY, ids=str)
@settings(max_examples=12)
@given(st.data())
def test_in_a_tiny_format_z3_says_what_trying_every_number_finds(form, data):
    assert complaints(data.draw(questions_over_floats(form))) == []


@pytest.mark.parametrize("form", [HALF, BFLOAT], ids=["float16", "bfloat16"])
@settings(max_examples=10)
@given(st.data())
def test_in_half_precision_all_solvers_say_what_trying_every_case_finds(form, data):
    assert complaints(data.draw(questions_over_floats(form))) == []


QUESTION = Question(
    claim="theorem-3-ceil",
    mutant=None,
    form=None,
    sizes={"time_steps": 2},
    fixed={"threshold": Fraction(1)},
    domains={"current": (Fraction(0), Fraction(1, 3))},
)


def test_a_wrong_answer_and_a_wrong_model_are_complained_of():
    right = Answer("z3", "sat", {"current": Fraction(0)})  # ceil: silence fires all the same
    assert QUESTION.complaints({"z3": right}) == []
    assert "z3 says unsat" in QUESTION.complaints({"z3": Answer("z3", "unsat")})[0]
    assert "z3 says error" in QUESTION.complaints({"z3": Answer("z3", "error")})[0]
    for wrong in (Fraction(1, 3), Fraction(5)):  # breaks nothing; is none of the values
        model = {"current": wrong}
        assert "breaks nothing" in QUESTION.complaints({"z3": Answer("z3", "sat", model)})[0]
    assert QUESTION.complaints({"z3": Answer("z3", "unknown")}) == []


def halves():
    return st.sampled_from(every(HALF))


@settings(max_examples=200)
@given(halves(), halves())
def test_small_floats_round_as_the_processor_rounds_float16(a, b):
    ops, x, y = SmallOps(HALF), Small(a, HALF), Small(b, HALF)
    with np.errstate(all="ignore"):
        one, other = np.float16(a), np.float16(b)
        expected = [one + other, one - other, one * other, one / other, 2 - other, 2 / other, -one]
        found = [x + y, x - y, x * y, x / y, 2 - y, 2 / y, -x]
        expected += [np.floor(one), np.ceil(one)]
        found += [ops.floor(x), ops.ceil(x)]
        assert [f.value for f in found] == pytest.approx(
            [float(e) for e in expected], rel=0, abs=0, nan_ok=True
        )
        zeros = [(f.value, float(e)) for f, e in zip(found, expected, strict=True) if e == 0]
    assert all(np.signbit(f) == np.signbit(e) for f, e in zeros)
    assert [x < y, x <= y, x > y, x >= y, x == y, x != y] == [
        one < other, one <= other, one > other, one >= other, one == other, one != other
    ]  # fmt: skip


@given(st.sampled_from(TINY), st.fractions(-40, 40))
def test_no_number_of_a_format_is_nearer_than_the_one_it_is_rounded_to(form, value):
    finite = sorted(Fraction(number) for number in every(form) if math.isfinite(number))
    found = form.nearest(value)
    if math.isinf(found):
        assert abs(value) >= finite[-1] + (finite[-1] - finite[-2]) / 2
    else:
        assert all(abs(Fraction(found) - value) <= abs(number - value) for number in finite)
