import json

import pytest

from qvm_verify.exits import InputError
from qvm_verify.report.events import EventLog


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_event_is_a_line_that_is_there_before_the_next(tmp_path):
    path = tmp_path / "events.ndjson"
    with EventLog(path) as events:
        events.write("start", images=3)
        assert [line["event"] for line in lines(path)] == ["start"]
        events.write("site", site="a\nb", mismatches=0)
        assert len(lines(path)) == 2
    assert lines(path)[1]["site"] == "a\nb"
    assert all(line["time"].endswith("+00:00") for line in lines(path))


def test_the_log_of_an_audit_that_was_cut_off_is_continued_without_its_torn_line(tmp_path):
    path = tmp_path / "events.ndjson"
    with EventLog(path) as events:
        events.write("start")
        events.write("batch", batch=0)
    path.write_bytes(path.read_bytes() + b'{"event":"ba')
    with EventLog(path) as events:
        events.write("resume")
    assert [line["event"] for line in lines(path)] == ["start", "batch", "resume"]


def test_the_log_of_an_audit_that_ended_is_begun_anew(tmp_path):
    path = tmp_path / "events.ndjson"
    for _ in range(2):
        with EventLog(path) as events:
            events.write("start")
            events.write("claim", detail='{"event":"verdict"')
            events.write("verdict", verdict="lossless")
    assert [line["event"] for line in lines(path)] == ["start", "claim", "verdict"]


def test_an_audit_that_stops_says_why_and_is_continued(tmp_path):
    path = tmp_path / "events.ndjson"
    log = EventLog(path)

    def stop():
        with log as events:
            events.write("start")
            raise InputError("no image")

    with pytest.raises(InputError, match="no image"):
        stop()
    assert lines(path)[-1]["reason"] == "no image"
    with EventLog(path) as events:
        events.write("start")
    assert [line["event"] for line in lines(path)] == ["start", "stopped", "start"]


def test_without_a_path_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with EventLog(None) as events:
        events.write("start")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_refused_at_once_leaves_the_older_log_alone(tmp_path):
    path = tmp_path / "events.ndjson"
    path.write_text('{"event":"verdict"}\n', encoding="utf-8")
    with pytest.raises(InputError), EventLog(path):
        raise InputError("no such model")
    assert path.read_text(encoding="utf-8") == '{"event":"verdict"}\n'


def test_a_folder_in_its_place_is_one_sentence(tmp_path):
    path = tmp_path / "events.ndjson"
    path.mkdir()
    with EventLog(path) as events, pytest.raises(InputError, match=r"events\.ndjson: cannot be written"):
        events.write("start")


def test_what_stopped_an_audit_is_told_where_the_log_has_no_room_for_it(tmp_path, monkeypatch):
    path = tmp_path / "events.ndjson"

    def stop():
        with EventLog(path) as events:
            events.write("start")
            events._file.close()  # as good as a full disk: it takes nothing any more
            events._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115  # the log closes it
            raise InputError("no image")

    with pytest.raises(InputError, match="no image"):
        stop()
