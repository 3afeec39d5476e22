"""Each part of a statement is there for something: a subject that breaks this part alone breaks the claim."""

from fractions import Fraction
from typing import Any, ClassVar

import pytest

from qvm_verify.claims import Subject, claim
from qvm_verify.claims.claim import Outcome
from qvm_verify.reference import IFParameters, IFStep
from tests.claims.cases import constant, run, shifted


class Ends(Subject):
    """Ends its runs as it is told, one after the other, the last one again and again."""

    ends: ClassVar[list[Outcome]]

    def outcome(self, currents: Any, v_init: Any, parameters: IFParameters) -> Outcome:
        return self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]


@pytest.mark.parametrize(
    ("name", "case", "ends", "expected"),
    [
        ("theorem-1", run(2, 1, 1), [Outcome(0, 0)], True),
        ("theorem-1", run(2, 1, 1), [Outcome(0, 2)], True),
        ("theorem-1", run(2, 1, 1), [Outcome(0, -1)], False),
        ("theorem-1", run(2, 1, 1), [Outcome(0, 3)], False),
        ("scaling", run(2, 1, 1, scale=3), [Outcome(1, 2), Outcome(1, 6)], True),
        ("scaling", run(2, 1, 1, scale=3), [Outcome(1, 2), Outcome(0, 6)], False),
        ("scaling", run(2, 1, 1, scale=3), [Outcome(1, 2), Outcome(1, 2)], False),
        ("section-4-error-remains", constant(2, 1, 3), [Outcome(1, 0)], True),
        ("section-4-error-remains", constant(2, 1, 4), [Outcome(1, 0)], False),
    ],
)
def test_each_part_of_a_statement_about_runs_has_an_end_that_breaks_it(
    name: str, case: dict[str, Any], ends: list[Outcome], expected: bool
) -> None:
    subject = type("Told", (Ends,), {"ends": list(ends)})()
    assert claim(name).holds(case, subject) is expected


def test_the_error_remains_only_where_the_level_is_zero() -> None:
    case = constant(2, 1, 3)
    assert claim("section-4-error-remains").holds(case) is True
    assert claim("section-4-error-remains").holds(case, Levels()) is False


def test_every_input_has_a_weight_and_an_error() -> None:
    assert Subject().weighted_sum((2, 3), (1, -1)) == -1
    for weights, errors in (((2,), (1, -1)), ((2, 3), (1,))):
        with pytest.raises(ValueError, match="zip"):
            Subject().weighted_sum(weights, errors)


class Quantizes(Subject):
    """Quantizes everything to what it is told."""

    result: ClassVar[Fraction]

    def quantize(self, z: Any, quantizer: Any) -> Any:
        return self.result


@pytest.mark.parametrize(
    ("name", "z", "right", "wrong"),
    [
        ("floor-law", 1.5, 1, [0, 1.5, 2]),
        ("floor-law", 2, 2, [1, 3]),
        ("ceil-law", 1.5, 2, [1, 1.5, 3]),
        ("ceil-law", 2, 2, [1, 3]),
        ("round-law", 1.5, 2, [1, 1.5, 3]),
        ("round-law", 1.25, 1, [0, 1.25, 2]),
        ("round-law", 1, 1, [0, 2]),
        ("round-half-even-law", 1.5, 2, [1, 1.5, 3]),
        ("round-half-even-law", 2.5, 2, [1, 2.5, 3]),
        ("round-half-even-law", 1.25, 1, [0, 1.25, 2]),
        ("round-half-even-law", -0.5, 0, [-1, -0.5, 1]),
    ],
)
def test_a_quantizers_law_leaves_one_integer(name: str, z: float, right: float, wrong: list[float]) -> None:
    for result in (right, *wrong):
        subject = type("Told", (Quantizes,), {"result": Fraction(result)})()
        assert claim(name).holds({"z": Fraction(z)}, subject) is (result == right), result


class Strict(Subject):
    """Allows no error."""

    def count_bound(self, delta: Any) -> Any:
        return 0


def test_the_shift_of_equation_14_is_added() -> None:
    for name in ("equation-14", "equation-14-clipped"):
        for delta, expected in ((Fraction(1, 2), True), (Fraction(-1, 2), name != "equation-14")):
            case = {"z": Fraction(1, 4), "delta": delta, "time_steps": 2}
            assert claim(name).holds(case, Strict()) is expected


def test_the_shift_of_equation_15_is_added() -> None:
    for weight, expected in ((Fraction(1, 2), True), (Fraction(-1, 2), False)):
        assert claim("equation-15").holds(shifted(Fraction(5, 4), 2, (weight,), (1,)), Strict()) is expected


class Fires(Subject):
    """Fires at every step, or at none."""

    always = True

    def run(self, currents: Any, v_init: Any, parameters: IFParameters) -> list[IFStep]:
        return [IFStep(v_init, self.always, v_init) for _ in currents]


class Silent(Fires):
    always = False


class Levels(Subject):
    """Has the top level for every current, or none."""

    top = True

    def level(self, current: Any, threshold: Any, levels: Any, quantizer: Any) -> Any:
        return levels * self.top


class Blind(Levels):
    top = False


@pytest.mark.parametrize(("time_steps", "wrong"), [(3, Silent), (3, Levels), (1, Fires), (1, Blind)])
def test_away_from_t_equals_l_exactly_one_of_count_and_level_is_zero(
    time_steps: int, wrong: type[Subject]
) -> None:
    case = constant(Fraction(2), Fraction(2, max(time_steps, 2)), time_steps, levels=2)
    assert claim("section-6.3-only-at-L").holds(case) is True
    assert claim("section-6.3-only-at-L").holds(case, wrong()) is False
