"""Each step is written once over `ops`: here the same functions run on z3 terms, and z3 judges them."""

import pytest
import z3

from qvm_verify import reference

THETA, V, X = z3.Reals("theta v x")
BOUNDED = [THETA > 0, V >= 0, V <= THETA, X >= 0, X <= THETA]


class Z3Ops:
    """The reference's few operations on z3 reals."""

    def where(self, condition, yes, no):
        return z3.If(condition, yes, no)

    def floor(self, x):
        return z3.ToReal(z3.ToInt(x))

    def ceil(self, x):
        return -self.floor(-x)

    def cast(self, value, like):
        return value if isinstance(value, z3.ExprRef) else z3.RealVal(str(value))


OPS = Z3Ops()


def holds(claim, assumptions):
    """Tell whether z3 proves that the assumptions imply the claim; never guess on an unknown."""
    solver = z3.Solver()
    solver.set("timeout", 20_000)
    solver.add(*assumptions, z3.Not(claim))
    answer = solver.check()
    assert answer != z3.unknown
    return answer == z3.unsat


def within(v):
    return z3.And(v >= 0, v <= THETA)


def test_z3_proves_the_inductive_step_of_theorem_1_for_the_code_that_runs():
    step = reference.if_step(X, V, reference.IFParameters(THETA), OPS)
    assert holds(within(step.v), BOUNDED)


def test_z3_refutes_a_neuron_that_resets_by_half_its_threshold():
    u, spike, _ = reference.if_step(X, V, reference.IFParameters(THETA), OPS)
    mutant = OPS.where(spike, u - THETA / 2, u)
    assert not holds(within(mutant), BOUNDED)


@pytest.mark.parametrize("dropped", range(1, len(BOUNDED)))
def test_theorem_1_needs_each_of_its_assumptions(dropped):
    step = reference.if_step(X, V, reference.IFParameters(THETA), OPS)
    assert not holds(within(step.v), BOUNDED[:dropped] + BOUNDED[dropped + 1 :])


@pytest.mark.parametrize(("reset", "expected"), [("reset_by_subtraction", True), ("reset_to_zero", False)])
def test_z3_decides_which_reset_conserves_charge_over_three_steps(reset, expected):
    currents = z3.Reals("q1 q2 q3")
    steps = reference.if_steps(currents, V, reference.IFParameters(THETA, reset=reset), OPS)
    kept = reference.conserved_potential(
        v_init=V,
        total_current=z3.Sum(*currents),
        threshold=THETA,
        spike_count=reference.count_spikes(steps, OPS),
    )
    assert holds(steps[-1].v == kept, [THETA > 0]) is expected


@pytest.mark.parametrize(
    ("quantizer", "firing", "expected"),
    [
        ("floor", ">=", True),
        ("round", ">=", True),
        ("round_half_even", ">=", False),
        ("ceil", ">=", False),
        ("ceil", ">", True),
        ("floor", ">", False),
    ],
)
def test_z3_decides_theorem_3_for_two_time_steps_and_every_real_current(quantizer, firing, expected):
    one = z3.RealVal(1)
    v_init = z3.RealVal(str(reference.MATCHED_V_INIT[quantizer]))
    steps = reference.if_steps([X, X], v_init, reference.IFParameters(one, firing), OPS)
    level = reference.level(X, threshold=one, levels=2, quantizer=quantizer, ops=OPS)
    assert holds(reference.count_spikes(steps, OPS) == level, []) is expected


def test_z3_proves_eq_14_and_its_sharper_form():
    z, delta = z3.Reals("z delta")
    error = OPS.floor(z + delta) - OPS.floor(z)
    sharp = reference.sharp_count_error_bound(delta, OPS)
    assert holds(z3.And(error <= sharp, -error <= sharp), [])
    assert holds(sharp <= reference.count_error_bound(delta, OPS), [])
    assert not holds(error < sharp, [])


def test_z3_proves_that_both_errors_agree_where_t_equals_l():
    m, n = z3.Reals("m n")
    conversion = reference.conversion_error(activation=THETA / 4 * m, scaled_rate=THETA / 4 * n, ops=OPS)
    uneven = reference.unevenness_error(threshold=THETA, time_steps=4, level=m, spike_count=n, ops=OPS)
    assert holds(conversion == uneven, [THETA > 0])
    assert not holds(conversion == 0, [THETA > 0])


@pytest.mark.parametrize("quantizer", reference.QUANTIZERS)
def test_z3_proves_that_an_activation_lies_between_zero_and_its_threshold(quantizer):
    a = reference.activation(X, threshold=THETA, levels=3, quantizer=quantizer, ops=OPS)
    assert holds(z3.And(a >= 0, a <= THETA), [THETA > 0])
    assert not holds(a < THETA, [THETA > 0])
