from collections import Counter

import numpy as np
import pytest

from qvm_verify.proofs import ieee
from qvm_verify.proofs.ieee_order import Order
from qvm_verify.proofs.ieee_theorem import CASES, THEOREM_MONOTONE, cited, step_case
from qvm_verify.proofs.solvers import Job, discharge_all
from qvm_verify.proofs.symbols import Symbols
from qvm_verify.reference import IFParameters, simulate

NEEDED = [(case.name, lemma) for case in CASES for lemma in cited(case)]
SOLVERS = ["z3", "cvc5"]


def ask(obligations, solvers=("z3",)):
    """Return every answer, by obligation and solver."""
    jobs = [Job(obligation, solver) for obligation in obligations for solver in solvers]
    return {(job.question, job.solver): answer for job, answer in discharge_all(jobs, time_limit=30)}


def test_the_argument_goes_through_and_is_not_empty():
    argument = THEOREM_MONOTONE.argument("claim")
    kinds = Counter(obligation.expect for obligation in argument)
    assert kinds["unsat"] == len(CASES) + 3, "base, every case, their union, conclusion"
    for (asked, solver), answer in ask(argument, SOLVERS).items():
        assert answer.status == asked.expect, f"{asked}, {solver}: {answer}"


@pytest.fixture(scope="module")
def crippled():
    made = {
        (case.name, lemma): step_case(case, "claim", without=lemma) for case in CASES for lemma in cited(case)
    }
    given = ask(made.values())
    return {key: given[asked, "z3"] for key, asked in made.items()}


@pytest.mark.parametrize(("case", "lemma"), NEEDED)
def test_no_case_goes_through_without_a_lemma_that_it_cites(case, lemma, crippled):
    assert crippled[case, lemma].status == "sat"


def test_the_theorem_cites_every_lemma_of_its_cases():
    assert set(THEOREM_MONOTONE.lemmas) == {lemma for _, lemma in NEEDED}


def test_an_order_knows_nothing_of_sums_but_that_they_repeat():
    symbols = Symbols("real")
    order = Order(symbols)
    a, b = order.value("a"), order.value("b")
    goals = {
        "a + b is a + b": ((a + b) == (a + b), [(a + b) >= 0], "unsat"),
        "a + b is b + a": ((a + b) == (b + a), [(a + b) >= 0, (b + a) >= 0], "sat"),
        "a sum is a number": ((a + b) == (a + b), [a <= b], "sat"),
        "a value is at most itself, or NaN": (a <= a, [], "sat"),
        "comparison is total on numbers": ((a <= b) | (b <= a), [a >= 0, b >= 0], "unsat"),
        "1 is below 2": (order.lift(1) < order.lift(2), [], "unsat"),
    }
    for name, (goal, assumptions, expected) in goals.items():
        asked = symbols.obligation(claim="order", name=name, assumptions=assumptions, goal=goal)
        assert ask([asked])[asked, "z3"].status == expected, name


def sorted_floats(dtype, rng, theta, size):
    """Return currents of every kind in ascending order: any bit pattern, and the neighbourhood of [0, θ]."""
    width = np.dtype(dtype).itemsize * 8
    anything = rng.integers(0, 1 << width, size, dtype=f"uint{width}").view(dtype)
    near = (rng.uniform(-0.2, 1.2, size) * float(theta)).astype(dtype)
    tiny = np.nextafter(dtype(0), dtype(-1))
    special = np.array([-np.inf, -0.0, 0.0, tiny, -tiny, theta, np.nextafter(theta, dtype(0)), np.inf], dtype)
    currents = np.concatenate([anything, near, special, -near * np.finfo(dtype).eps])
    return np.sort(currents[~np.isnan(currents)])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_count_never_descends_in_numpy(dtype):
    # Not a proof: it would catch a theorem about something else than what runs.
    rng, ends = np.random.default_rng(7), ieee.threshold_range(np.dtype(dtype).name)
    thresholds = [
        dtype(ends.smallest),
        dtype(ends.largest),
        dtype(1),
        *rng.uniform(0.01, 9, 12).astype(dtype),
    ]
    for theta in thresholds:
        currents = sorted_floats(dtype, rng, theta, 2000)
        for v_init in (dtype(0), theta / dtype(2), theta, np.nextafter(theta, dtype(0))):
            with np.errstate(over="ignore", invalid="ignore"):
                run = simulate(
                    np.broadcast_to(currents, (17, *currents.shape)),
                    v_init=v_init,
                    parameters=IFParameters(theta),
                )
            count = run.spike_count
            assert (np.diff(count) >= 0).all(), (dtype, theta, v_init)
            assert count[0] == 0
            assert count[-1] == 17
