import re
from decimal import Decimal

import pytest

from qvm_verify.reproduce.paper.tables import MATCHED, TABLES, own_rows, row, rows
from tests.reproduce.paper_at_hand import the_paper

NUMBER = re.compile(r"\d+\.\d\d")


def printed_numbers(text, table):
    """The numbers with two decimals of each line of a table of the paper, from top to bottom."""
    after = text.split(f"Table {table[-1]}: ", 1)[1].splitlines()[2:]
    lines = after[: next(index for index, line in enumerate(after) if not line.strip())]
    return [found for line in lines if (found := NUMBER.findall(line))]


@pytest.mark.parametrize("table", TABLES)
def test_every_line_has_the_numbers_that_the_paper_prints(table):
    printed = printed_numbers(the_paper(), table)
    ours = [
        ([str(one.ann)] if one.ann is not None else []) + [str(v) for v in one.accuracy.values()]
        for one in rows(table)
    ]
    if table == "table4":  # the ANN stands once for the three lines of a quantizer
        anns = {one.quantizer: str(one.ann) for one in rows(table)}
        ours = [own[1:] for own in ours]
        assert {found[0] for found in printed if len(found) == 7} == set(anns.values())
        printed = [found[-6:] for found in printed]
    assert ours == printed


@pytest.mark.parametrize(("table", "lines"), [("table1", 16), ("table2", 17), ("table3", 9), ("table4", 9)])
def test_no_line_is_missing(table, lines):
    assert len(rows(table)) == lines


def test_every_printed_accuracy_keeps_its_two_decimals():
    for table in TABLES:
        for one in rows(table):
            for value in one.accuracy.values():
                assert value.as_tuple().exponent == -2
                assert 0 < value < 100


def test_the_lines_of_the_paper_have_their_levels_and_the_others_none():
    assert [one.levels for one in own_rows()] == [16, 8, 8, 8, 8, 4, 4, 8, 8, 8]
    for table in ("table1", "table2", "table3"):
        assert all((one.levels is None) != one.matched for one in rows(table))


def test_the_matched_potential_of_each_quantizer_is_that_of_the_converter():
    from qvm_verify.snn import MATCHED_V_INIT

    fractions = {"0": 0.0, "θ/2": 0.5, "θ": 1.0}
    assert all(fractions[v] == MATCHED_V_INIT[name] for name, v in MATCHED.items())


def test_a_cell_says_where_it_stands():
    cell = row("table1", network="ResNet-34", method="QVM").at(8)
    assert cell == ("Table 1, ResNet-34, QVM, T = 8", Decimal("74.74"))
