import numpy as np
import pytest

from qvm_verify import reference
from qvm_verify.reproduce import unevenness
from qvm_verify.reproduce.settings import Settings
from qvm_verify.reproduce.temporal_distribution import INPUTS, run
from qvm_verify.reproduce.temporal_distribution_text import nearest
from qvm_verify.reproduce.unevenness import COUNTS, SCENARIOS, Choice, measure

FEW = {"trials": 3, "neurons": 200}


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("quantizer", ["floor", "round", "ceil"])
def test_the_expected_current_has_no_error_whatever_is_left_open(quantizer, counts):
    measured = measure(Choice(inputs=50, counts=counts, quantizer=quantizer), **FEW)
    assert measured["expected current"].error == (0, 0)
    assert measured["expected current"].correlation == pytest.approx((1, 0))


def test_an_initial_potential_that_does_not_match_is_seen(monkeypatch):
    monkeypatch.setitem(unevenness.MATCHED_V_INIT, "floor", unevenness.MATCHED_V_INIT["round"])
    assert measure(Choice(inputs=50), **FEW)["expected current"].error[0] > 0.02


def test_the_output_of_the_ann_as_current_is_not_lossless_with_ceil():
    errors = {
        quantizer: measure(Choice(inputs=50, quantizer=quantizer), **FEW)["ANN input"].error[0]
        for quantizer in ("floor", "round", "ceil")
    }
    assert errors["floor"] == errors["round"] == 0 < errors["ceil"]


def test_every_number_of_a_scenario_comes_from_the_same_neurons():
    one = measure(Choice(inputs=50), **FEW)["random"]
    assert one.pairs.sum() == sum(one.differences) == 600
    unit = unevenness.THRESHOLD / unevenness.TIME_STEPS
    total = sum(k * count for k, count in enumerate(one.differences))
    assert one.error[0] == pytest.approx(unit * total / 600)


@pytest.mark.parametrize("train", [unevenness.centred_spikes, reference.uniform_spikes])
def test_evenly_spaced_trains_have_their_counts_and_intervals_that_differ_by_one_at_most(train):
    counts = np.arange(9)
    spikes = train(counts, 8)
    assert spikes.sum(0).tolist() == counts.tolist()
    for n in counts[2:]:
        assert np.ptp(np.diff(np.flatnonzero(spikes[:, n]))) <= 1


def test_centred_trains_start_half_an_interval_late():
    assert [int(np.flatnonzero(unevenness.centred_spikes(np.array([n]), 8)[:, 0])[0]) for n in (1, 2, 4)] == [
        4,
        2,
        1,
    ]


def test_r_is_that_of_numpy_and_missing_where_nothing_varies():
    x, y = np.random.default_rng(0).integers(0, 9, (2, 100))
    assert unevenness._pearson(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert np.isnan(unevenness._pearson(np.ones(5), np.arange(5)))


def test_the_same_seed_gives_the_same_numbers():
    first, second = (measure(Choice(inputs=20), **FEW)["random"] for _ in range(2))
    assert np.array_equal(first.errors, second.errors)
    assert not np.array_equal(first.errors, measure(Choice(inputs=20), seed=1, **FEW)["random"].errors)


def test_the_printed_errors_go_with_their_scenarios_and_the_printed_correlations_with_each_others():
    measured = measure(Choice(), trials=5)
    assert nearest(0.1430, measured, "error") == nearest(0.944, measured, "correlation") == "random"
    assert nearest(0.0912, measured, "error") == nearest(0.971, measured, "correlation") == "uniform"


def test_the_outcome_holds_every_setting_of_the_grid_and_the_combination_printed_never_occurs():
    outcome = run(Settings(), trials=2, grid_trials=1)
    assert len(outcome.rows) == len(SCENARIOS) * (1 + 3 * 2 * len(COUNTS) * len(INPUTS))
    assert outcome.facts["settings with the printed combination"] == 0
    exchanged, printed = (
        outcome.facts[f"{reading}: largest miss"] for reading in ("with the two R exchanged", "as printed")
    )
    assert exchanged < 0.01 < printed
    assert all(len(row) == len(outcome.columns) for row in outcome.rows)
