from fractions import Fraction

import pytest
import z3

from qvm_verify.claims import CLAIMS, Claim, Subject, claim
from qvm_verify.claims.mutants import FiresOnTheOtherSide, ResetsToZero, ResetsTwice
from qvm_verify.proofs import induction, real
from qvm_verify.proofs.induction import Induction
from qvm_verify.proofs.invariants import INDUCTIONS, constant_current, potential_is_bounded
from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.solvers import Job, ask_solver, discharge_all
from qvm_verify.proofs.symbols import Symbols, float_value
from qvm_verify.verdict import Verdict

AT_ONCE = [
    one
    for one in CLAIMS
    if one.arithmetic == "real" and one.expected is Verdict.PROVED and one.id not in INDUCTIONS
]
INDUCTIVE = [pytest.param(name, id=name) for name in INDUCTIONS]


def answers(obligations: list[Obligation], solver: str = "z3") -> dict[str, str]:
    return {one.name: ask_solver(one.smtlib, solver, 20).status for one in obligations}


def failing(obligations: list[Obligation]) -> list[str]:
    found = answers(obligations)
    return [one.name for one in obligations if found[one.name] != one.expect]


def test_every_claim_about_runs_that_holds_is_proved_by_induction_or_for_one_t() -> None:
    for one in CLAIMS:
        variable = "time_steps" in {v.name for v in one.variables} and "time_steps" not in one.constants
        runs = variable and {v.name for v in one.variables} & {"current", "weight"}
        if one.expected is Verdict.PROVED and runs:
            assert one.id in INDUCTIONS


@pytest.mark.parametrize("name", INDUCTIVE)
def test_base_step_and_conclusion_go_through_and_none_is_empty(name: str) -> None:
    parts = induction.obligations(claim(name), INDUCTIONS[name])
    wanted = ["base", "step", "conclusion"]
    assert [one.name for one in parts if not one.vacuity] == wanted
    assert [one.name for one in parts if one.vacuity] == [f"assumptions of {part}" for part in wanted]
    assert failing(parts) == []


@pytest.mark.parametrize(
    ("name", "mutant"),
    [
        ("conservation", ResetsToZero),
        ("theorem-1", ResetsTwice),
        ("theorem-2", FiresOnTheOtherSide),
        ("theorem-3-floor-every-current", FiresOnTheOtherSide),
        ("theorem-3-ceil-strict", FiresOnTheOtherSide),
    ],
)
def test_the_step_of_a_mutant_does_not_go_through(name: str, mutant: type[Subject]) -> None:
    assert failing(induction.obligations(claim(name), INDUCTIONS[name], mutant)) == ["step"]


def test_an_invariant_that_says_too_little_does_not_conclude() -> None:
    weak = Induction(invariant=potential_is_bounded)
    assert "conclusion" in failing(induction.obligations(claim("theorem-2"), weak))


def test_an_invariant_for_the_wrong_firing_is_not_inductive() -> None:
    wrong = Induction(invariant=constant_current)
    assert "step" in failing(induction.obligations(claim("theorem-3-ceil-strict"), wrong))


def test_questions_are_the_same_text_whatever_was_asked_before() -> None:
    first = [real.obligations(one) for one in CLAIMS[:12]]
    again = [real.obligations(one) for one in reversed(CLAIMS[:12])]
    assert first == again[::-1]


def test_theorem_1_and_conservation_keep_theta_symbolic() -> None:
    for name in ("conservation", "theorem-1", "scaling"):
        for one in induction.obligations(claim(name), INDUCTIONS[name]):
            assert ("threshold", "Real") in one.variables


def test_a_proof_in_units_of_the_threshold_rests_on_the_claims_that_allow_them() -> None:
    for name, how in INDUCTIONS.items():
        if how.unit_threshold and "threshold" in {v.name for v in claim(name).variables}:
            assert {"scaling", "level-scaling"} <= set(claim(name).uses), name
    (question, _) = real.obligations(claim("level-scaling"))
    assert ("threshold", "Real") in question.variables


def test_below_the_smallest_counterexample_every_size_is_asked() -> None:
    asked = [one for one in real.obligations(claim("section-6.3-case-1")) if not one.vacuity]
    below = [sizes < (4, 2) for sizes in (tuple(dict(one.sizes).values()) for one in asked[:-1])]
    assert all(below)
    assert dict(asked[-1].sizes) == {"levels": 4, "time_steps": 2}
    assert [one.expect for one in asked] == ["unsat"] * 7 + ["sat"]


@pytest.mark.parametrize("one", [pytest.param(one, id=one.id) for one in CLAIMS if one.smallest])
def test_z3_finds_the_counterexample_at_its_size_and_none_below(one: Claim) -> None:
    assert failing(real.obligations(one)) == []


@pytest.mark.parametrize("one", [pytest.param(one, id=one.id) for one in AT_ONCE])
def test_what_needs_no_induction_is_proved_at_once(one: Claim) -> None:
    assert failing(real.obligations(one)) == []


def test_cvc5_agrees_on_the_conclusions() -> None:
    names = ("theorem-2", "theorem-3-ceil-below", "theorem-3-round-half-even-where", "equation-15")
    questions = [induction.obligations(claim(name), INDUCTIONS[name])[4] for name in names]
    jobs = [Job(question, "cvc5") for question in questions]
    assert {answer.status for _, answer in discharge_all(jobs, time_limit=20)} == {"unsat"}


def test_a_question_about_concrete_values_is_what_the_reference_computes() -> None:
    symbols = Symbols("real")
    subject, exact = Subject(symbols.ops), Subject()
    for numerator in range(-6, 13):
        z = Fraction(numerator, 4)
        for quantizer in ("floor", "round", "round_half_even", "ceil"):
            term = subject.quantize(symbols.ops.cast(z, like=None), quantizer)
            asked = symbols.obligation(
                claim="c", name="n", assumptions=[], goal=term == exact.quantize(z, quantizer)
            )
            assert ask_solver(asked.smtlib, "z3", 5).status == "unsat"


def test_floats_have_no_integers_and_no_words() -> None:
    symbols = Symbols("float32")
    with pytest.raises(ValueError, match="an integer variable has no meaning in float32"):
        symbols.integer("k")
    with pytest.raises(TypeError, match="no float for 'one'"):
        float_value("one", z3.Float32())
