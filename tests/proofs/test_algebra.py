import pytest
from sympy import Interval, Rational

from qvm_verify.claims import claim
from qvm_verify.proofs import algebra
from qvm_verify.proofs.algebra import IDENTITIES, Identity
from qvm_verify.verdict import Verdict


@pytest.mark.parametrize("one", [pytest.param(one, id=f"{one.claim}: {one.name}") for one in IDENTITIES])
def test_sympy_derives_the_identity_of_a_claim_that_holds(one: Identity) -> None:
    assert claim(one.claim).expected is Verdict.PROVED
    assert one.derive()


def test_the_fraction_decides_the_floor() -> None:
    half = Rational(1, 2)
    assert not algebra._floor_is(half, Interval.Ropen(0, 1), 0)  # from 1/2 on it is one more
    assert not algebra._floor_is(half, Interval(0, half), 0)


def test_an_identity_that_does_not_come_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(algebra, "IDENTITIES", (Identity("theorem-1", "false", lambda: False),))
    assert algebra.failures("theorem-1") == ["false"]
    assert algebra.failures("conservation") == []
