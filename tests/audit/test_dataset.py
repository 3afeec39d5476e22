"""Audits over whole datasets: cut off, resumed, split over processes, and still the same report."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch

from qvm_verify.audit.command import command
from qvm_verify.audit.side_by_side import SideBySide
from qvm_verify.audit.tally import Tally
from qvm_verify.snn import convert
from tests.commands import refused
from tests.small_networks import TinyNetwork, dyadic_images

WRONG = ("--v-init", "0.25", "--batch-size", "8", "--limit", "200", "--threads", "1")


def audit(folder, model, *arguments, launcher=()):
    """Start an audit of a wrong conversion in a process of its own."""
    folder.mkdir(exist_ok=True)
    shutil.copy(model, folder / "model.pt")
    arguments = [sys.executable, *launcher, "-m", "qvm_verify.audit", "model.pt", *WRONG, *arguments]
    return subprocess.Popen(
        arguments,
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def report_of(folder):
    return (folder / "reports" / "report.json").read_bytes()


def journals_of(folder):
    return sorted((folder / "reports").glob("partial-*.ndjson"))


@pytest.fixture(scope="module")
def straight(trained, tmp_path_factory):
    """The report of an audit that nothing disturbed."""
    folder = tmp_path_factory.mktemp("straight")
    process = audit(folder, trained().path)
    output, _ = process.communicate()
    assert process.returncode == 1, output
    assert journals_of(folder) == []
    return report_of(folder)


def test_a_killed_audit_goes_on_where_it_was_and_ends_in_the_same_report(trained, tmp_path, straight):
    process = audit(tmp_path, trained().path)
    while process.poll() is None and not any(
        path.read_bytes().count(b"\n") > 4 for path in journals_of(tmp_path)
    ):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (journal,) = journals_of(tmp_path)
    done = journal.read_bytes().count(b"\n") - 1
    assert 4 <= done < 25
    with journal.open("ab") as file:
        file.write(b'{"batch":24,"tally":{"sha')  # as a kill in the middle of a write leaves it
    process = audit(tmp_path, trained().path)
    output, _ = process.communicate()
    assert f"{done} of 25 batches are done" in output
    assert report_of(tmp_path) == straight
    assert journals_of(tmp_path) == []


@pytest.mark.parametrize("processes", [2, 4])
def test_the_report_does_not_depend_on_how_many_processes_made_it(processes, trained, tmp_path, straight):
    launcher = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}")
    process = audit(tmp_path, trained().path, launcher=launcher)
    output, _ = process.communicate()
    assert process.returncode == 1, output
    assert report_of(tmp_path) == straight
    assert output.count("report: reports/report.json") == 1  # one process speaks for all


def test_processes_that_load_images_change_nothing(trained, tmp_path, straight):
    process = audit(tmp_path, trained().path, "--workers", "1")
    output, _ = process.communicate()
    assert process.returncode == 1, output
    assert report_of(tmp_path) == straight


def tallies(audit, images):
    earlier = Tally()
    for number, batch in enumerate(images.split(4)):
        yield audit.look(number, 4 * number, batch, None, earlier)


@pytest.fixture
def parts():
    """The tallies of ten batches of a conversion that fails often, as JSON."""
    ann, images = TinyNetwork("round"), dyadic_images(40)
    side_by_side = SideBySide(ann, convert(ann, v_init=0.0), images[:4], seed=3, certify="boundary")
    with torch.no_grad():
        return [json.dumps(tally.to_json()) for tally in tallies(side_by_side, images)]


def merged(parts):
    whole = Tally()
    for part in parts:
        whole.merge(part if isinstance(part, Tally) else Tally.from_json(json.loads(part)))
    return whole


def test_tallies_merge_to_the_same_in_any_order_and_grouping(parts):
    expected = merged(parts).to_json()
    assert expected["output"]["samples"] == 40
    assert (
        len({(one["counterexample"]["site"], one["counterexample"]["mode"]) for one in expected["found"]}) > 2
    )
    for seed in range(20):
        draw = random.Random(seed)
        shuffled = draw.sample(parts, len(parts))
        cut = draw.randrange(1, len(parts))
        assert merged([merged(shuffled[:cut]), merged(shuffled[cut:])]).to_json() == expected


def test_looking_for_no_more_counterexamples_than_are_kept_loses_none():
    ann, images = TinyNetwork("round"), dyadic_images(40)
    side_by_side = SideBySide(ann, convert(ann, v_init=0.0), images[:4], seed=3, certify="off")
    with torch.no_grad():
        everything = merged(list(tallies(side_by_side, images)))
        economical = Tally()
        for number, batch in enumerate(images.split(4)):
            economical.merge(side_by_side.look(number, 4 * number, batch, None, economical))
    reports = [side_by_side.report(tally, {}).to_json() for tally in (economical, everything)]
    assert reports[0] == reports[1]
    assert len(reports[0]["counterexamples"]) == 48  # eight of three sites in two modes


def test_a_tally_survives_json_bit_for_bit(parts):
    for part in parts:
        assert json.loads(part) == json.loads(json.dumps(Tally.from_json(json.loads(part)).to_json()))


def test_a_journal_of_other_settings_is_left_alone(run, model):
    reports = model.parent / "reports"
    reports.mkdir()
    other = reports / "partial-0123456789ab-0.ndjson"
    other.write_text('{"audit":{}}\n', encoding="utf-8")
    code, out, _ = run(command, model, "--limit", 8)
    assert code == 0
    assert "going on" not in out
    assert other.exists()


SEAL = "0123456789ab"


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}}",
        "[" * 100_000,
        '{"batch":0,"tally":{}}',  # without a seal
        f'{{"batch":0,"tally":{{}},"seal":"{SEAL}"}}',
        f'{{"batch":0,"tally":{{"shadow":1}},"seal":"{SEAL}"}}',
    ],
)
def test_a_damaged_journal_is_refused_by_name(line, run, model, monkeypatch):
    reports = model.parent / "reports"
    reports.mkdir()
    monkeypatch.setattr("qvm_verify.audit.journal.digest", lambda settings: SEAL)
    whole = f'{{"audit":{{}},"seal":"{SEAL}"}}'
    (reports / f"partial-{SEAL}-0.ndjson").write_text(f"{whole}\n{line}\n", encoding="utf-8")
    refused(run(command, model, "--limit", 8), f"partial-{SEAL}-0.ndjson", "line 2 is damaged")


def test_several_processes_need_a_checkpoint(run, monkeypatch):
    monkeypatch.setattr("qvm_verify.audit.processes.distributed.init_process_group", lambda backend: None)
    monkeypatch.setattr("qvm_verify.audit.processes.distributed.destroy_process_group", lambda: None)
    monkeypatch.setattr("qvm_verify.audit.processes.distributed.get_rank", lambda: 0)
    monkeypatch.setattr("qvm_verify.audit.processes.distributed.get_world_size", lambda: 2)
    monkeypatch.setenv("WORLD_SIZE", "2")
    refused(run(command), "several processes need a checkpoint")
