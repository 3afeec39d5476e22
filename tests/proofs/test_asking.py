"""Solvers asked in this process: the same answers, and the same words for what is no answer."""

import math
from fractions import Fraction

import pytest

from qvm_verify.proofs.solvers import SOLVERS, ask_solver, discharge
from tests.proofs.test_solvers import FLOATS, HARD, NOTHING, PATTERNS, REALS

IRRATIONAL = "(set-logic QF_NRA)\n(declare-const x Real)\n(assert (= (* x x) 2.0))\n(check-sat)\n"
TRUE = "(set-logic QF_FP)\n(declare-const b Bool)\n(assert b)\n(check-sat)\n"
NO_LOGIC = "(declare-const x Real)\n(assert (< x 0.0))\n(check-sat)\n"
BITS = "(set-logic QF_BV)\n(declare-const x (_ BitVec 8))\n(assert (= x #x2a))\n(check-sat)\n"


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_kind_of_float_is_read_from_a_model(solver, pattern):
    term, value = PATTERNS[pattern]
    answer = ask_solver(FLOATS.format(value=term), solver, 20)
    found = answer.model["x"]
    assert math.isnan(found) if math.isnan(value) else found.hex() == value.hex()
    assert answer.model["b"] is False


@pytest.mark.parametrize("solver", SOLVERS)
def test_true_and_no_model_at_all_are_read(solver):
    assert ask_solver(TRUE, solver, 20).model == {"b": True}
    assert ask_solver(NOTHING, solver, 20).status == "unsat"


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_rationals_integers_and_irrational_numbers_are_told_apart(solver):
    assert ask_solver(REALS, solver, 20).model == {"x": Fraction(-1, 3), "n": -7}
    answer = ask_solver(IRRATIONAL, solver, 20)
    assert (answer.status, answer.model) == ("sat", {})
    assert "irrational" in answer.reason


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_answer_in_time_is_unknown_and_says_why(solver):
    answer = ask_solver(HARD, solver, 0.3)
    assert answer.status == "unknown"
    assert answer.reason


def test_a_question_may_name_no_logic():
    assert ask_solver(NO_LOGIC, "z3", 20).model["x"] < 0


def test_a_command_that_cvc5_does_not_take_is_an_error_with_its_words():
    answer = ask_solver("(set-logic QF_FP)\n(get-unsat-core)\n(check-sat)\n", "cvc5", 20)
    assert answer.status == "error"
    assert "unsat" in answer.reason


def test_a_value_of_a_sort_that_no_question_has_is_refused():
    with pytest.raises(TypeError, match="no value for"):
        ask_solver(BITS, "bitwuzla", 20)
    assert discharge(BITS, "bitwuzla", 20).status == "error"
