"""What the tests of training share: short runs on a few digits."""

from functools import cache

import torch
from torch.utils.data import Subset

from qvm_verify import datasets, networks
from qvm_verify.training import TrainingSettings, train

SETTINGS = {"epochs": 4, "batch_size": 32, "learning_rate": 0.05}


@cache
def few_digits(count=96):
    return Subset(datasets.digits("train"), range(count))


def fresh():
    torch.manual_seed(3)
    return networks.digits_cnn(levels=4, quantizer="floor")


def trained_weights(network=None, data=None, on_epoch=lambda epoch, loss: None, run=None, **settings):
    """Train a network and return its weights; `run` holds the arguments of `train` beside the settings."""
    network = network or fresh()
    train(network, data or few_digits(), TrainingSettings(**SETTINGS | settings), on_epoch, **(run or {}))
    return network.state_dict()


def same(a, b):
    assert a.keys() == b.keys()
    return all(torch.equal(a[name], b[name]) for name in a)


class Stopped(Exception):  # noqa: N818  # it is no error
    pass


def stop_after(last):
    def on_epoch(epoch, loss):
        if epoch == last:
            raise Stopped

    return on_epoch
