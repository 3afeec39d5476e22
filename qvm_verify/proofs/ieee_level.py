"""The level M = clip(Q(x L / θ), 0, L) is a monotone step function of the current, in floats.

Multiplying by L and dividing by θ are monotone because rounding is. IEEE 754 defines the result of an
operation as the float nearest to the exact result, with an even significand where two are equally near, and
with the next power of two in the place of infinity. Whatever the floats are, the nearest of them is a
monotone function of the exact number: `ROUNDING` says so over the reals, hence in every format, any L and θ.
(That an operation rounds correctly is the standard's definition, not proved here. No solver reaches these two
lemmas by bits for a symbolic L or θ, not even in float16.) Each quantizer is a lemma on its own, and the clip
is run as it is.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from qvm_verify.claims.claim import Case, Claim, Subject, all_of, numbers
from qvm_verify.proofs.ieee_lemmas import LEMMAS, Lemma, quantizer_lemma
from qvm_verify.proofs.ieee_order import Order
from qvm_verify.proofs.ieee_theorem import instance
from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.symbols import Symbols
from qvm_verify.reference import Quantizer, level

SOURCE = "IEEE 754, correct rounding"


def _not_above(case: Case, subject: Subject) -> list[Any]:
    return [case["a"] <= case["c"]]


BY_ROUNDING = (
    Lemma(
        id="multiplication-monotone",
        says="a <= c and L >= 1 imply a L <= c L",
        variables=("a", "c", "levels"),
        assumptions=lambda c, s: [*_not_above(c, s), c["levels"] >= 1],
        goal=lambda c, s: [c["a"] * c["levels"] <= c["c"] * c["levels"]],
    ),
    Lemma(
        id="division-monotone",
        says="a <= c implies a / θ <= c / θ",
        variables=("threshold", "a", "c"),
        assumptions=_not_above,
        goal=lambda c, s: [c["a"] / c["threshold"] <= c["c"] / c["threshold"]],
    ),
)
"""Lemmas that hold in every format because the exact operation is monotone and so is rounding."""


def _nearer(case: Case, subject: Subject) -> list[Any]:
    """Assume that each exact number is rounded to the nearer of the two floats."""

    def distance(exact: str, rounded: str) -> Any:
        difference = case[exact] - case[rounded]
        return subject.ops.where(difference < 0, -difference, difference)

    return [
        case["exact_1"] < case["exact_2"],
        distance("exact_1", "rounded_1") <= distance("exact_1", "rounded_2"),
        distance("exact_2", "rounded_2") <= distance("exact_2", "rounded_1"),
    ]


def _exact(lemma: Lemma) -> Claim:
    """Return the lemma as a claim over the reals, where its operation is exact."""

    def assumptions(case: Case, subject: Subject) -> list[Any]:
        positive = [case["threshold"] > 0] if "threshold" in case else []
        return [*positive, *lemma.assumptions(case, subject)]

    return Claim(
        id=f"exact-{lemma.id}",
        source=SOURCE,
        says=f"over the reals, {lemma.says}",
        variables=numbers(*lemma.variables),
        assumptions=assumptions,
        statement=lambda case, subject: all_of(*lemma.goal(case, subject)),
    )


ROUNDING = (
    Claim(
        id="rounding-monotone",
        source=SOURCE,
        says="the float nearest to a smaller number is not above the float nearest to a larger one",
        variables=numbers("exact_1", "exact_2", "rounded_1", "rounded_2"),
        assumptions=_nearer,
        statement=lambda case, subject: case["rounded_1"] <= case["rounded_2"],
    ),
    *(_exact(lemma) for lemma in BY_ROUNDING),
)
"""What the lemmas of `BY_ROUNDING` rest on, over the reals."""


@cache
def level_argument(quantizer: Quantizer) -> tuple[Obligation, Obligation]:
    """Return the question whether the level can descend though the lemmas hold, and whether they can hold."""
    claim, name = f"ieee-level-monotone-{quantizer}", "from the lemmas"
    symbols = Symbols("real")
    order = Order(symbols)
    theta, x, y = (order.value(name) for name in ("threshold", "x", "y"))
    levels: Any = order.value("levels")  # any L, not an integer of Python
    multiplication, division = BY_ROUNDING
    xl, yl = x * levels, y * levels
    given = [
        x <= y,
        theta > 0,
        levels >= 1,
        instance(multiplication, {"a": x, "c": y, "levels": levels}, order),
        instance(division, {"a": xl, "c": yl, "threshold": theta}, order),
        instance(LEMMAS[quantizer_lemma(quantizer)], {"a": xl / theta, "c": yl / theta}, order),
    ]
    lower, upper = (
        level(current, threshold=theta, levels=levels, quantizer=quantizer, ops=order) for current in (x, y)
    )
    return (
        symbols.obligation(claim=claim, name=name, assumptions=given, goal=lower <= upper),
        symbols.satisfiable(claim=claim, name=name, assumptions=given),
    )
