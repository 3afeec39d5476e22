"""The table of coverage says what was measured, and a room below 95 % is a fault unless it says why."""

import json

import pytest

from qvm_verify.exits import InputError
from tests.coverage import measure as coverage
from tests.scorecard.part import Effort

EFFORT = Effort(1.0, lambda message: None)


def files(**rooms):
    return {
        path: {"summary": {"num_branches": branches, "covered_branches": run}}
        for path, (branches, run) in rooms.items()
    }


MEASURED = files(
    **{
        "qvm_verify/snn/a.py": (60, 60),
        "qvm_verify/snn/b.py": (40, 35),
        "qvm_verify/report/html/c.py": (10, 9),
        "qvm_verify/exits.py": (8, 8),
        "qvm_verify/verdict.py": (0, 0),
    }
)


def test_files_are_added_up_by_room():
    assert coverage.by_room(MEASURED) == {
        "qvm_verify/*.py": (8, 8),
        "qvm_verify/report": (10, 9),
        "qvm_verify/snn": (100, 95),
    }


def test_a_room_below_95_percent_needs_a_reason():
    rooms = coverage.by_room(MEASURED)
    (line,) = coverage.part_of(rooms, {}, "7").lines
    assert (line.tried, line.good) == (3, 2)
    part = coverage.part_of(rooms, {"qvm_verify/report": "fonts"}, "7")
    assert part.lines[0].good == 3
    assert ("qvm_verify/report", "10", "9", "90.0 %", "fonts") in part.tables[0].rows
    assert ("qvm_verify/snn", "100", "95", "95.0 %", "") in part.tables[0].rows


def test_a_reason_is_for_a_room_that_exists():
    package = coverage.Path(__file__).parents[2] / "qvm_verify"
    rooms = {f"qvm_verify/{path.name}" for path in package.iterdir() if path.is_dir()}
    assert set(coverage.REASONS) <= rooms | {coverage.OWN_FILES}


@pytest.mark.parametrize(
    "content", [None, "{", "[]", "{}", json.dumps({"files": {}, "meta": {"version": "7"}})]
)
def test_without_a_measurement_the_command_that_makes_one_is_named(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        coverage.FILE.write_text(content)
    with pytest.raises(InputError, match="coverage run -m pytest"):
        coverage.measure(EFFORT)


def test_what_was_measured_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    coverage.FILE.write_text(json.dumps({"files": MEASURED, "meta": {"version": "7.17"}}))
    assert coverage.measure(EFFORT).lines[0].tried == 3
