"""The lemmas put together: the spike count under constant current is monotone, in floats, for every T.

Two runs of one neuron are compared, under the constant currents x <= y, both from V_0 in [0, θ]; neither
current is NaN, and otherwise they may be anything: negative, over the threshold, infinite. By induction on t
two invariants hold. Of each run, with n spikes after t steps:

    x >= θ  implies  n = t            x >= 0  implies  V >= 0
    x < θ   implies  V <= θ           V < θ or n = t            0 <= n <= t

and of the pair (n, V) under x, (m, W) under y:

    y >= θ,  or n < m,  or n = m and V <= W,  or n = m and x < 0 and V < θ.

The second gives n <= m: in its first case m = t. Base, every case of the step, and the conclusion are
obligations of their own about values of which only the order is known (`ieee_order`); a case may use the
lemmas that it cites and nothing else about floats. So this part is the same for every float format, and what
depends on the format is in the lemmas. What is left outside the solvers is the induction principle itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from qvm_verify.claims.claim import Subject
from qvm_verify.proofs.ieee_lemmas import DOMAIN, LEMMAS, Lemma
from qvm_verify.proofs.ieee_order import Order, Ordered
from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.symbols import Symbols
from qvm_verify.reference import IFParameters, IFStep, if_step


class Run(NamedTuple):
    """A run after some steps."""

    current: Ordered
    n: Any  # spikes so far
    v: Ordered


class Pair(NamedTuple):
    """Two runs after t steps, and the neuron."""

    lower: Run
    upper: Run
    t: Any
    theta: Ordered
    order: Order


Instance = tuple[str, Mapping[str, Ordered]]  # a lemma's id, and what its variables stand for


class Case(NamedTuple):
    """One case of the inductive step: `when` it applies, what it must show, and the lemmas it may use."""

    name: str
    when: Callable[[Pair], list[Any]]
    lemmas: Callable[[Pair], list[Instance]]
    goal: Callable[[Pair, Pair], Any]  # the pair before and after the step


def run_invariant(run: Run, pair: Pair) -> dict[str, Any]:
    """Return what holds of each run after t steps, by name."""
    x, theta = run.current, pair.theta
    return {
        "x >= θ: n = t": (x < theta) | (run.n == pair.t),
        "x >= 0: V >= 0": (x < 0) | (run.v >= 0),
        "x < θ: V <= θ": (x >= theta) | (run.v <= theta),
        "V < θ or n = t": (run.v < theta) | (run.n == pair.t),
        "0 <= n <= t": (run.n >= 0) & (run.n <= pair.t),
    }


def pair_invariant(pair: Pair) -> Any:
    """Return what holds of the two runs together."""
    lower, upper, theta = pair.lower, pair.upper, pair.theta
    silent = (lower.current < 0) & (lower.v < theta)
    return (
        (upper.current >= theta)
        | (lower.n < upper.n)
        | ((lower.n == upper.n) & ((lower.v <= upper.v) | silent))
    )


def _of_step(pair: Pair, run: Run) -> dict[str, Ordered]:
    return {"threshold": pair.theta, "v": run.v, "x": run.current}


def _u(pair: Pair, run: Run) -> Ordered:
    return pair.order.lift(if_step(run.current, run.v, IFParameters(pair.theta), pair.order).u)


def _one_run(name: str, lemma_ids: tuple[str, ...]) -> Case:
    """Make the case that keeps one part of the invariant of a run."""
    return Case(
        name=f"one run: {name}",
        when=lambda p: [],
        lemmas=lambda p: [(lemma, _of_step(p, p.lower)) for lemma in lemma_ids],
        goal=lambda before, after: run_invariant(after.lower, after)[name],
    )


def _moderate(p: Pair) -> list[Any]:
    return [p.lower.current >= 0, p.upper.current < p.theta]


def _addition(p: Pair) -> list[Instance]:
    """V + x <= W + x = x + W <= y + W = W + y, and what a spike leaves keeps the order."""
    (x, _, v), (y, _, w) = p.lower, p.upper
    return [
        ("addition-monotone", {"a": v, "c": w, "x": x}),
        ("addition-commutes", {"a": w, "x": x}),
        ("addition-monotone", {"a": x, "c": y, "x": w}),
        ("addition-commutes", {"a": y, "x": w}),
        ("reset-monotone", {"threshold": p.theta, "a": _u(p, p.lower), "c": _u(p, p.upper)}),
    ]


def _pair_goal(before: Pair, after: Pair) -> Any:
    return pair_invariant(after)


CASES = (
    _one_run("x >= θ: n = t", ("over-threshold-fires",)),
    _one_run("x >= 0: V >= 0", ("stays-nonnegative",)),
    _one_run("x < θ: V <= θ", ("stays-bounded",)),
    _one_run("V < θ or n = t", ("stays-below", "stays-bounded", "over-threshold-fires")),
    _one_run("0 <= n <= t", ()),
    Case("y >= θ", lambda p: [p.upper.current >= p.theta], lambda p: [], _pair_goal),
    Case(
        "x < 0, V < θ: the lower run never fires again",
        lambda p: [p.lower.current < 0, p.lower.v < p.theta],
        lambda p: [
            ("negative-never-fires", _of_step(p, p.lower)),
            ("negative-ends-below", _of_step(p, p.lower)),
        ],
        _pair_goal,
    ),
    Case(
        "x < 0 <= y, V = θ: both fire, the lower run for the last time",
        lambda p: [p.lower.current < 0, p.lower.v >= p.theta, p.upper.current >= 0],
        lambda p: [
            ("full-potential-fires", _of_step(p, p.upper)),
            ("negative-ends-below", _of_step(p, p.lower)),
        ],
        _pair_goal,
    ),
    Case(
        "x <= y < 0, V = θ: the lower run fires only where the upper one does",
        lambda p: [p.lower.v >= p.theta, p.upper.current < 0],
        lambda p: [
            (
                "negative-first-spike",
                {**_of_step(p, p.lower), "w": p.upper.v, "y": p.upper.current},
            ),
            ("negative-ends-below", _of_step(p, p.lower)),
        ],
        _pair_goal,
    ),
    Case(
        "0 <= x <= y < θ, n = m: the potentials keep their order",
        lambda p: [*_moderate(p), p.lower.n == p.upper.n],
        _addition,
        _pair_goal,
    ),
    Case(
        "0 <= x <= y < θ, n < m: a spike that catches up leaves less than the other run holds",
        lambda p: [*_moderate(p), p.lower.n < p.upper.n],
        lambda p: [
            ("spike-leaves-less", _of_step(p, p.lower)),
            ("addition-grows", {"v": p.upper.v, "x": p.upper.current}),
        ],
        _pair_goal,
    ),
)


def instance(lemma: Lemma, values: Mapping[str, Ordered], order: Order) -> Any:
    """Return the lemma for these values: its assumptions fail, or its goal holds."""
    subject = Subject(order)
    fails = [~condition for condition in lemma.assumptions(values, subject)]
    *others, holds = lemma.goal(values, subject)
    for condition in others:
        holds = holds & condition
    for failure in fails:
        holds = holds | failure
    return holds


def _advance(pair: Pair) -> Pair:
    def after(run: Run) -> Run:
        one: IFStep = if_step(run.current, run.v, IFParameters(pair.theta), pair.order)
        return run._replace(n=pair.order.where(one.spike, run.n + 1, run.n), v=one.v)

    return pair._replace(lower=after(pair.lower), upper=after(pair.upper), t=pair.t + 1)


def _make(symbols: Symbols) -> tuple[Pair, list[Any]]:
    """Return two runs after t steps, with what is always true of their currents and the threshold."""
    order = Order(symbols)
    theta, x, y = order.value("theta"), order.value("x"), order.value("y")
    lower = Run(x, symbols.count("n"), order.value("v"))
    upper = Run(y, symbols.count("m"), order.value("w"))
    return Pair(lower, upper, symbols.count("t"), theta, order), [theta > 0, x <= y]


def _invariants(pair: Pair) -> list[Any]:
    runs = [*run_invariant(pair.lower, pair).values(), *run_invariant(pair.upper, pair).values()]
    return [*runs, pair_invariant(pair)]


def _all(conditions: list[Any]) -> Any:
    first, *others = conditions
    for condition in others:
        first = first & condition
    return first


@dataclass(frozen=True)
class Theorem:
    """A statement about floats that follows from lemmas by the obligations of `argument(claim id)`."""

    id: str
    says: str
    domain: str
    lemmas: tuple[str, ...]
    argument: Callable[[str], list[Obligation]]


def step_case(case: Case, claim: str, without: str | None = None) -> Obligation:
    """Return the obligation of one case of the step; `without` one of its lemmas, to see it fail."""
    symbols = Symbols("real")
    pair, facts = _make(symbols)
    used = [
        instance(LEMMAS[lemma], values, pair.order) for lemma, values in case.lemmas(pair) if lemma != without
    ]
    return symbols.obligation(
        claim=claim,
        name=f"step, {case.name}",
        assumptions=[*facts, *_invariants(pair), *case.when(pair), *used],
        goal=case.goal(pair, _advance(pair)),
    )


@cache
def _argument() -> tuple[Obligation, ...]:
    return tuple(_parts(THEOREM_MONOTONE.id))


def _parts(claim: str) -> Iterator[Obligation]:
    symbols = Symbols("real")
    pair, facts = _make(symbols)
    start = [pair.t == 0, pair.lower.n == 0, pair.upper.n == 0, pair.lower.v == pair.upper.v]
    start += [pair.lower.v >= 0, pair.lower.v <= pair.theta]
    yield symbols.obligation(
        claim=claim, name="base", assumptions=[*facts, *start], goal=_all(_invariants(pair))
    )
    yield symbols.satisfiable(claim=claim, name="base", assumptions=[*facts, *start])

    for case in CASES:
        yield step_case(case, claim)
        symbols = Symbols("real")
        pair, facts = _make(symbols)
        given = [*facts, *_invariants(pair), *case.when(pair)]
        given += [instance(LEMMAS[lemma], values, pair.order) for lemma, values in case.lemmas(pair)]
        yield symbols.satisfiable(claim=claim, name=f"step, {case.name}", assumptions=given)

    symbols = Symbols("real")
    pair, facts = _make(symbols)
    cases = [_all(case.when(pair)) for case in CASES if case.goal is _pair_goal]
    some = cases[0]
    for other in cases[1:]:
        some = some | other
    yield symbols.obligation(
        claim=claim,
        name="the cases of the step leave none out",
        assumptions=[*facts, *_invariants(pair)],
        goal=some,
    )

    symbols = Symbols("real")
    pair, facts = _make(symbols)
    yield symbols.obligation(
        claim=claim,
        name="conclusion",
        assumptions=[*facts, *_invariants(pair)],
        goal=pair.lower.n <= pair.upper.n,
    )


def cited(*cases: Case) -> tuple[str, ...]:
    """Return the lemmas that these cases use, each once."""
    pair, _ = _make(Symbols("real"))
    return tuple(dict.fromkeys(lemma for case in cases for lemma, _ in case.lemmas(pair)))


THEOREM_MONOTONE = Theorem(
    id="ieee-count-monotone",
    says=(
        "under constant current the spike count is a monotone step function of the current: "
        "x <= y implies N(x) <= N(y), for every T and every V_0 in [0, θ]"
    ),
    domain=f"{DOMAIN}; every V_0 in [0, θ]; every T; all currents but NaN: negative, over θ and ±inf too",
    lemmas=cited(*CASES),
    argument=lambda claim: [replace(part, claim=claim) for part in _argument()],
)
