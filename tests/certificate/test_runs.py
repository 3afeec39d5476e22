"""Runs: two step functions of the floats in their order, worked out by hand."""

import math

import pytest
import torch

from qvm_verify.certificate.runs import (
    Run,
    RunCollector,
    float_classes,
    interval,
    is_monotone,
    mismatches,
    same,
    steps,
)
from qvm_verify.snn.ordinals import ordinal, ordinal_range
from qvm_verify.verdict import Interval

HALF = torch.float16
NAN = math.nan
LOWEST, HIGHEST = ordinal_range(HALF)


def collected(*stretches: tuple[int, int, float, float]) -> list[tuple[float, ...]]:
    collector = RunCollector()
    for stretch in stretches:
        collector.add(*stretch)
    return [tuple(run) for run in collector.runs]


def test_stretches_with_the_same_counts_are_one_run() -> None:
    assert collected((0, 1, 2.0, 3.0), (2, 5, 2.0, 3.0)) == [(0, 5, 2.0, 3.0)]


@pytest.mark.parametrize("after", [(2, 5, 2.0, 4.0), (2, 5, 3.0, 3.0), (2, 5, NAN, 3.0), (2, 5, 2.0, NAN)])
def test_a_change_of_either_count_begins_a_run(after: tuple[int, int, float, float]) -> None:
    found = collected((0, 1, 2.0, 3.0), after)
    assert [run[:2] for run in found] == [(0, 1), (2, 5)]
    assert found[0][2:] == (2.0, 3.0)


def test_no_number_is_one_value_and_like_no_number() -> None:
    assert same(NAN, NAN)
    assert same(1.0, 1.0)
    assert not same(1.0, 2.0)
    assert not same(NAN, 1.0)
    assert not same(1.0, NAN)
    assert len(collected((0, 1, NAN, 3.0), (2, 5, NAN, 3.0), (6, 6, NAN, NAN), (7, 7, NAN, NAN))) == 2


def test_a_run_holds_both_its_ends() -> None:
    assert Run(-3, 4, 0.0, 0.0).inputs == 8
    assert Run(5, 5, 0.0, 0.0).inputs == 1


def test_counts_disagree_where_n_over_t_is_not_m_over_l() -> None:
    agree, other, silent = Run(0, 0, 2.0, 3.0), Run(1, 1, 3.0, 2.0), Run(2, 2, NAN, 0.0)
    assert mismatches([agree, other, silent], 4, 6) == [other, silent]  # 3 * 4 = 2 * 6


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([(0, 0), (1, 0), (1, 2)], True),
        ([(0, 0), (0, 0)], True),
        ([(1, 0), (0, 1)], False),
        ([(0, 1), (1, 0)], False),
        ([(0, 0), (0, 1), (0, 0), (5, 5)], False),
        ([(0, 0), (NAN, 0)], False),
    ],
)
def test_monotone_is_what_never_falls(values: list[tuple[float, float]], expected: bool) -> None:
    assert is_monotone([Run(k, k, float(m), float(n)) for k, (m, n) in enumerate(values)]) is expected


def test_steps_are_the_first_floats_that_reach_each_count() -> None:
    places = [ordinal(x, HALF) for x in (-1.0, 0.5, 1.0, 1.5, 2.0)]
    runs = [Run(place, place, 0.0, 0.0) for place in places]
    half, one, two = ((x).hex() for x in (0.5, 1.0, 2.0))
    assert steps(runs, [0.0, 1.0, 3.0, 2.0, 4.0], HALF) == (half, one, one, two)
    assert steps(runs, [0.0, NAN, 1.0, 1.0, 2.0], HALF) == (one, two)


def test_every_run_has_one_value() -> None:
    runs = [Run(0, 4, 0.0, 0.0), Run(5, 9, 1.0, 1.0)]
    for values in ([0.0], [0.0, 1.0, 2.0]):
        with pytest.raises(ValueError, match="zip"):
            steps(runs, values, torch.float32)


def test_an_interval_shows_its_ends_in_hexadecimal_and_what_is_no_number_as_none() -> None:
    run = Run(ordinal(0.5, HALF), ordinal(0.5, HALF) + 2, NAN, 3.0)
    assert interval(run, HALF) == Interval(
        first=(0.5).hex(), last=(0.5 + 2 * 2**-11).hex(), inputs=3, level=None, spike_count=3
    )


def test_the_classes_share_out_every_float_and_its_mismatches() -> None:
    # float16: subnormal below 2^-14, which is ordinal 1024; the finite ones end at 31743
    runs = [Run(LOWEST, -1, 0.0, 0.0), Run(0, 1, 0.0, 1.0), Run(2, HIGHEST, 1.0, 1.0)]
    failing = [Run(LOWEST, LOWEST + 2, 0.0, 1.0), Run(-1, 1, 0.0, 1.0), Run(1000, 1030, 0.0, 1.0)]
    found = float_classes(runs, failing, HALF)
    assert {name: (each.inputs, each.mismatches) for name, each in found.items()} == {
        "negative infinity": (1, 1),
        "negative normal": (30720, 2),
        "negative subnormal": (1023, 0),
        "negative zero": (1, 1),
        "positive zero": (1, 1),
        "positive subnormal": (1023, 1 + 24),
        "positive normal": (30720, 7),
        "positive infinity": (1, 0),
    }
