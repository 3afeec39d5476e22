"""What a certificate says, and what `certify` does not take."""

from typing import Any

import pytest
import torch

from qvm_verify.certificate.decide import THEOREM, _share
from qvm_verify.certificate.runs import Run
from qvm_verify.exits import InputError
from qvm_verify.snn.ordinals import ordinal
from qvm_verify.verdict import Verdict
from tests.certificate.sites import decide, pair


@pytest.mark.parametrize("method", ["boundary", "exhaustive"])
def test_a_lossless_site_is_exhausted_and_names_its_domain(method: str) -> None:
    activation, neuron = pair(8, "floor", 1.0, torch.float16)
    evidence = decide(activation, neuron, activation, method).evidence
    assert evidence.verdict is Verdict.EXHAUSTED
    assert evidence.claim == "certificate.counts-equal-levels"
    assert evidence.arithmetic == "float16"
    assert evidence.domain == "all 63490 float16 numbers"
    assert evidence.detail == f"N = M by {method}"


@pytest.mark.parametrize("method", ["boundary", "exhaustive"])
def test_a_failing_site_is_refuted_by_an_input_that_fails(method: str) -> None:
    activation, neuron = pair(3, "round", 1.0, torch.float16)
    certificate = decide(activation, neuron, activation, method)
    x = torch.tensor([float.fromhex(certificate.intervals[0].first)], dtype=torch.float16)
    assert certificate.evidence.verdict is Verdict.REFUTED
    assert certificate.intervals[0].first in certificate.evidence.detail
    assert activation.level(x) != neuron.spike_count(x)


def test_a_certificate_says_what_it_rests_on() -> None:
    activation, neuron = pair(4, "floor", 1.0, torch.float16)
    rests = [decide(activation, neuron, activation, method).rests_on for method in ("boundary", "exhaustive")]
    assert rests == [THEOREM, "plain evaluation (half precision)"]
    assert "monotone" in THEOREM


def test_the_steps_are_where_the_functions_rise() -> None:
    activation, neuron = pair(4, "floor", 2.0, torch.float16)
    certificate = decide(activation, neuron, activation, "exhaustive")
    assert [float.fromhex(step) for step in certificate.level_steps] == [0.5, 1.0, 1.5, 2.0]
    assert certificate.level_steps == certificate.count_steps
    assert certificate.threshold == (2.0).hex()


def test_the_share_of_the_range_is_its_length() -> None:
    activation, neuron = pair(4, "floor", 1.0, torch.float16)
    half_silent = decide(
        activation,
        lambda x: torch.where((x >= 0.25) & (x < 0.75), 0.0, neuron.spike_count(x)),
        activation,
        "exhaustive",
    )
    assert half_silent.share_of_range == 0.5
    above = decide(
        activation, lambda x: torch.where(x > 1, 0.0, neuron.spike_count(x)), activation, "exhaustive"
    )
    assert above.mismatches > 0
    assert above.share_of_range == 0.0


def test_the_share_is_one_of_the_threshold() -> None:
    half, one = (ordinal(place, torch.float32) for place in (0.5, 1.0))
    assert _share([Run(half, one - 1, 1.0, 0.0)], 2.0, torch.float32) == 0.25
    half = ordinal(0.5, torch.float16)
    assert _share([Run(-7, half - 1, 1.0, 0.0)], 1.0, torch.float16) == 0.5


def test_levels_and_time_steps_are_compared_on_one_scale() -> None:
    activation, _ = pair(4, "floor", 1.0, torch.float16)
    _, neuron = pair(8, "floor", 1.0, torch.float16)
    certificate = decide(activation, neuron, activation, "exhaustive", time_steps=8)
    found = {(interval.level, interval.spike_count) for interval in certificate.intervals}
    assert found == {(0, 1), (1, 3), (2, 5), (3, 7)}


def test_a_level_that_is_no_number_is_a_mismatch() -> None:
    activation, neuron = pair(4, "floor", 1.0, torch.float16)
    certificate = decide(
        lambda x: torch.where(x == 0.5, torch.nan, activation.level(x)), neuron, activation, "exhaustive"
    )
    (failing,) = certificate.intervals
    assert (failing.first, failing.level, failing.spike_count) == ((0.5).hex(), None, 2)


@pytest.mark.parametrize("threshold", [0.0, -1.0, torch.inf, torch.nan])
def test_a_threshold_that_is_not_positive_and_finite_is_refused(threshold: float) -> None:
    activation, neuron = pair(4, "floor", 1.0)
    with pytest.raises(InputError, match="threshold must be positive and finite"):
        decide(activation, neuron, activation, "boundary", threshold=threshold)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"method": "guess"}, "unknown method 'guess'"),
        ({"method": "exhaustive", "dtype": torch.float64}, "not torch.float64"),
        ({"method": "exhaustive", "dtype": torch.int32}, "not torch.int32"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(options: dict[str, Any], reason: str) -> None:
    activation, neuron = pair(4, "floor", 1.0)
    with pytest.raises(InputError, match=reason) as error:
        decide(activation, neuron, activation, **{"method": "boundary", **options})
    assert "\n" not in str(error.value)
