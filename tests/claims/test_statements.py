"""What each statement says of cases worked out by hand; None where an assumption does not hold.

A claim that is false has counterexamples whatever else its statement says by mistake, and one that assumes
too much has none: so each is tried where it holds, where it fails, and at the edges of what it assumes.
"""

from fractions import Fraction
from typing import Any

import pytest

from qvm_verify.claims import CLAIMS, claim
from tests.claims.cases import constant, run, shifted, streamed

BOUNDED_RUNS = [  # Theorems 1 and 2 assume θ > 0, 0 <= V_0 <= θ, 0 <= q <= θ
    (run(2, 0, 0), True),
    (run(2, 1, 1, 2), True),  # N = 2 = ⌊(1 + 3) / 2⌋
    (run(2, 0, 2, 0), True),
    (run(2, 2, 0), True),
    (run(0, 0, 0), None),
    (run(2, 3, 1), None),
    (run(2, -1, 1), None),
    (run(2, 1, 3), None),
    (run(2, 1, 1, -1), None),
]
ANY_CURRENT = [
    (constant(2, Fraction(3, 2), 1), True),
    (constant(2, 5, 2), True),
    (constant(2, -1, 2), True),
    (constant(0, 1, 1), None),
    (constant(2, 1, 0), None),
]
BOUNDED_CURRENT = [
    (constant(2, 0, 3), True),
    (constant(2, 2, 1), True),
    (constant(2, 3, 1), None),
    (constant(2, -1, 1), None),
    (constant(2, 1, 0), None),
    (constant(0, 0, 1), None),
]
BOUNDED_STREAM = [
    (streamed(2, 2, 0), True),
    (streamed(2, 1, 1), True),
    (streamed(2, 3, 0), None),
    (streamed(2, 1, -1), None),
    (streamed(0, 0), None),
]
CASES: dict[str, list[tuple[dict[str, Any], bool | None]]] = {
    "conservation": [(run(2, -1, 3, 4), True), (run(0, 1, 1), None)],
    "scaling": [
        (run(2, 1, 3, -1, scale=Fraction(1, 2)), True),
        (run(2, 1, 1, scale=0), None),
        (run(0, 1, 1, scale=1), None),
    ],
    "level-scaling": [
        ({"threshold": 2, "current": 3, "scale": 5, "levels": 4}, True),
        ({"threshold": 2, "current": 3, "scale": 0, "levels": 4}, None),
        ({"threshold": 0, "current": 3, "scale": 1, "levels": 4}, None),
    ],
    "theorem-1": [*BOUNDED_RUNS, (run(2, 2, 2, 2), True)],
    "theorem-2-printed": [*BOUNDED_RUNS, (run(2, 2, 2), False), (run(2, Fraction(1, 2), 1, 1, 1), True)],
    "theorem-2": [*BOUNDED_RUNS, (run(2, 2, 2), True)],
    "floor-monotone": [({"y": 1, "z": 1}, True), ({"y": 2, "z": 1}, None)],
    "theorem-3-floor": BOUNDED_CURRENT,
    "theorem-3-floor-every-current": ANY_CURRENT,
    "theorem-3-round-every-current": ANY_CURRENT,
    "theorem-3-round-half-even": [
        *BOUNDED_CURRENT,
        (constant(2, 1, 1), False),  # z = 1/2: M = 0, and U reaches θ
        (constant(2, Fraction(3, 2), 1), True),
        (constant(2, 1, 3), True),  # z = 3/2: the even neighbour is above
    ],
    "theorem-3-ceil": [
        (constant(2, 0, 1), False),  # V_0 = θ fires on nothing
        (constant(2, 1, 2), False),  # z = 1, N = 2
        (constant(2, Fraction(3, 2), 1), True),
        (constant(2, 2, 1), True),
        (constant(2, 3, 1), None),
        (constant(2, -1, 1), None),
    ],
    "theorem-3-ceil-below": [
        (constant(2, 1, 2, epsilon=2), True),
        (constant(2, 1, 2, epsilon=Fraction(1, 2)), True),
        (constant(2, 1, 2, epsilon=0), None),
        (constant(2, 1, 2, epsilon=3), None),
    ],
    "theorem-3-floor-streaming": [
        (streamed(2, 2, -1), False),  # the spike cannot be taken back
        (streamed(2, 1, 1), True),
        (streamed(2, 5), True),  # Q_tot / θ = 5/2, T = 1
        (streamed(2, -3, 1), True),
        (streamed(0, 1), None),
    ],
    "theorem-3-round-streaming": [
        (streamed(2, 2, -2), False),
        (streamed(2, 1), True),
        (streamed(2, Fraction(1, 2), Fraction(1, 4)), True),
        (streamed(0, 1), None),
    ],
    "theorem-3-floor-streaming-bounded": BOUNDED_STREAM,
    "theorem-3-round-streaming-bounded": BOUNDED_STREAM,
    "equation-10-floor-printed": [
        ({"z": Fraction(3, 2), "time_steps": 2}, True),
        ({"z": 2, "time_steps": 2}, True),
        ({"z": 3, "time_steps": 2}, False),
        ({"z": Fraction(-1, 2), "time_steps": 2}, False),
        ({"z": 0, "time_steps": 1}, True),
        ({"z": 0, "time_steps": 0}, None),
    ],
    "equation-10-round-printed": [
        ({"z": Fraction(3, 2), "time_steps": 2}, True),
        ({"z": Fraction(1, 4), "time_steps": 2}, True),
        ({"z": Fraction(5, 2), "time_steps": 2}, False),
        ({"z": Fraction(-3, 4), "time_steps": 2}, False),
    ],
    "equation-10-ceil-printed": [
        ({"z": Fraction(1, 2), "time_steps": 1}, True),
        ({"z": Fraction(5, 2), "time_steps": 2}, False),
        ({"z": Fraction(-3, 2), "time_steps": 2}, False),
        ({"z": 1, "time_steps": 1}, True),  # an integer, of which it says nothing
    ],
    "equation-15-printed": [
        (shifted(3, 8, (1, -1), (0, -3)), False),  # |6 - 3| <= ⌊-3⌋ + 1
        (shifted(0, 8, (1, 1), (1, 2)), True),
        (shifted(2, 8, (2,), (-1,)), True),
        (shifted(Fraction(1, 2), 8, (Fraction(1, 2),), (1,)), True),  # 1 <= ⌊1/2⌋ + 1, with nothing to spare
        (shifted(-3, 8, (-1,), (1,)), True),  # 0 <= ⌊-1⌋ + 1, likewise
        (shifted(-3, 8, (-2,), (1,)), False),
        (shifted(0, 1, (1,), (0,)), True),
        (shifted(0, 0, (1,), (0,)), None),
    ],
    "equation-15": [(shifted(3, 8, (1, -1), (0, -3)), True), (shifted(0, 0, (1,), (0,)), None)],
    "zero-error-necessary": [
        (shifted(Fraction(1, 4), 2, (Fraction(1, 4),), (1,)), False),  # z rises from 1/4 to 1/2: M = N = 0
        (shifted(Fraction(1, 4), 2, (Fraction(1, 4),), (0,)), True),
        (shifted(Fraction(3, 4), 2, (Fraction(1, 2),), (1,)), True),  # N = 1, M = 0
        (shifted(5, 2, (1,), (-1,)), False),  # both are clipped to 2
        (shifted(-2, 2, (1,), (1,)), False),  # both are clipped to 0
        (shifted(0, 1, (1, 1), (0, 0)), True),
        (shifted(0, 1, (1, -1), (2, 2)), False),
        (shifted(0, 1, (1, 0), (0, 0)), None),
        (shifted(0, 1, (0,), (0,)), None),
        (shifted(0, 0, (1,), (0,)), None),
    ],
    "zero-error-sufficient": [
        (constant(2, Fraction(3, 2), 2, delta=0), True),
        (constant(2, Fraction(3, 2), 2, delta=5), True),
        (constant(2, 1, 0, delta=0), None),
    ],
    "section-6.3-case-1": [
        (constant(2, 1, 2, levels=4), False),  # a = 1; φ goes from 1 to 2/3
        (constant(2, Fraction(2, 3), 2, levels=4), True),  # a = 1/2; φ goes from 0 to 2/3
        (constant(2, 1, 3, levels=4), None),
        (constant(2, 1, 0, levels=4), None),
        (constant(0, 1, 2, levels=4), None),
        (constant(2, 1, 4, levels=7), True),  # a = 6/7; φ goes from 1 to 4/5
        (constant(2, 1, 1, levels=3), True),  # a = 2/3; φ goes from 0 to 1
    ],
    "section-6.3-case-2": [
        (constant(2, 1, 2, levels=1), False),  # M = 0, N = 1
        (constant(2, 2, 2, levels=1), True),
        (constant(2, 1, 3, levels=2), True),  # T M / L = 3/2 is no count
        (constant(2, 1, 4, levels=2), True),
        (constant(2, 1, 2, levels=2), None),
        (constant(2, 1, 1, levels=2), None),
        (constant(2, 1, 1, levels=0), None),
    ],
    "section-6.3-only-at-L": [
        (constant(2, 1, 1, levels=2), True),
        (constant(2, Fraction(2, 3), 3, levels=2), True),
        (constant(2, 1, 2, levels=2), None),
        (constant(2, Fraction(3, 2), 1, levels=2), None),
        (constant(2, 1, 3, levels=2), None),
        (constant(0, 0, 1, levels=2), None),
        (constant(2, 1, 0, levels=2), None),
        (constant(2, 1, 2, levels=0), None),
    ],
    "section-4-error-remains": [
        (constant(2, 1, 2), True),
        (constant(2, 1, 3), True),
        (constant(2, 1, 1), None),
        (constant(2, 2, 2), None),
        (constant(0, 0, 2), None),
    ],
}


@pytest.mark.parametrize(
    ("name", "case", "expected"),
    [(name, case, expected) for name, cases in CASES.items() for case, expected in cases],
)
def test_a_statement_holds_where_hand_arithmetic_says(
    name: str, case: dict[str, Any], expected: bool | None
) -> None:
    exact = {key: value if key in ("time_steps", "levels") else _exact(value) for key, value in case.items()}
    assert claim(name).holds(exact) is expected


def _exact(value: Any) -> Any:
    return tuple(map(Fraction, value)) if isinstance(value, tuple) else Fraction(value)


def test_every_real_claim_that_is_refuted_is_worked_out_where_it_holds_and_where_it_fails() -> None:
    for one in CLAIMS:
        if one.arithmetic == "real" and one.repaired_by:
            assert {True, False} <= {expected for _, expected in CASES[one.id]}, one.id
