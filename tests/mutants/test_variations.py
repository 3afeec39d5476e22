"""Every sound variation is lossless: a verifier that refutes what is right is not believed for long."""

import pytest

from qvm_verify.exits import Exit
from tests.mutants.catalogue import VARIATIONS
from tests.mutants.examine import audited


@pytest.mark.parametrize("variation", VARIATIONS, ids=lambda variation: f"{variation.kind}: {variation.name}")
def test_a_sound_variation_is_lossless(variation):
    report = audited(variation)
    assert report.verdict == "lossless", [claim for claim in report.claims if claim.verdict == report.worst]
    assert report.exit_code is Exit.AS_EXPECTED
    assert report.counterexamples == ()
