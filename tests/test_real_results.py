"""The committed audits of real networks: their table says what their reports say, and these replay."""

import re
from pathlib import Path

import pytest

from qvm_verify.replay.judges import Status, judge
from qvm_verify.report import read_report
from qvm_verify.report.reading import counterexamples_of

FOLDER = Path(__file__).parents[1] / "reports" / "real"
ROWS = re.findall(
    r"^\| \[.*\]\((.*)/report\.md\) \| (.*) \|$", (FOLDER / "README.md").read_text(), re.MULTILINE
)


def test_every_report_has_its_row():
    assert sorted(name for name, _ in ROWS) == sorted(
        path.parent.name for path in FOLDER.glob("*/report.json")
    )


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[name for name, _ in ROWS])
def test_a_row_says_what_its_report_says(name, row):
    content = read_report(FOLDER / name / "report.json")
    output, layers = content["output"], content["layers"]
    counts = {
        mode: sum(layer["spike_count_mismatches"] for layer in layers if layer["mode"] == mode)
        for mode in ("shadow", "end-to-end")
    }
    compared = sum(layer["neurons"] * layer["samples"] for layer in layers if layer["mode"] == "shadow")
    exact = sum(entry["verdict"] == "EXHAUSTED" for entry in content["certificate"])
    expected = [
        content["verdict"],
        f"{output['ann_correct']} / {output['snn_correct']} of {output['samples']}",
        f"{counts['shadow']} / {counts['end-to-end']} of {compared:,}",
        str(output["mismatches"]),
        f"{exact} of {len(content['certificate'])}",
    ]
    assert row.split(" | ") == expected


@pytest.mark.parametrize("name", [name for name, _ in ROWS])
def test_the_first_counterexamples_of_a_real_network_replay(name):
    for counterexample in counterexamples_of(read_report(FOLDER / name / "report.json"))[:4]:
        assert judge(counterexample).status is Status.REPRODUCED
