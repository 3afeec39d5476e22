"""Journals and reports that a bad disk cut off or changed: resumed or refused, and never believed."""

import random
import shutil

import pytest

from tests.commands import refused
from tests.running import faults
from tests.running.damage import changes_not_survived, cuts_not_survived, reports_not_survived, written
from tests.running.jobs import AUDIT, REPORTS
from tests.running.process import Running


@pytest.fixture
def killed(bench, tmp_path):
    """The journal of an audit that was killed after three of its four batches."""
    AUDIT.lay(tmp_path)
    steps = bench.undisturbed(AUDIT).steps
    (fault,) = faults.at_steps("killed", steps, [11])
    Running(tmp_path, AUDIT.command, AUDIT.arguments, fault.inject).end()
    (path,) = (tmp_path / "reports").glob("partial-*.ndjson")
    journal = written(path)
    assert list(journal.tallies) == [0, 1, 2]
    return journal


def test_a_journal_cut_off_anywhere_in_its_last_line_gives_the_lines_before_it(killed):
    # Every 40th place here, every one on the scorecard.
    last, end = killed.content.rfind(b"\n", 0, -1) + 1, len(killed.content)
    assert cuts_not_survived(killed, [*range(last, end, 40), *range(end - 20, end + 1)]) == []
    assert cuts_not_survived(killed, [0, 1, last - 1]) == []


def test_a_journal_with_another_byte_is_refused_or_says_the_same(killed):
    places = random.Random(0).sample(range(len(killed.content)), 400)
    assert changes_not_survived(killed, places, seed=0) == []


def test_a_journal_whose_counts_were_changed_is_refused_by_name(killed, tmp_path):
    killed.path.write_bytes(killed.content.replace(b'"samples":4', b'"samples":5', 1))
    ended = Running(tmp_path, AUDIT.command, AUDIT.arguments).end()
    refused((ended.code, ended.out, ended.err), killed.path.name, "is damaged; remove the file")
    assert not (tmp_path / REPORTS[0]).exists()


def test_a_report_that_was_cut_off_is_refused(bench, tmp_path):
    bench.undisturbed(AUDIT)
    report = shutil.copy(bench.folder_of(AUDIT) / REPORTS[0], tmp_path / "report.json")
    size = report.stat().st_size
    assert reports_not_survived(report, [*range(0, size, 80), *range(size - 40, size)]) == []
