import pytest
import torch
from torch import nn

from qvm_verify.exits import InputError
from tests.training.runs import Stopped, fresh, same, stop_after, trained_weights

AUGMENTED = {"augmentations": ("crop", "cutout")}


@pytest.fixture
def state(tmp_path):
    return tmp_path / "run.state"


def stopped(state, network=None, after=2, **settings):
    with pytest.raises(Stopped):
        trained_weights(network, on_epoch=stop_after(after), run={"state": state}, **settings)


def resumed(state, network=None, **settings):
    network = network or fresh()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()  # whatever it starts with, the state replaces
    return trained_weights(network, run={"state": state}, **settings)


@pytest.mark.parametrize("settings", [{}, AUGMENTED, {"channels_last": True}], ids=str)
@pytest.mark.parametrize("after", [1, 3])
def test_a_run_that_stopped_goes_on_to_the_same_bits(settings, after, state):
    stopped(state, after=after, **settings)
    assert same(resumed(state, **settings), trained_weights(**settings))


def with_dropout():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Dropout(0.5), nn.ReLU(), nn.Linear(32, 10))


def test_dropout_goes_on_with_the_same_random_numbers(state):
    stopped(state, with_dropout())
    torch.manual_seed(77)
    assert same(resumed(state, with_dropout()), trained_weights(with_dropout()))


def forget_momentum(content):
    content["optimizer"]["state"] = {}


def forget_schedule(content):
    content["schedule"]["last_epoch"] = 0


def forget_order(content):
    content["order"] = torch.Generator().manual_seed(0).get_state()


def forget_statistics(content):
    content["network"]["stem.1.running_mean"].zero_()


@pytest.mark.parametrize("forget", [forget_momentum, forget_schedule, forget_order, forget_statistics])
def test_a_resume_that_forgets_something_is_caught(forget, state):
    stopped(state)
    content = torch.load(state, weights_only=True)
    forget(content)
    torch.save(content, state)
    assert not same(resumed(state), trained_weights())


def test_a_run_that_had_finished_is_not_trained_again(state):
    done = trained_weights(run={"state": state})
    before = state.read_bytes()
    assert same(resumed(state), done)
    assert state.read_bytes() == before


def test_a_run_is_finished_as_it_began(state):
    stopped(state)
    with pytest.raises(InputError, match=r"run\.state: a run with learning_rate = 0\.05, not 0\.1"):
        resumed(state, learning_rate=0.1)
    with pytest.raises(InputError, match="a run with data = None, not 'digits'"):
        trained_weights(run={"state": state, "recipe": {"data": "digits"}})


def test_a_state_that_does_not_fit_is_named(state):
    stopped(state)
    with pytest.raises(InputError, match=r"run\.state: does not fit this network"):
        resumed(state, with_dropout())
    whole = state.read_bytes()
    for damaged in (whole[:1000], b"", b"text"):
        state.write_bytes(damaged)
        with pytest.raises(InputError, match=r"run\.state: not a readable training state"):
            resumed(state)
    torch.save({"format": "another"}, state)
    with pytest.raises(InputError, match="not a training state of this version"):
        resumed(state)
