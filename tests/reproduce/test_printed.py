import csv
import re

import pytest

from qvm_verify.reproduce.experiments import run
from qvm_verify.reproduce.outcome import show
from qvm_verify.reproduce.paper.tables import rows
from qvm_verify.reproduce.settings import Settings

PRINTED = ["table1", "table2", "table3"]


@pytest.mark.parametrize("name", PRINTED)
def test_every_number_of_the_paragraph_is_a_fact(name):
    outcome = run(name, Settings())
    facts = {show(value) for value in outcome.facts.values()}
    said = re.sub(r"(VGG|ResNet)-\d+|CIFAR10-DVS", "", outcome.paragraph)
    assert set(re.findall(r"\d+(?:\.\d+)?", said)) <= facts


@pytest.mark.parametrize("name", PRINTED)
def test_the_rows_are_all_printed_accuracies(name):
    outcome = run(name, Settings())
    place = outcome.columns.index("accuracy (%)")
    assert [line[place] for line in outcome.rows] == [v for one in rows(name) for v in one.accuracy.values()]


def test_the_csv_keeps_the_printed_digits(tmp_path):
    run("table3", Settings()).write(tmp_path)
    with (tmp_path / "table3.csv").open(encoding="utf-8") as file:
        written = [line["accuracy (%)"] for line in csv.DictReader(file)]
    assert written == ["97.57", "94.10", "97.92", "93.75", "74.80", "75.40", "77.30", "81.25", "84.50"]
    assert (tmp_path / "table3.svg").stat().st_size > 1000


@pytest.mark.parametrize("name", PRINTED)
def test_the_axes_are_labelled_and_every_accuracy_is_drawn(name):
    axes = run(name, Settings()).figure.axes
    assert axes[0].get_ylabel() == "top-1 accuracy (%)"
    assert {axis.get_xlabel() for axis in axes} == {"time-steps T"}
    drawn = sorted(
        value
        for axis in axes
        for line in axis.lines
        if line.get_marker() in ("o", "D")
        for value in map(float, line.get_ydata())
    )
    printed = sorted(
        float(value)
        for one in rows(name)
        for value in [*one.accuracy.values(), *([one.ann] if one.ann is not None else [])]
    )
    assert drawn == printed
