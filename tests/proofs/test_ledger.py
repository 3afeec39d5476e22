import re
from pathlib import Path

import pytest

from qvm_verify.claims import claim
from qvm_verify.proofs import witness
from qvm_verify.proofs.ledger import Entry, ledger
from qvm_verify.proofs.session import ALL_CLAIMS, with_used
from qvm_verify.verdict import Verdict

COMMITTED = Path(__file__).parents[2] / "reports" / "claims.md"
ENTRIES = [
    Entry(one, one.expected, witness.first(one) if one.expected is Verdict.REFUTED else None)
    for one in with_used(ALL_CLAIMS)
]


def without_searched(text: str) -> str:
    """Leave out the counterexamples that only a solver finds; any of several may be printed."""
    return re.sub(r"- Counterexample: .*current = .*0x.*\.|- Counterexample: None\.", "-", text)


def test_the_committed_ledger_is_what_the_claims_say() -> None:
    assert without_searched(COMMITTED.read_text(encoding="utf-8")) == without_searched(ledger(ENTRIES))


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.claim.id) for e in ENTRIES if e.witness])
def test_the_committed_ledger_has_the_simplest_counterexample(entry: Entry) -> None:
    heading = f"### {entry.claim.id} ("
    section = COMMITTED.read_text(encoding="utf-8").split(heading)[1].split("###")[0]
    assert f"- Counterexample: {entry.witness}." in section


def test_a_refutation_names_its_repair() -> None:
    text = ledger(
        [Entry(claim(name), claim(name).expected, None) for name in ("theorem-2-printed", "theorem-2")]
    )
    assert "True instead (`theorem-2`)" in text
    assert "1 PROVED, 1 REFUTED" in text


def test_a_changed_verdict_changes_the_ledger() -> None:
    changed = [ENTRIES[0]._replace(verdict=Verdict.UNKNOWN), *ENTRIES[1:]]
    assert without_searched(ledger(changed)) != without_searched(ledger(ENTRIES))
