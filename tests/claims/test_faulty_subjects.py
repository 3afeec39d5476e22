"""A mutant that refutes a claim shows something only where it has the one fault that its name says."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from qvm_verify.claims import Subject, mutants
from qvm_verify.reference import IFParameters

HALF = Fraction(1, 2)
THETA = IFParameters(Fraction(2))


def potentials(subject: Subject, currents: list[Any], v_init: Any = 0, p: IFParameters = THETA) -> list[Any]:
    """Return U, s and V of every step."""
    return [(step.u, int(step.spike), step.v) for step in subject.run(currents, v_init, p)]


def test_the_other_comparison_fires_above_the_threshold_alone_and_the_other_way_round() -> None:
    other = mutants.FiresOnTheOtherSide()
    assert potentials(other, [2, 1]) == [(2, 0, 2), (3, 1, 1)]
    strict = THETA._replace(firing=">")
    assert potentials(other, [2, 1], p=strict) == potentials(Subject(), [2, 1]) == [(2, 1, 0), (1, 0, 1)]


def test_a_faulty_rule_is_one_that_the_reference_has(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[IFParameters] = []
    monkeypatch.setattr(Subject, "run", lambda self, currents, v_init, p: seen.append(p))
    strict = THETA._replace(firing=">")
    mutants.FiresOnTheOtherSide().run([1], 0, THETA)
    mutants.FiresOnTheOtherSide().run([1], 0, strict)
    mutants.ResetsToZero().run([1], 0, THETA)
    assert seen == [strict, THETA, THETA._replace(reset="reset_to_zero")]


def test_the_hard_reset_throws_away_what_is_above_the_threshold() -> None:
    assert potentials(mutants.ResetsToZero(), [3, 1]) == [(3, 1, 0), (1, 0, 1)]


def test_the_double_reset_takes_the_threshold_off_twice_and_goes_on_from_there() -> None:
    assert potentials(mutants.ResetsTwice(), [1, 2, 4], v_init=HALF) == [
        (Fraction(3, 2), 0, Fraction(3, 2)),
        (Fraction(7, 2), 1, Fraction(-1, 2)),
        (Fraction(7, 2), 1, Fraction(-1, 2)),
    ]


def test_the_added_unit_is_one_a_step() -> None:
    assert potentials(mutants.AddsAQuantum(), [0, HALF]) == potentials(Subject(), [1, 3 * HALF])


def test_the_high_start_is_a_quarter_of_the_threshold_above() -> None:
    assert potentials(mutants.StartsAtOneQuarter(), [1], v_init=1) == [(Fraction(5, 2), 1, HALF)]


@pytest.mark.parametrize(
    ("mutant", "quantizer", "expected"),
    [
        (mutants.QuantizesDown, "floor", [0, 1, -3]),
        (mutants.QuantizesTheNegative, "floor", [-2, -3, 1]),
        (mutants.RoundsTiesUp, "round_half_even", [2, 3, -1]),
        (mutants.RoundsTiesUp, "ceil", [2, 3, -1]),
        (mutants.RoundsTiesUp, "floor", [1, 2, -2]),
    ],
)
def test_the_quantizers_are_wrong_by_what_they_say(
    mutant: type[Subject], quantizer: Any, expected: list[int]
) -> None:
    z = [Fraction(3, 2), Fraction(5, 2), Fraction(-3, 2)]
    assert [int(mutant().quantize(value, quantizer)) for value in z] == expected


def test_the_ignored_threshold_leaves_the_current_in_its_own_units() -> None:
    assert mutants.IgnoresTheThreshold().quantizer_input(3, 2, 4) == 12
    assert Subject().quantizer_input(3, 2, 4) == 6


@pytest.mark.parametrize(
    ("mutant", "expected"),
    [
        (Subject, [0, 0, 1, 4, 4]),
        (mutants.ForgetsTheUpperClip, [0, 0, 1, 4, 9]),
        (mutants.ForgetsTheClip, [-1, 0, 1, 4, 9]),
        (mutants.StretchesBeforeTheClip, [0, 0, 2, 4, 4]),
    ],
)
def test_the_clips_are_wrong_on_the_side_that_they_say(mutant: type[Subject], expected: list[int]) -> None:
    assert np.asarray(mutant().clip(np.array([-1, 0, 1, 4, 9]), 4)).tolist() == expected


def test_the_bounds_without_the_one_are_the_magnitude_rounded_down() -> None:
    mutant = mutants.BoundsWithoutTheOne()
    for delta in (Fraction(5, 2), Fraction(-5, 2)):
        assert mutant.count_bound(delta) == mutant.sharp_count_bound(delta) == 2
