import numpy as np
import pytest

from qvm_verify.claims.claim import Subject
from qvm_verify.proofs import ieee
from qvm_verify.proofs.ieee import question
from qvm_verify.proofs.ieee_level import BY_ROUNDING, ROUNDING, level_argument
from qvm_verify.proofs.solvers import Job, discharge_all
from qvm_verify.proofs.symbols import Symbols
from qvm_verify.reference import QUANTIZERS, level


def ask(obligations, solvers):
    jobs = [Job(obligation, solver) for obligation in obligations for solver in solvers]
    return [(job.question, job.solver, answer) for job, answer in discharge_all(jobs, time_limit=60)]


def test_rounding_and_the_argument_go_through():
    made = [part for claim in ROUNDING for part in question(claim)]
    made += [part for quantizer in QUANTIZERS for part in level_argument(quantizer)]
    for asked, solver, answer in ask(made, ["z3", "cvc5"]):
        assert answer.status == asked.expect, f"{asked}, {solver}: {answer}"


def test_rounding_to_either_float_is_not_monotone():
    (claim, *_) = ROUNDING
    symbols = Symbols("real")
    case = claim.case(symbols.make, {})
    subject = Subject(symbols.ops)
    for dropped in (1, 2):
        assumptions = claim.assumptions(case, subject)
        del assumptions[dropped]
        asked = symbols.obligation(
            claim=claim.id, name="mutant", assumptions=assumptions, goal=claim.statement(case, subject)
        )
        ((_, _, answer),) = ask([asked], ["z3"])
        assert answer.status == "sat"


def by_bits(factor):
    """Return the question whether a L can descend in float16, asked by bits for one L."""
    symbols, (lemma, _) = Symbols("float16"), BY_ROUNDING
    case = {"a": symbols.number("a"), "c": symbols.number("c"), "levels": symbols.ops.cast(factor, like=None)}
    subject = Subject(symbols.ops)
    return symbols.obligation(
        claim=lemma.id,
        name=f"L = {factor}",
        assumptions=lemma.assumptions(case, subject)[:1],  # without L >= 1
        goal=lemma.goal(case, subject)[0],
    )


def test_the_bits_confirm_what_rounding_says_of_multiplication():
    answers = {asked.name: answer.status for asked, _, answer in ask(map(by_bits, (3, 6, -3)), ["bitwuzla"])}
    assert answers == {"L = 3": "unsat", "L = 6": "unsat", "L = -3": "sat"}


@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_level_never_descends_in_numpy(quantizer, dtype):
    # Not a proof: it would catch a theorem about something else than what runs.
    width = np.dtype(dtype).itemsize * 8
    rng, ends = np.random.default_rng(3), ieee.threshold_range(np.dtype(dtype).name)
    currents = rng.integers(0, 1 << width, 40_000, dtype=f"uint{width}").view(dtype)
    currents = np.sort(
        np.concatenate([currents[~np.isnan(currents)], rng.uniform(-1, 9, 9000).astype(dtype)])
    )
    for theta in [
        dtype(ends.smallest),
        dtype(ends.largest),
        dtype(1),
        *rng.uniform(0.01, 9, 6).astype(dtype),
    ]:
        for levels in (1, 3, 8, 31):
            with np.errstate(over="ignore", invalid="ignore"):
                m = level(currents, threshold=theta, levels=levels, quantizer=quantizer)
            assert (np.diff(m) >= 0).all(), (theta, levels)
            assert (m[0], m[-1]) == (0, levels)
