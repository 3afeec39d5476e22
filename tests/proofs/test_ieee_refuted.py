import numpy as np
import pytest

from qvm_verify.proofs import witness
from qvm_verify.proofs.ieee import question
from qvm_verify.proofs.ieee_refuted import CLAIMS
from qvm_verify.proofs.ieee_steps import mismatches
from qvm_verify.proofs.solvers import Job, discharge_all
from qvm_verify.verdict import Verdict

BY_ID = {claim.id: claim for claim in CLAIMS}


@pytest.fixture(scope="module")
def answers():
    jobs = [Job(question(claim)[0], "bitwuzla") for claim in CLAIMS]
    return {job.question.claim: answer for job, answer in discharge_all(jobs, time_limit=60)}


@pytest.mark.parametrize("name", BY_ID)
def test_each_comes_out_as_expected_and_its_witness_replays(name, answers):
    claim, answer = BY_ID[name], answers[name]
    assert answer.status == question(claim)[0].expect, answer
    if claim.expected is Verdict.REFUTED:
        assert answer.status == "sat", answer
        assert witness.replay(claim, answer.model, {}) is not None
    else:
        assert answer.status == "unsat", answer


@pytest.fixture(scope="module")
def faulty():
    proved = [claim for claim in CLAIMS if claim.expected is Verdict.PROVED]
    asked = {
        (claim.id, fault): question(claim, subject)[0]
        for claim in proved
        for fault, subject in claim.mutants.items()
    }
    jobs = [Job(obligation, "bitwuzla") for obligation in asked.values()]
    given = {job.question: answer for job, answer in discharge_all(jobs, time_limit=60)}
    return {key: given[obligation] for key, obligation in asked.items()}


def test_the_proved_ones_are_refuted_for_a_faulty_neuron(faulty):
    assert {claim for claim, _ in faulty} == {
        "conservation-float16-T1",
        "theorem-3-floor-float32-every-threshold-T2",
    }
    for (claim, fault), answer in faulty.items():
        assert answer.status == "sat", f"{claim} survives {fault!r}"
        assert witness.replay(BY_ID[claim], answer.model, {}, BY_ID[claim].mutants[fault]) is not None


def test_two_steps_are_lossless_for_sampled_thresholds_and_three_or_more_are_not():
    # The solver says so of every threshold; this says that `mismatches` agrees with it.
    thresholds = np.random.default_rng(1).uniform(1, 2, 200).astype(np.float32)
    failing = {
        steps: sum(bool(mismatches("floor", steps, theta)) for theta in thresholds)
        for steps in (2, 3, 4, 6, 8)
    }
    assert failing[2] == 0
    assert all(failing[steps] for steps in (3, 4, 6, 8)), failing
