"""No number stands in a paragraph that is not one of the outcome's facts."""

import re
from functools import partial

import pytest
import torch

from qvm_verify import networks
from qvm_verify.calibration import calibrate
from qvm_verify.datasets import digits
from qvm_verify.reproduce import (
    conversion_errors,
    current_traces,
    layer_envelopes,
    layers,
    temporal_distribution,
)
from qvm_verify.reproduce.outcome import show
from qvm_verify.reproduce.settings import Settings

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?(?!\w)")  # not the 0 of V0, the 16 of vgg16
EXPERIMENTS = {
    "fig1": conversion_errors.run,
    "fig2": current_traces.run,
    "fig3": layers.run,
    "fig6": partial(temporal_distribution.run, trials=2, grid_trials=1),
    "worst-case": layer_envelopes.run,
}


def missing(outcome):
    known = {show(value) for value in outcome.facts.values()}
    return set(NUMBER.findall(outcome.paragraph)) - known


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    torch.manual_seed(0)
    network = networks.digits_cnn(levels=4)
    data = digits("test")
    calibrate(network, [torch.stack([data[k][0] for k in range(8)])])
    path = tmp_path_factory.mktemp("models") / "digits.pt"
    networks.save(network, path)
    return Settings(models=(path,), limit=8)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_number_of_a_paragraph_is_a_fact(name, settings):
    outcome = EXPERIMENTS[name](settings)
    assert outcome.name == name
    assert outcome.facts
    assert not missing(outcome)
    assert all(len(row) == len(outcome.columns) for row in outcome.rows)


def test_a_number_that_is_no_fact_is_noticed(settings):
    outcome = current_traces.run(settings)
    value = outcome.facts.pop("total current")
    assert missing(outcome) == {show(value)}
