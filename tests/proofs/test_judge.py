from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from qvm_verify.claims import claim
from qvm_verify.proofs import real, witness
from qvm_verify.proofs.judge import Judgement, judge
from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.solvers import Answer
from qvm_verify.verdict import Verdict

HOLDS = claim("theorem-1")
FALSE = claim("theorem-2-printed")


def answers_as_expected(questions: Sequence[Obligation]) -> dict[Obligation, list[Answer]]:
    model = {"v_init": Fraction(1), "current_1": Fraction(1)}
    return {
        question: [Answer(solver, question.expect, model) for solver in ("z3", "cvc5")]
        for question in questions
    }


def judged(name: str, changed: Mapping[str, Sequence[Answer]], **options: object) -> Judgement:
    """Judge a claim whose questions are answered as expected, but for those named in `changed`."""
    one = claim(name)
    questions = real.obligations(one)
    answers = answers_as_expected(questions)
    assert set(changed) <= {question.name for question in questions}
    for question in questions:
        if question.name in changed:
            answers[question] = list(changed[question.name])
    return judge(one, answers, **options)  # type: ignore[arg-type]


def test_a_claim_is_proved_where_every_question_is_answered_as_expected() -> None:
    assert judged("theorem-1", {}).evidence.verdict is Verdict.PROVED


@pytest.mark.parametrize("part", ["base", "step", "conclusion"])
def test_a_proof_without_one_of_its_parts_is_none(part: str) -> None:
    undecided = [Answer("z3", "unknown", reason="timeout")]
    assert judged("theorem-1", {part: undecided}).evidence.verdict is Verdict.UNKNOWN


def test_an_invariant_that_is_not_inductive_proves_and_refutes_nothing() -> None:
    assert judged("theorem-1", {"step": [Answer("z3", "sat")]}).evidence.verdict is Verdict.UNKNOWN


def test_solvers_that_disagree_are_an_error() -> None:
    found = judged("theorem-1", {"step": [Answer("z3", "unsat"), Answer("cvc5", "sat")]})
    assert found.evidence.verdict is Verdict.ERROR
    assert "disagree" in found.evidence.detail


def test_a_crash_is_an_error() -> None:
    found = judged("theorem-1", {"step": [Answer("z3", "unsat"), Answer("cvc5", "error", reason="died")]})
    assert found.evidence.verdict is Verdict.ERROR


def test_assumptions_that_nothing_meets_are_an_error() -> None:
    found = judged("theorem-1", {"assumptions of step": [Answer("z3", "unsat")]})
    assert found.evidence.verdict is Verdict.ERROR


def test_one_answer_settles_and_the_evidence_says_who_answered() -> None:
    one = [Answer("z3", "unsat"), Answer("cvc5", "unknown", reason="timeout")]
    found = judged("theorem-1", {"step": one})
    assert found.evidence.verdict is Verdict.PROVED
    assert found.solvers == {"z3": found.questions, "cvc5": found.questions - 1}


def test_a_counterexample_is_believed_after_its_replay() -> None:
    found = judged("theorem-2-printed", {})
    assert found.evidence.verdict is Verdict.REFUTED
    assert found.as_expected
    assert found.witness is not None
    assert found.witness.values["v_init"] == 1


def test_a_counterexample_that_does_not_replay_is_an_error() -> None:
    lie = Answer("z3", "sat", {"v_init": Fraction(0), "current_1": Fraction(0)})
    found = judged("theorem-2-printed", {"T = 1": [lie]})
    assert found.evidence.verdict is Verdict.ERROR
    assert "does not replay" in found.evidence.detail


def test_a_refutation_without_a_witness_is_not_as_expected() -> None:
    bare = judged("theorem-2-printed", {})
    assert not replace(bare, witness=None).as_expected


def test_a_proof_rests_on_proved_claims_only() -> None:
    assert judged("theorem-2", {}).evidence.verdict is Verdict.UNKNOWN
    assert judged("theorem-2", {}, proved={"scaling", "level-scaling"}).evidence.verdict is Verdict.PROVED


def test_nobody_asked_is_unknown() -> None:
    questions = real.obligations(HOLDS)
    assert judge(HOLDS, {question: [] for question in questions}).evidence.verdict is Verdict.UNKNOWN
    assert judge(HOLDS, {}).evidence.verdict is Verdict.UNKNOWN


def test_a_failed_identity_is_an_error() -> None:
    assert judged("theorem-1", {}, failed_identities=["Case 1"]).evidence.verdict is Verdict.ERROR


def test_a_certificate_that_contradicts_the_solvers_is_an_error() -> None:
    step = next(question for question in real.obligations(HOLDS) if question.name == "step")
    found = judged("theorem-1", {"step": [Answer("z3", "sat")]}, certified={step: None})
    assert found.evidence.verdict is Verdict.ERROR


def test_a_crash_of_the_certificate_checker_is_an_error() -> None:
    step = next(question for question in real.obligations(HOLDS) if question.name == "step")
    assert judged("theorem-1", {}, certified={step: "TypeError"}).evidence.verdict is Verdict.ERROR


def test_the_smallest_counterexample_is_smallest_because_below_it_there_is_none() -> None:
    below = [q for q in real.obligations(claim("theorem-3-floor-streaming")) if q.name == "T = 1"]
    assert [q.expect for q in below] == ["unsat"]
    assert FALSE.smallest == {"time_steps": 1}


def test_a_counterexample_without_exact_numbers_is_passed_over_for_one_that_has_them() -> None:
    irrational = Answer("cvc5", "sat", reason="no exact model: it holds the irrational number √2")
    exact = Answer("z3", "sat", {"v_init": Fraction(1), "current_1": Fraction(1)})
    assert judged("theorem-2-printed", {"T = 1": [irrational, exact]}).evidence.verdict is Verdict.REFUTED
    found = judged("theorem-2-printed", {"T = 1": [irrational]})
    assert found.evidence.verdict is Verdict.ERROR
    assert "no solver gave a counterexample that can be replayed" in found.evidence.detail


def test_a_counterexample_that_is_no_number_does_not_replay() -> None:
    values = {"v_init": Fraction(1), "current_1": float("nan")}
    assert witness.replay(FALSE, values, {"time_steps": 1}) is None
    with pytest.raises(ValueError, match="no bfloat16"):
        witness.number_maker("bfloat16")
