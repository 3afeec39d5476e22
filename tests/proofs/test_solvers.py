import ctypes
import math
import struct
import time
from fractions import Fraction

import numpy as np
import pytest

from qvm_verify.proofs import solvers
from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.solvers import SOLVERS, Answer, Job, can_ask, discharge, discharge_all, float_from_bits

FLOATS = """(set-logic QF_FP)
(declare-const x (_ FloatingPoint 5 11))
(declare-const unused (_ FloatingPoint 5 11))
(declare-const b Bool)
(assert (= x {value}))
(assert (not b))
(check-sat)
"""
REALS = """(set-logic QF_LIRA)
(declare-const x Real)
(declare-const n Int)
(assert (and (= (* 3.0 x) (- 1.0)) (= n (- 7))))
(check-sat)
"""
NOTHING = "(set-logic QF_FP)\n(declare-const x Bool)\n(assert (and x (not x)))\n(check-sat)\n"
# Whether (x * y) / y can be far from x in doubles is beyond every solver in half a second.
HARD = """(set-logic QF_FP)
(declare-const x (_ FloatingPoint 11 53))
(declare-const y (_ FloatingPoint 11 53))
(define-const p (_ FloatingPoint 11 53) (fp.mul RNE x y))
(assert (not (fp.isNaN p)))
(assert (not (fp.isInfinite p)))
(assert (not (fp.isSubnormal p)))
(assert (not (fp.isZero p)))
(assert (fp.gt (fp.abs (fp.sub RNE (fp.div RNE p y) x)) (fp.abs (fp.mul RNE x ((_ to_fp 11 53) RNE 0.5)))))
(check-sat)
"""
PATTERNS = {
    "one third": ("(fp #b0 #b01101 #b0101010101)", float(np.float16(1 / 3))),
    "largest": ("(fp #b0 #b11110 #b1111111111)", 65504.0),
    "smallest subnormal": ("(fp #b1 #b00000 #b0000000001)", -(2.0**-24)),
    "negative zero": ("(_ -zero 5 11)", -0.0),
    "minus infinity": ("(_ -oo 5 11)", -math.inf),
    "not a number": ("(_ NaN 5 11)", math.nan),
}


def fake(text: str, solver: str, time_limit: float) -> Answer:
    """Stand in for a solver; what it does is in the text."""
    if text == "hang":
        time.sleep(3600)
    if text == "crash":
        ctypes.string_at(0)  # a segmentation fault, as native code has them
    if text == "raise":
        raise ArithmeticError("no such\n  luck")
    return Answer(solver, "sat" if solver == "liar" else "unsat")


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_float_model_is_exact_bit_for_bit(solver, pattern):
    term, value = PATTERNS[pattern]
    answer = discharge(FLOATS.format(value=term), solver, 5)
    assert answer.status == "sat", answer
    assert struct.pack("d", abs(answer.model["x"])) == struct.pack("d", abs(value))
    assert math.isnan(value) or math.copysign(1, answer.model["x"]) == math.copysign(1, value)
    assert answer.model["b"] is False
    assert set(answer.model) == {"x", "unused", "b"}, "a constant that no assertion names has a value too"


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_a_real_model_is_a_fraction_and_an_integer_an_int(solver):
    answer = discharge(REALS, solver, 5)
    assert answer.model == {"x": Fraction(-1, 3), "n": -7}
    assert isinstance(answer.model["x"], Fraction)
    assert isinstance(answer.model["n"], int)


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_an_irrational_model_is_not_rounded(solver):
    text = "(set-logic QF_NRA)\n(declare-const x Real)\n(assert (= (* x x) 2.0))\n(check-sat)\n"
    answer = discharge(text, solver, 5)
    assert (answer.status, answer.model) == ("sat", {})
    assert "irrational" in answer.reason


@pytest.mark.parametrize("solver", SOLVERS)
def test_unsat_is_unsat(solver):
    assert discharge(NOTHING, solver, 5).status == "unsat"


