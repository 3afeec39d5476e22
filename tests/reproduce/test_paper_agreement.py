from decimal import Decimal

import pytest

from qvm_verify.reproduce.paper.agreement import (
    Agreement,
    best_at,
    decided,
    difference,
    higher,
    setting,
    together,
    unchecked,
    value,
)
from qvm_verify.reproduce.paper.tables import Cell, row


def cell(number):
    return Cell("here", Decimal(number))


@pytest.mark.parametrize(
    ("claimed", "printed", "agreement"),
    [
        ("77.02", "77.02", Agreement.AGREES),
        ("77.0", "77.02", Agreement.ROUNDING),
        ("77.1", "77.05", Agreement.ROUNDING),
        ("77.1", "77.04", Agreement.CONTRADICTS),
        ("77.00", "77.02", Agreement.CONTRADICTS),
        ("77.01", "77.02", Agreement.CONTRADICTS),  # one number printed twice has one rounding
    ],
)
def test_a_repeated_number_agrees_to_half_a_unit_of_its_last_digit(claimed, printed, agreement):
    assert value(claimed, cell(printed)).agreement is agreement


@pytest.mark.parametrize(
    ("claimed", "agreement"),
    [
        ("9.70", Agreement.AGREES),
        ("9.71", Agreement.ROUNDING),
        ("9.69", Agreement.ROUNDING),
        ("9.72", Agreement.CONTRADICTS),
        ("9.30", Agreement.CONTRADICTS),
        ("-9.70", Agreement.CONTRADICTS),
    ],
)
def test_a_difference_may_be_off_by_half_a_unit_of_each_of_its_three_numbers(claimed, agreement):
    found = difference(claimed, cell("84.50"), cell("74.80"))
    assert found.agreement is agreement
    assert "is 9.70" in found.says


def test_higher_means_strictly_higher():
    assert higher(cell("1.01"), cell("1.00")).agreement is Agreement.AGREES
    assert higher(cell("1.00"), cell("1.00")).agreement is Agreement.CONTRADICTS


def test_the_best_time_step_may_share_its_accuracy_with_another():
    shared = row("table1", network="VGG-16", method="QVM")
    assert best_at(shared, 16).agreement is Agreement.AGREES
    assert "16 and 32" in best_at(shared, 16).says
    assert best_at(shared, 8).agreement is Agreement.CONTRADICTS


def test_a_setting_has_to_be_the_same_in_both_places():
    assert setting("L", 8, 8, "there").agreement is Agreement.AGREES
    assert setting("L", 8, 16, "there").says == "L: the text has 8, there has 16."


def test_a_contradiction_outweighs_what_agrees_and_what_agrees_outweighs_what_nobody_can_check():
    right, wrong, unknown = decided(True, ""), decided(False, ""), unchecked("")
    assert together([right, wrong, unknown]) is Agreement.CONTRADICTS
    assert together([unknown, right]) is Agreement.AGREES
    assert together([unknown]) is Agreement.UNCHECKED
