"""Every planted fault is refuted, at its site, with a counterexample that replays as the catalogue says."""

import pytest

from tests.mutants.catalogue import FAULTS
from tests.mutants.examine import control, examine


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.family}: {fault.name}")
def test_a_planted_fault_is_refuted_at_its_site_and_replays(fault):
    assert control(fault.subject).verdict == "lossless"  # so that it is the fault that is found
    outcome = examine(fault)
    assert outcome.refuted, outcome
    assert outcome.localised, outcome
    assert "ERROR" not in outcome.statuses, outcome
    if fault.replays == "none":
        assert outcome.statuses == ()
    else:
        assert fault.replays in outcome.statuses
