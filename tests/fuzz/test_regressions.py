"""What was found once stays fixed."""

import pytest

from tests.fuzz.attempts import attempt
from tests.fuzz.driver import REGRESSIONS
from tests.fuzz.targets import TARGETS

FOUND = sorted(path for path in REGRESSIONS.glob("*/*"))


def test_every_regression_belongs_to_a_target():
    assert FOUND
    assert {path.parent.name for path in FOUND} <= TARGETS.keys()


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_input_that_was_a_finding_is_read_or_refused(path):
    attempt(TARGETS[path.parent.name], path.read_bytes())
