import os
import random
import shutil
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import settings

from qvm_verify import datasets, networks, training
from qvm_verify.exits import run_command

# `ci` tries the same cases every time, beside the witnesses that the tests commit with @example; `dev` and
# `nightly` draw new ones and keep what fails in .hypothesis/. HYPOTHESIS_PROFILE picks one: ci by default, so
# that a test that passed passes again; `HYPOTHESIS_PROFILE=nightly python -m pytest` searches for longest.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=80, database=None)
settings.register_profile("dev", deadline=None, max_examples=80)
settings.register_profile("nightly", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
torch.set_num_threads(1)  # the networks are small: a second thread costs more than it gives


def pytest_configure(config):
    # The order of the tests is drawn anew in every run (pytest-randomly prints its seed), and nothing else
    # is: a test that passed passes again.
    config.option.randomly_reset_seed = False


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    _same_random_numbers()  # for the fixtures, whichever test is the first to ask for them


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    _same_random_numbers()  # for the test, whether or not its fixtures were there already


def _same_random_numbers():
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


class Trained(NamedTuple):
    network: torch.nn.Module
    path: object  # of its checkpoint


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return a digits network by its quantizer, trained once per session, long enough to be accurate."""
    known = {}

    def trained_with(quantizer="round"):
        if quantizer not in known:
            torch.manual_seed(0)
            network = networks.digits_cnn(levels=8, quantizer=quantizer)
            training.train(network, datasets.digits("train"), training.TrainingSettings(epochs=6))
            path = tmp_path_factory.mktemp("trained") / f"{quantizer}.pt"
            networks.save(network, path)
            known[quantizer] = Trained(network, path)
        return known[quantizer]

    return trained_with


@pytest.fixture(scope="session")
def held_out():
    """Return the held-out digits as batches of (images, labels)."""
    images, labels = datasets.digits("test").tensors
    return list(zip(images.split(120), labels.split(120), strict=True))


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command in a fresh folder and returns (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run_in_folder(command, *arguments):
        code = run_command(command, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_in_folder


@pytest.fixture
def model(trained, tmp_path):
    return shutil.copy(trained().path, tmp_path / "model.pt")
