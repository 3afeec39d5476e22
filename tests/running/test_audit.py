"""Faults that befall an audit: what it certified is kept, the next run goes on to the same bytes."""

import signal

import pytest

from tests.running import faults, shared
from tests.running.jobs import AUDIT, LARGE, REFUTED, REPORTS
from tests.running.shared import TWO_BATCHES
from tests.running.tiny_disk import can_mount

STEPS = 30  # of an audit of four batches on the disk


def test_the_steps_of_an_audit_on_the_disk_are_known(bench):
    steps = bench.undisturbed(AUDIT).steps
    assert len(steps) == STEPS
    assert steps.count("after a line is written through") == 1 + 4  # what the audit is, and its batches
    assert sum(step.startswith("open reports/") and step.endswith(".part") for step in steps) == len(REPORTS)


def survived(bench, job, chosen):
    chosen = list(chosen)
    assert chosen
    assert [complaint for fault in chosen for complaint in bench.complaints(job, fault)] == []


# Some of the steps; all of them are on the scorecard: `python -m tests.scorecard --only running`.
@pytest.mark.parametrize(
    ("family", "chosen"),
    [
        ("killed", range(4, STEPS + 1, 4)),
        ("interrupted", range(5, STEPS + 1, 6)),
        ("disk full", range(3, STEPS + 1, 7)),
        ("terminated", [8]),
    ],
)
def test_an_audit_survives_what_befalls_it_at_a_step_on_the_disk(family, chosen, bench):
    survived(bench, AUDIT, faults.at_steps(family, bench.undisturbed(AUDIT).steps, chosen))


@pytest.mark.parametrize("family", ["killed", "interrupted"])
def test_an_audit_survives_what_befalls_it_at_any_moment(family, bench):
    seconds = bench.undisturbed(AUDIT).seconds
    survived(bench, AUDIT, faults.at_moments(family, seconds, count=2, seed=0))


def test_an_audit_that_refutes_survives_a_kill_too(bench):
    survived(bench, REFUTED, faults.at_steps("killed", bench.undisturbed(REFUTED).steps, [9]))


def test_an_audit_survives_a_disk_on_which_its_files_cannot_grow(bench):
    survived(bench, AUDIT, [*faults.at_sizes(60_000, count=4, seed=0), faults.full_output()])


@pytest.mark.skipif(not can_mount(), reason="mounting a small disk needs root")
def test_an_audit_survives_a_small_disk_that_is_really_full(bench):
    survived(bench, AUDIT, faults.on_tiny_disks([24, 48]))


def test_an_audit_survives_a_folder_that_becomes_read_only(bench):
    survived(bench, AUDIT, faults.read_only("reports", 15))


def test_an_audit_survives_running_out_of_memory(bench):
    survived(bench, AUDIT, faults.without_memory(2))
    survived(bench, LARGE, faults.with_little_memory(1, count=2, seed=0))


@pytest.mark.parametrize("victim", TWO_BATCHES)
def test_an_audit_survives_the_loss_of_a_process_that_shares_it(victim, bench):
    assert shared.complaints(bench, victim, signal.SIGKILL) == []