@pytest.mark.parametrize("solver", SOLVERS)
def test_text_that_is_not_smtlib_is_an_error_with_its_reason(solver):
    answer = discharge("(set-logic QF_FP)\n(assert unheard)\n(check-sat)\n", solver, 5)
    assert answer.status == "error"
    assert "unheard" in answer.reason


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_solvers_time_limit_holds(solver):
    started = time.monotonic()
    answer = discharge(HARD, solver, 0.5)
    assert answer.status == "unknown", answer
    assert answer.reason
    assert time.monotonic() - started < 0.5 + solvers.GRACE + 3


def test_an_unavailable_solver_gives_no_answer(monkeypatch):
    monkeypatch.setattr(solvers, "find_spec", lambda name: None if name == "cvc5" else object())
    assert solvers.available_solvers() == ("z3", "bitwuzla")
    answer = discharge(NOTHING, "cvc5", 5)
    assert answer.status == "unavailable"
    assert "cvc5 is not installed" in answer.reason


def test_an_unknown_solver_is_refused():
    with pytest.raises(ValueError, match="unknown solver 'yices'"):
        discharge(NOTHING, "yices", 5)


def test_a_hang_is_killed_and_a_crash_survived(monkeypatch):
    monkeypatch.setattr(solvers, "GRACE", 0.5)
    texts = ["hang", "crash", "raise", "fine", "fine"]
    jobs = [Job(text, "fake") for text in texts]
    answers = [
        (job.text, answer.status, answer.reason)
        for job, answer in discharge_all(jobs, time_limit=4, ask=fake)  # a busy machine starts in seconds
    ]
    assert sorted(answers) == [
        ("crash", "error", "the process died with exit code -11"),
        ("fine", "unsat", ""),
        ("fine", "unsat", ""),
        ("hang", "unknown", "killed after 4.5 s"),
        ("raise", "error", "ArithmeticError: no such luck"),
    ]
    assert answers[-1][0] == "hang", "the others do not wait for the one that hangs"


def test_solvers_that_disagree_are_both_heard():
    jobs = [Job("question", "liar"), Job("question", "honest")]
    statuses = {job.solver: answer.status for job, answer in discharge_all(jobs, time_limit=5, ask=fake)}
    assert statuses == {"liar": "sat", "honest": "unsat"}


def test_leaving_early_ends_every_process():
    jobs = [Job("fine", "fake"), Job("hang", "fake")]
    started = time.monotonic()
    answers = discharge_all(jobs, time_limit=600, ask=fake)
    next(answers)
    answers.close()
    assert time.monotonic() - started < 10


def test_an_obligation_is_asked_by_its_text():
    obligation = Obligation(
        claim="c",
        name="n",
        arithmetic="real",
        smtlib=REALS,
        expect="sat",
        variables=(("x", "Real"), ("n", "Int")),
    )
    assert discharge(obligation, "z3", 5).model["x"] == Fraction(-1, 3)


def test_bitwuzla_is_not_asked_about_what_it_does_not_speak():
    assert not can_ask("bitwuzla", "real")
    assert not can_ask("bitwuzla", "bfloat16")
    assert can_ask("bitwuzla", "float32")
    assert can_ask("cvc5", "bfloat16")


@pytest.mark.parametrize(
    ("dtype", "bits", "significand"), [(np.float16, np.uint16, 11), (np.float32, np.uint32, 24)]
)
def test_bit_patterns_read_as_numpy_reads_them(dtype, bits, significand):
    width = np.dtype(bits).itemsize * 8
    patterns = np.random.default_rng(0).integers(0, 1 << width, 5000).astype(bits)
    for pattern, value in zip(patterns.tolist(), patterns.view(dtype).tolist(), strict=True):
        ours = float_from_bits(pattern, width - significand, significand)
        assert (math.isnan(ours) and math.isnan(value)) or ours.hex() == value.hex(), hex(pattern)


def count_calls(text: str, solver: str, time_limit: float) -> Answer:
    """Answer with the number of questions that this process was asked."""
    count_calls.asked = getattr(count_calls, "asked", 0) + 1
    return Answer(solver, "unsat", reason=str(count_calls.asked))


def test_the_same_text_is_asked_once_and_answered_for_every_job():
    jobs = [Job("one", "z3"), Job("one", "z3"), Job("two", "z3"), Job("one", "cvc5")]
    given = list(discharge_all(jobs, time_limit=5, workers=1, ask=count_calls))
    assert len(given) == 4
    assert max(answer.reason for _, answer in given) == "3"
