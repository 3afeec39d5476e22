from fractions import Fraction

import pytest

from qvm_verify.claims import claim
from qvm_verify.proofs import farkas, real
from qvm_verify.proofs.linear import Constraint, Linear, NonlinearError, refuted, sharpened

X = Linear((("x", Fraction(1)),))
MINUS_X = Linear((("x", Fraction(-1)),))


def constraint(expression: Linear, relation: str, constant: int = 0) -> Constraint:
    return Constraint(expression.plus(Linear((), Fraction(constant))), relation)  # type: ignore[arg-type]


def question(name: str, part: str) -> str:
    (found,) = (one.smtlib for one in real.obligations(claim(name)) if one.name == part)
    return found


def test_x_at_least_one_and_at_most_zero_contradict() -> None:
    facts = [constraint(X, ">=", -1), constraint(MINUS_X, ">=")]
    assert farkas.contradicts(facts, (Fraction(1), Fraction(1)))
    assert farkas.multipliers_for(facts) is not None


def test_a_strict_inequality_must_take_part_where_the_sum_is_zero() -> None:
    strict, weak = constraint(X, ">"), constraint(X, ">=")
    assert farkas.contradicts([strict, constraint(MINUS_X, ">=")], (Fraction(1), Fraction(1)))
    assert not farkas.contradicts([weak, constraint(MINUS_X, ">=")], (Fraction(1), Fraction(1)))


def test_an_inequality_has_no_negative_multiplier_and_an_equation_may() -> None:
    facts = [constraint(X, ">=", -1), constraint(X, "=")]
    assert farkas.contradicts(facts, (Fraction(1), Fraction(-1)))
    assert not farkas.contradicts([facts[0], constraint(X, ">=")], (Fraction(1), Fraction(-1)))


def test_constraints_that_can_hold_have_no_multipliers() -> None:
    assert farkas.multipliers_for([constraint(X, ">="), constraint(MINUS_X, ">=", 1)]) is None
    assert farkas.multipliers_for([]) is None


@pytest.mark.parametrize(
    ("name", "part"),
    [("theorem-1", "step"), ("theorem-2", "conclusion"), ("conservation", "step"), ("equation-14", "all")],
)
def test_a_corrupted_multiplier_is_caught(name: str, part: str) -> None:
    text = question(name, part)
    certificate = farkas.find(text)
    assert certificate is not None
    assert farkas.check(text, certificate)
    for i, entry in enumerate(certificate):
        for j, multiplier in enumerate(entry or ()):
            if entry is not None and multiplier:
                bad = (*entry[:j], -multiplier, *entry[j + 1 :])
                assert not farkas.check(text, (*certificate[:i], bad, *certificate[i + 1 :]))


def test_a_certificate_with_a_case_left_out_or_added_is_refused() -> None:
    text = question("theorem-1", "step")
    certificate = farkas.find(text)
    assert certificate is not None
    assert not farkas.check(text, certificate[:-1])
    assert not farkas.check(text, (*certificate, certificate[-1]))


def test_a_certificate_of_another_question_is_refused() -> None:
    certificate = farkas.find(question("theorem-1", "step"))
    assert certificate is not None
    assert not farkas.check(question("theorem-2", "step"), certificate)


def test_what_has_a_counterexample_has_no_certificate() -> None:
    assert farkas.find(question("theorem-2-printed", "T = 1")) is None
    assert not farkas.certified(question("theorem-3-ceil", "T = 1"))


def test_products_of_unknowns_are_refused() -> None:
    assert farkas.find(question("scaling", "step")) is None
    with pytest.raises(NonlinearError):
        refuted("(declare-const x Real)(assert (> (* x x) 1.0))", lambda facts: False)


def test_integers_are_sharpened() -> None:
    between = Constraint(Linear((("k", Fraction(2)),), Fraction(-1)), ">")  # 2k > 1, hence k >= 1
    assert sharpened(between, frozenset("k")) == Constraint(Linear((("k", Fraction(1)),), Fraction(-1)), ">=")
    assert sharpened(between, frozenset()) == between


def test_the_integers_are_used_where_the_reals_do_not_suffice() -> None:
    gap = "(declare-const k Int)(assert (> (* 2 k) 1))(assert (< k 1))"
    assert farkas.certified(gap)
    assert not farkas.certified(gap.replace("Int", "Real"))
