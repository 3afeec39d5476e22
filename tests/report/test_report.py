import copy
import json
import math
from dataclasses import replace

import jsonschema
import pytest

from qvm_verify.audit import verify
from qvm_verify.exits import InputError
from qvm_verify.report import read_report, save_report, schema
from qvm_verify.report.files import plain
from qvm_verify.report.model import ErrorStatistics
from qvm_verify.snn import QuantizedActivation, convert
from tests.small_networks import OneSite, column


@pytest.fixture(scope="module")
def report():
    """Return the report of an audit with two counterexamples and one image that is not a number."""
    ann = OneSite(QuantizedActivation(4, "floor"))
    return verify(ann, convert(ann, v_init=0.5), [column(0.3, 0.2, math.nan)])


@pytest.fixture
def written(report, tmp_path):
    return json.loads(save_report(report, tmp_path).read_text(encoding="utf-8"))


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


def test_what_is_written_follows_the_schema_and_is_read_again(report, written, tmp_path):
    jsonschema.validate(written, schema())
    assert read_report(tmp_path / "report.json") == written
    assert written["schema"] == "qvm-verify/report/1"
    assert (written["verdict"], written["exit_code"]) == ("not-lossless", 1)
    assert len(written["layers"]) == 2
    assert written["layers"][0]["preconditions"]["non_finite"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_every_counterexample_carries_its_replay_command(written, tmp_path):
    commands = [item["replay"] for item in written["counterexamples"]]
    path = tmp_path / "report.json"
    assert commands[0] == f"python -m qvm_verify.replay '{path}#{written['counterexamples'][0]['id']}'"
    assert len(set(commands)) == len(commands) == 4


def test_a_level_that_is_no_number_is_null(written):
    assert None in [item["level"] for item in written["counterexamples"]]


def set_at(content, path, value):
    *folders, last = path
    for step in folders:
        content = content[step]
    content[last] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["verdict"], "probably"),
        (["exit_code"], 2),
        (["schema"], "qvm-verify/report/2"),
        (["another"], 1),
        (["layers", 0, "neurons"], -1),
        (["layers", 0, "neurons"], 1.5),
        (["layers", 0, "mode"], "both"),
        (["layers", 0, "preconditions", "other"], 0),
        (["layers", 0, "margin_ulps"], "0"),
        (["first_divergence", "shadow"], 3),
        (["claims", 0, "verdict"], "SURE"),
        (["counterexamples", 0, "threshold"], "0.1"),
        (["counterexamples", 0, "currents", 0], 0.1),
        (["counterexamples", 0, "spike_count"], None),
        (["counterexamples", 0, "quantizer"], "nearest"),
        (["environment", "seed"], "0"),
        (["output", "mismatches"], True),
        (["findings"], None),
    ],
)
def test_the_schema_rejects_a_report_that_says_something_else(path, value, written, tmp_path):
    set_at(written, path, value)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(written, schema())
    (tmp_path / "report.json").write_text(json.dumps(written), encoding="utf-8")
    with pytest.raises(InputError, match=r"report\.json: "):
        read_report(tmp_path / "report.json")


def test_the_schema_demands_every_field(written):
    def parts(value, path=()):
        if isinstance(value, dict):
            for key, item in value.items():
                yield (*path, key)
                yield from parts(item, (*path, key))
        elif isinstance(value, list) and value:
            yield from parts(value[0], (*path, 0))

    validator = jsonschema.Draft202012Validator(schema())
    optional = {"model"}  # what was audited may be unknown to a caller of `verify`
    for path in parts(written):
        if (path[0] in optional and len(path) > 1) or "classes" in path[:-1]:  # named by the dtype's floats
            continue
        mutilated = copy.deepcopy(written)
        inner = mutilated
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]
        assert not validator.is_valid(mutilated), path


def test_numbers_that_json_cannot_hold_become_null():
    content = {"a": (1.5, math.nan), "b": [math.inf, {"c": -math.inf}], "d": "nan", "e": 2**70}
    assert plain(content) == {"a": [1.5, None], "b": [None, {"c": None}], "d": "nan", "e": 2**70}


def test_a_report_with_infinite_errors_is_written_as_strict_json(report, tmp_path):
    infinite = replace(report.layers[0], conversion_error=ErrorStatistics(mean=math.inf, max=math.nan))
    path = save_report(replace(report, layers=(infinite, *report.layers[1:])), tmp_path)

    def refuse(constant):
        raise AssertionError(constant)

    content = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert content["layers"][0]["conversion_error"] == {"mean": None, "max": None}


def test_the_older_report_survives_a_write_that_fails(report, tmp_path, monkeypatch):
    path = save_report(report, tmp_path)
    before = path.read_bytes()

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(InputError, match="No space left"):
        save_report(report, tmp_path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize("content", ["", "{", "[1]", "null", "3", '{"schema": "other"}', "[" * 5000])
def test_a_file_that_is_no_report_is_refused(content, tmp_path):
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(InputError) as error:
        read_report(tmp_path / "report.json")
    assert "\n" not in str(error.value)


def test_a_binary_or_missing_report_is_refused(tmp_path):
    (tmp_path / "report.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no JSON"):
        read_report(tmp_path / "report.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_report(tmp_path / "another.json")
    with pytest.raises(InputError, match="is no file"):
        read_report(tmp_path)
