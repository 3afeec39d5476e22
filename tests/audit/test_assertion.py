"""`assert_lossless`: a report, or an AssertionError that says what differs and why."""

import pytest
from torch import nn

import qvm_verify as qvm
from qvm_verify.exits import InputError
from tests.small_networks import OneSite, column

ANN = OneSite(qvm.QuantizedActivation(4, "floor"))


def test_a_lossless_conversion_passes_and_returns_its_report():
    report = qvm.assert_lossless(ANN, qvm.convert(ANN), [column(0.3)], seed=1)
    assert (report.verdict, report.environment["seed"]) == ("lossless", 1)


def test_a_wrong_conversion_fails_with_the_verdict_the_site_the_image_and_the_trace():
    with pytest.raises(AssertionError) as error:
        qvm.assert_lossless(ANN, qvm.convert(ANN, v_init=0.5), [column(0.3, 0.2)])
    text = str(error.value)
    assert text.startswith("not-lossless: REFUTED: 1 of 2 spike counts differ from their levels")
    assert "site[0], image 1 (shadow): M = 0 of L = 4, N = 1 of T = 4" in text
    assert "cause: v-init" in text
    assert "t = 4: q = 0.200000003 (0x1.99999a0000000p-3)" in text


def test_what_nobody_looked_at_fails_too():
    ann = nn.Sequential(ANN, nn.ReLU()).eval()
    with pytest.raises(AssertionError, match=r"inconclusive: UNKNOWN: (?s:.*)finding: 1 computes relu"):
        qvm.assert_lossless(ann, qvm.convert(ann), [column(0.3)])


def test_data_without_an_image_is_refused():
    with pytest.raises(InputError, match="no image"):
        qvm.assert_lossless(ANN, qvm.convert(ANN), [])
