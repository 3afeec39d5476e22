"""Faults that befall the other commands, and those that come before any command has begun."""

import signal

import pytest

from tests.running import faults, proofs, starting
from tests.running.jobs import AUDIT, REPRODUCE, TRAIN, report_of


def survived(bench, job, chosen):
    chosen = list(chosen)
    assert chosen
    assert [complaint for fault in chosen for complaint in bench.complaints(job, fault)] == []


@pytest.mark.parametrize("family", ["killed", "interrupted", "disk full"])
def test_a_training_survives_what_befalls_it_at_a_step_on_the_disk(family, bench):
    steps = bench.undisturbed(TRAIN).steps
    assert len(steps) == 3 * 4  # open, rename and clean up, for three epochs and the checkpoint
    survived(bench, TRAIN, faults.at_steps(family, steps, range(1 if family == "killed" else 2, 13, 2)))


def test_a_training_survives_what_befalls_it_at_any_moment(bench):
    survived(bench, TRAIN, faults.at_moments("killed", bench.undisturbed(TRAIN).seconds, count=5, seed=0))
    survived(bench, TRAIN, faults.at_sizes(100_000, count=3, seed=0))


def test_rendering_a_report_again_survives_kills_and_full_disks(bench):
    bench.undisturbed(AUDIT)
    job = report_of(bench.folder_of(AUDIT))
    steps = bench.undisturbed(job).steps
    survived(bench, job, faults.at_steps("killed", steps, [3, 6]))
    survived(bench, job, [*faults.at_sizes(50_000, count=2, seed=0), faults.full_output()])


def test_an_experiment_survives_a_kill_while_it_writes(bench):
    survived(bench, REPRODUCE, faults.at_steps("killed", bench.undisturbed(REPRODUCE).steps, [12]))


def test_an_interrupted_proof_leaves_no_solver_and_no_result(tmp_path):
    assert proofs.complaints(tmp_path, signal.SIGINT, 0.2) == []


@pytest.mark.parametrize(
    ("command", "library"), [("audit", "libtorch_cpu"), ("audit", "numpy"), ("replay", "numpy")]
)
def test_an_interrupt_while_a_command_is_imported_ends_it_in_one_sentence(command, library):
    assert starting.complaints(command, library) == []
