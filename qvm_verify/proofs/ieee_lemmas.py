"""The lemmas of the IEEE theory: what one step of a neuron and one quantizer do in floating point.

Each lemma is stated once, as code that runs on solver floats (its proof), on NumPy floats (a replay) and on
values of which only the order is known (where it is put to use). θ is any threshold of the format's domain:
normal, with 2θ finite. Other variables are any floats, NaN, infinities and subnormal numbers included,
unless an assumption says otherwise. Rounding is to nearest even.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from qvm_verify.claims.claim import Case, Subject
from qvm_verify.claims.mutants import FiresOnTheOtherSide, QuantizesTheNegative, ResetsTwice
from qvm_verify.reference import QUANTIZERS, IFParameters, IFStep, Quantizer, if_step

DOMAIN = "every normal θ with 2θ finite; round to nearest even"
Conditions = Callable[[Case, Subject], list[Any]]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A lemma with one fault: another neuron, an assumption too few, or a goal too strong."""

    subject: type[Subject] | None = None
    assumptions: Conditions | None = None
    goal: Conditions | None = None


@dataclass(frozen=True, kw_only=True)
class Lemma:
    """A statement about floats: where every assumption holds, every part of the goal does."""

    id: str
    says: str
    variables: tuple[str, ...]
    assumptions: Conditions
    goal: Conditions
    mutants: Mapping[str, Mutant] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """Where the lemma holds, in words."""
        return DOMAIN if "threshold" in self.variables else "every float; round to nearest even"


class ResetsByHalf(Subject):
    """Takes half of the threshold off after a spike."""

    def run(self, currents: Any, v_init: Any, parameters: IFParameters) -> list[IFStep]:
        """Run with V = U - θ / 2 after a spike."""
        steps: list[IFStep] = []
        v = v_init
        for current in currents:
            u, spike, _ = if_step(current, v, parameters, self.ops)
            v = self.ops.where(spike, u - parameters.threshold / 2, u)
            steps.append(IFStep(u, spike, v))
        return steps


class TakesTheMagnitude(Subject):
    """Takes |x| for x."""

    def run(self, currents: Any, v_init: Any, parameters: IFParameters) -> list[IFStep]:
        """Run on the magnitudes."""
        return super().run([self.ops.where(x < 0, -x, x) for x in currents], v_init, parameters)


def step(case: Case, subject: Subject, current: str = "x", v: str = "v") -> IFStep:
    """Run the neuron for one time-step."""
    return subject.run([case[current]], case[v], IFParameters(case["threshold"]))[0]


def _between(case: Case, name: str) -> list[Any]:
    return [case[name] >= 0, case[name] <= case["threshold"]]


def _at_most(case: Case, *names: str) -> list[Any]:
    return [case[name] <= case["threshold"] for name in names]


def _below(case: Case, *names: str) -> list[Any]:
    return [case[name] < case["threshold"] for name in names]


def _not_negative(case: Case, *names: str) -> list[Any]:
    return [case[name] >= 0 for name in names]


