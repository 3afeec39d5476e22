"""No number stands in a paragraph that is not one of the outcome's facts."""

import re
from functools import partial

import pytest
import torch

from qvm_verify import networks
from qvm_verify.calibration import calibrate
from qvm_verify.datasets import digits
from qvm_verify.reproduce import current_traces, temporal_distribution
from qvm_verify.reproduce.experiments import EXPERIMENTS, run
from qvm_verify.reproduce.outcome import show
from qvm_verify.reproduce.settings import Settings

NUMBER = re.compile(  # not the 0 of V0, nor the 16 of vgg16 and VGG-16
    r"(?<![\w.])(?<![A-Za-z]-)-?\d+(?:\.\d+)?(?:e-?\d+)?(?!\w)"
)
FEWER_TRIALS = {"fig6": partial(temporal_distribution.run, trials=2, grid_trials=1)}


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
    return Settings(models=(path,), limit=8, time_steps=6)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_number_of_a_paragraph_is_a_fact(name, settings):
    outcome = FEWER_TRIALS[name](settings) if name in FEWER_TRIALS else run(name, settings)
    assert outcome.name == name
    assert outcome.facts
    assert not missing(outcome)
    assert all(len(row) == len(outcome.columns) for row in outcome.rows)


def test_a_number_that_is_no_fact_is_noticed(settings):
    outcome = current_traces.run(settings)
    value = outcome.facts.pop("total current")
    assert missing(outcome) == {show(value)}
