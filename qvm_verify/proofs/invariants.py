"""The invariants that carry the claims over time, each a few lines of what is true after k steps.

All but the first two are in units of the threshold, θ = 1.
"""

from __future__ import annotations

from typing import Any

from qvm_verify.claims.claim import all_of, implies
from qvm_verify.proofs.accumulation import Run, RunState
from qvm_verify.proofs.induction import Induction, Moment
from qvm_verify.reference.errors import magnitude


def only_run(moment: Moment) -> tuple[Run, RunState]:
    """Return the one run of a statement and its state."""
    (run,), (state,) = moment.accumulators, moment.states
    assert isinstance(run, Run)
    return run, state


def charge_is_conserved(moment: Moment) -> list[Any]:
    """V = V_0 + Q - θ n."""
    run, state = only_run(moment)
    return [state.v == run.v_init + state.total - state.removed]


def potential_is_bounded(moment: Moment) -> list[Any]:
    """0 <= V <= θ."""
    run, state = only_run(moment)
    return [state.v >= 0, state.v <= run.parameters.threshold]


def runs_are_proportional(moment: Moment) -> list[Any]:
    """Equal counts and V' = c V."""
    one, other = moment.states
    return [other.spike_count == one.spike_count, other.v == moment.case["scale"] * one.v]


def bounded_currents(moment: Moment) -> list[Any]:
    """V = V_0 + Q - n, 0 <= V <= 1, n <= k, and V = 1 only while every step has fired."""
    run, state = only_run(moment)
    return [
        state.v == run.v_init + state.total - state.spike_count,
        *potential_is_bounded(moment),
        state.spike_count <= moment.steps,
        (state.v < 1) | (state.spike_count == moment.steps),
    ]


def constant_current(moment: Moment) -> list[Any]:
    """Conservation, and what the current decides: it never fires, always fires, or stays bounded.

    q < 0: n = 0 and Q <= 0.  q > 1: n = k and Q >= k.  Else: `bounded_currents` and 0 <= Q <= k.
    """
    run, state = only_run(moment)
    q, n, k, ops = run.current, state.spike_count, moment.steps, moment.ops
    silent = all_of(n == 0, state.total <= 0, state.v <= run.v_init)
    always = all_of(n == k, state.total >= k, state.v >= 0)
    between = all_of(*bounded_currents(moment), state.total >= 0, state.total <= k)
    return [
        state.v == run.v_init + state.total - n,
        implies(q < 0, silent, ops),
        implies(q > 1, always, ops),
        implies(all_of(q >= 0, q <= 1), between, ops),
    ]


def constant_current_fired_strictly(moment: Moment) -> list[Any]:
    """`constant_current` where U > θ fires: 0 < V <= 1 under 0 <= q <= 1, with no exception for V = 1."""
    run, state = only_run(moment)
    q, n, k, ops = run.current, state.spike_count, moment.steps, moment.ops
    between = all_of(state.v > 0, state.v <= 1, n <= k, state.total >= 0, state.total <= k)
    return [
        state.v == run.v_init + state.total - n,
        implies(q < 0, all_of(n == 0, state.total <= 0, state.v <= run.v_init), ops),
        implies(q > 1, all_of(n == k, state.total >= k, state.v > 0), ops),
        implies(all_of(q >= 0, q <= 1), between, ops),
    ]


def sum_is_within_reach(moment: Moment) -> list[Any]:
    """|Σ w δ| <= Σ |w| |δ|."""
    delta, reach = moment.states
    return [magnitude(delta, moment.ops) <= reach]


_CONSTANT = Induction(invariant=constant_current)
_BOUNDED = Induction(invariant=bounded_currents)
INDUCTIONS = {
    "conservation": Induction(invariant=charge_is_conserved, unit_threshold=False),
    "scaling": Induction(invariant=runs_are_proportional, unit_threshold=False),
    "theorem-1": Induction(invariant=potential_is_bounded, unit_threshold=False),
    "theorem-2": _BOUNDED,
    "theorem-3-floor": _CONSTANT,
    "theorem-3-floor-every-current": _CONSTANT,
    "theorem-3-round": _CONSTANT,
    "theorem-3-round-every-current": _CONSTANT,
    "theorem-3-round-half-even-where": _CONSTANT,
    "theorem-3-ceil-non-integer": _CONSTANT,
    "theorem-3-ceil-strict": Induction(invariant=constant_current_fired_strictly),
    "theorem-3-ceil-below": _CONSTANT,
    "theorem-3-floor-streaming-bounded": _BOUNDED,
    "theorem-3-round-streaming-bounded": _BOUNDED,
    "equation-15": Induction(invariant=sum_is_within_reach, cross_check=False),
    "zero-error-sufficient": Induction(invariant=constant_current, products=True),
    "section-6.3-only-at-L": Induction(invariant=constant_current, products=True),
    "section-4-error-remains": Induction(invariant=constant_current, products=True),
}
"""How each claim about runs (or about any number of inputs) is proved for all of them."""