STEP_LEMMAS = (
    Lemma(
        id="theorem-1-step",
        says="0 <= V <= θ and 0 <= x <= θ imply 0 <= V' <= θ: one step of Theorem 1, so it holds for every T",
        variables=("threshold", "v", "x"),
        assumptions=lambda c, s: [*_between(c, "v"), *_between(c, "x")],
        goal=lambda c, s: [step(c, s).v >= 0, step(c, s).v <= c["threshold"]],
        mutants={"resets by θ/2": Mutant(subject=ResetsByHalf)},
    ),
    Lemma(
        id="reset-exact",
        says="θ <= U <= 2θ implies (U - θ) + θ = U: the soft reset loses nothing, only the addition rounds",
        variables=("threshold", "u"),
        assumptions=lambda c, s: [c["u"] >= c["threshold"], c["u"] <= c["threshold"] + c["threshold"]],
        goal=lambda c, s: [(c["u"] - c["threshold"]) + c["threshold"] == c["u"]],
        mutants={"U beyond 2θ": Mutant(assumptions=lambda c, s: [c["u"] >= c["threshold"]])},
    ),
    Lemma(
        id="addition-monotone",
        says="0 <= a <= c and x >= 0 imply a + x <= c + x",
        variables=("a", "c", "x"),
        assumptions=lambda c, s: [*_not_negative(c, "a", "x"), c["a"] <= c["c"]],
        goal=lambda c, s: [c["a"] + c["x"] <= c["c"] + c["x"]],
        mutants={
            "strictly monotone": Mutant(
                assumptions=lambda c, s: [*_not_negative(c, "a", "x"), c["a"] < c["c"]],
                goal=lambda c, s: [c["a"] + c["x"] < c["c"] + c["x"]],
            )
        },
    ),
    Lemma(
        id="addition-commutes",
        says="a + x = x + a wherever the sum is a number",
        variables=("a", "x"),
        assumptions=lambda c, s: [c["a"] + c["x"] == c["a"] + c["x"]],
        goal=lambda c, s: [c["a"] + c["x"] == c["x"] + c["a"]],
        mutants={"subtraction commutes": Mutant(goal=lambda c, s: [c["a"] - c["x"] == c["x"] - c["a"]])},
    ),
    Lemma(
        id="reset-monotone",
        says="θ <= a <= c implies a - θ <= c - θ",
        variables=("threshold", "a", "c"),
        assumptions=lambda c, s: [c["a"] >= c["threshold"], c["a"] <= c["c"]],
        goal=lambda c, s: [c["a"] - c["threshold"] <= c["c"] - c["threshold"]],
        mutants={
            "strictly monotone": Mutant(
                assumptions=lambda c, s: [c["a"] >= c["threshold"], c["a"] < c["c"]],
                goal=lambda c, s: [c["a"] - c["threshold"] < c["c"] - c["threshold"]],
            )
        },
    ),
    Lemma(
        id="stays-below",
        says="V < θ and x < θ imply V' < θ",
        variables=("threshold", "v", "x"),
        assumptions=lambda c, s: _below(c, "v", "x"),
        goal=lambda c, s: _below({**c, "after": step(c, s).v}, "after"),
        mutants={
            "x = θ admitted": Mutant(assumptions=lambda c, s: [*_below(c, "v"), *_at_most(c, "x")]),
            "resets by θ/2": Mutant(subject=ResetsByHalf),
        },
    ),
    Lemma(
        id="stays-bounded",
        says="V <= θ and x <= θ imply V' <= θ, for negative V and x too",
        variables=("threshold", "v", "x"),
        assumptions=lambda c, s: _at_most(c, "v", "x"),
        goal=lambda c, s: [step(c, s).v <= c["threshold"]],
        mutants={"resets by θ/2": Mutant(subject=ResetsByHalf)},
    ),
    Lemma(
        id="stays-nonnegative",
        says="V >= 0 and x >= 0 imply V' >= 0, for x over the threshold and +inf too",
        variables=("threshold", "v", "x"),
        assumptions=lambda c, s: _not_negative(c, "v", "x"),
        goal=lambda c, s: [step(c, s).v >= 0],
        mutants={"takes θ off twice": Mutant(subject=ResetsTwice)},
    ),
    Lemma(
        id="spike-leaves-less",
        says="V < θ, x < θ and a spike imply U - θ <= x: what is left is no more than what came in",
        variables=("threshold", "v", "x"),
        assumptions=lambda c, s: [*_below(c, "v", "x"), step(c, s).spike],
        goal=lambda c, s: [step(c, s).u - c["threshold"] <= c["x"]],
        mutants={
            "V = θ admitted": Mutant(
                assumptions=lambda c, s: [*_at_most(c, "v"), *_below(c, "x"), step(c, s).spike]
            ),
            "x over θ admitted": Mutant(assumptions=lambda c, s: [*_below(c, "v"), step(c, s).spike]),
        },
    ),
    Lemma(
        id="addition-grows",
        says="V >= 0 and x >= 0 imply x <= V + x",
        variables=("v", "x"),
        assumptions=lambda c, s: _not_negative(c, "v", "x"),
        goal=lambda c, s: [c["x"] <= c["v"] + c["x"]],
        mutants={
            "any number V admitted": Mutant(
                assumptions=lambda c, s: [*_not_negative(c, "x"), c["v"] == c["v"]]
            )
        },
    ),
    Lemma(
        id="over-threshold-fires",
        says="V >= 0 and x >= θ imply a spike",
        variables=("threshold", "v", "x"),
        assumptions=lambda c, s: [*_not_negative(c, "v"), c["x"] >= c["threshold"]],
        goal=lambda c, s: [step(c, s).spike],
        mutants={"fires on U > θ": Mutant(subject=FiresOnTheOtherSide)},
    ),
    Lemma(
        id="full-potential-fires",
        says="V >= θ and x >= 0 imply a spike",
        variables=("threshold", "v", "x"),
        assumptions=lambda c, s: [c["v"] >= c["threshold"], *_not_negative(c, "x")],
        goal=lambda c, s: [step(c, s).spike],
        mutants={"fires on U > θ": Mutant(subject=FiresOnTheOtherSide)},
    ),
    Lemma(
        id="negative-never-fires",
        says="V < θ and x <= 0 imply no spike",
        variables=("threshold", "v", "x"),
        assumptions=lambda c, s: [*_below(c, "v"), c["x"] <= 0],
        goal=lambda c, s: [~step(c, s).spike],
        mutants={"V = θ admitted": Mutant(assumptions=lambda c, s: [*_at_most(c, "v"), c["x"] <= 0])},
    ),
    Lemma(
        id="negative-ends-below",
        says="V <= θ and x <= 0 imply V' < θ",
        variables=("threshold", "v", "x"),
        assumptions=lambda c, s: [*_at_most(c, "v"), c["x"] <= 0],
        goal=lambda c, s: [step(c, s).v < c["threshold"]],
        mutants={"fires on U > θ": Mutant(subject=FiresOnTheOtherSide)},
    ),
    Lemma(
        id="negative-first-spike",
        says="V <= V* <= θ, x <= y <= 0 and a spike from (V, x) imply one from (V*, y)",
        variables=("threshold", "v", "w", "x", "y"),
        assumptions=lambda c, s: [
            c["v"] <= c["w"],
            *_at_most(c, "w"),
            c["x"] <= c["y"],
            c["y"] <= 0,
            step(c, s).spike,
        ],
        goal=lambda c, s: [step(c, s, "y", "w").spike],
        mutants={
            "y may be below x": Mutant(
                assumptions=lambda c, s: [
                    c["v"] <= c["w"],
                    *_at_most(c, "w"),
                    c["x"] <= 0,
                    c["y"] <= 0,
                    step(c, s).spike,
                ]
            )
        },
    ),
)


def quantizer_lemma(quantizer: Quantizer) -> str:
    """Return the id of the lemma that a quantizer is monotone."""
    return f"{quantizer.replace('_', '-')}-monotone"


def _make_quantizer_lemma(quantizer: Quantizer) -> Lemma:
    def goal(q: Quantizer, c: Case, s: Subject) -> list[Any]:
        return [s.quantize(c["a"], q) <= s.quantize(c["c"], q)]

    return Lemma(
        id=quantizer_lemma(quantizer),
        says=f"a <= c implies Q(a) <= Q(c) for Q = {quantizer}, infinities included",
        variables=("a", "c"),
        assumptions=lambda c, s: [c["a"] <= c["c"]],
        goal=partial(goal, quantizer),
        mutants={"quantizes -z": Mutant(subject=QuantizesTheNegative)},
    )


QUANTIZER_LEMMAS = tuple(_make_quantizer_lemma(quantizer) for quantizer in QUANTIZERS)
LEMMAS: Mapping[str, Lemma] = {lemma.id: lemma for lemma in (*STEP_LEMMAS, *QUANTIZER_LEMMAS)}
