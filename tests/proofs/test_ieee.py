import numpy as np
import pytest

from qvm_verify.claims.claim import Subject
from qvm_verify.proofs import ieee, witness
from qvm_verify.proofs.ieee import LEMMAS, THEOREM_MONOTONE, mutated, question, threshold_range
from qvm_verify.proofs.solvers import Job, discharge_all
from qvm_verify.reference import IFParameters

MUTANTS = [(lemma.id, fault) for lemma in LEMMAS.values() for fault in lemma.mutants]
LIMIT = 60  # seconds; each takes under one in float16 when it has a core to itself


def answers(obligations, solvers):
    """Return every answer, by obligation and solver."""
    jobs = [Job(obligation, solver) for obligation in obligations for solver in solvers]
    return {(job.question, job.solver): answer for job, answer in discharge_all(jobs, time_limit=LIMIT)}


@pytest.fixture(scope="module")
def float16():
    lemmas = [claim for claim in ieee.claims("float16") if not claim.uses]
    return answers([part for claim in lemmas for part in question(claim)], ["bitwuzla"])


@pytest.mark.parametrize("lemma", LEMMAS)
def test_a_lemma_is_proved_and_not_empty(lemma, float16):
    about = {
        question: answer for (question, _), answer in float16.items() if question.claim == f"{lemma}-float16"
    }
    assert len(about) == 2
    for asked, answer in about.items():
        assert answer.status == asked.expect, f"{asked}: {answer}"


@pytest.fixture(scope="module")
def faulty():
    """Return every mutant in float16: its claim, its neuron and bitwuzla's answer."""
    made = {}
    for lemma, fault in MUTANTS:
        claim, subject = mutated(LEMMAS[lemma], LEMMAS[lemma].mutants[fault], "float16")
        made[lemma, fault] = claim, subject, question(claim, subject)[0]
    given = answers([asked for _, _, asked in made.values()], ["bitwuzla"])
    return {key: (claim, subject, given[asked, "bitwuzla"]) for key, (claim, subject, asked) in made.items()}


def test_every_lemma_has_a_mutant():
    assert {lemma for lemma, _ in MUTANTS} == set(LEMMAS)


@pytest.mark.parametrize(("lemma", "fault"), MUTANTS)
def test_a_mutant_is_refuted_and_its_witness_replays_in_numpy(lemma, fault, faulty):
    claim, subject, answer = faulty[lemma, fault]
    assert answer.status == "sat", f"{lemma} survives {fault!r}: {answer}"
    assert witness.replay(claim, answer.model, {}, subject) is not None, answer.model


def test_a_wrong_witness_does_not_replay():
    claim, subject = mutated(
        LEMMAS["stays-below"], LEMMAS["stays-below"].mutants["x = θ admitted"], "float16"
    )
    assert witness.replay(claim, {"threshold": 1.0, "v": 0.5, "x": 0.25}, {}, subject) is None


@pytest.mark.parametrize("arithmetic", ["float16", "float32", "float64"])
def test_the_domain_of_thresholds_ends_where_numpy_says(arithmetic):
    ends, info = threshold_range(arithmetic), np.finfo(arithmetic)
    assert ends.smallest == float(info.smallest_normal)
    assert ends.largest == float(info.max) / 2


def test_theorem_1_needs_the_end_of_the_domain():
    # Where 2θ overflows, U and V do, too.
    theta = np.float16(threshold_range("float16").largest)
    beyond = np.nextafter(theta, np.float16(np.inf))
    after = []
    for threshold in (theta, beyond):
        with np.errstate(over="ignore"):
            after.append(Subject().run([threshold], threshold, IFParameters(threshold))[0].v)
    assert after[0] == theta
    assert after[1] == np.inf


def test_every_obligation_is_asked_of_someone_and_hard_ones_of_bitwuzla_alone():
    made = ieee.obligations("float32")
    assert all(ieee.asked(obligation) for obligation in made)
    alone = {o.claim for o in made if ieee.asked(o) == ("bitwuzla",)}
    long = {claim for claim in alone if not claim.startswith("theorem-3")}
    assert long == {f"{lemma}-float32" for lemma in ieee.LONG}
    assert {ieee.asked(o) for o in ieee.obligations("bfloat16")} == {("z3", "cvc5")}


def test_the_theorem_uses_lemmas_of_its_own_format():
    for arithmetic in ieee.ARITHMETICS:
        theorems = {claim.id: claim for claim in ieee.claims(arithmetic) if claim.uses}
        assert len(theorems) == 5
        made = {obligation.claim for obligation in ieee.obligations(arithmetic)}
        for name, theorem in theorems.items():
            assert {name, *theorem.uses} <= made
        uses = theorems[f"{THEOREM_MONOTONE.id}-{arithmetic}"].uses
        assert uses == tuple(f"{lemma}-{arithmetic}" for lemma in THEOREM_MONOTONE.lemmas)


def theorem(name):
    return next(claim for claim in ieee.claims("float16") if claim.id == f"{name}-float16")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ieee-count-monotone", {"v_init": 0.0, "x": -1.0, "y": 0.0, "time_steps": 3}),
        ("ieee-level-monotone-floor", {"x": -1.0, "y": 1.0, "levels": 4}),
    ],
)
def test_a_theorem_is_refuted_for_a_faulty_neuron_and_holds_of_the_reference(name, values):
    claim, sizes = theorem(name), {key: value for key, value in values.items() if isinstance(value, int)}
    (fault,) = claim.mutants.values()
    assert witness.replay(claim, {"threshold": 1.0, **values}, sizes, fault) is not None
    assert witness.replay(claim, {"threshold": 1.0, **values}, sizes) is None


def test_ids_are_unique():
    ids = [claim.id for claim in ieee.CLAIMS]
    assert len(ids) == len(set(ids))
