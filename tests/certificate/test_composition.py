import copy

import pytest
import torch
from torch import nn

from qvm_verify import networks
from qvm_verify.certificate import certify, compose, convert
from qvm_verify.snn import QuantizedActivation
from qvm_verify.verdict import Verdict


def digits(quantizer="floor"):
    torch.manual_seed(0)
    ann = networks.digits_cnn(levels=8, quantizer=quantizer).eval()
    for module in ann.modules():
        if isinstance(module, QuantizedActivation):
            module.threshold.data.fill_(2.0)
    return ann


def certificates(ann, snn):
    return {
        name: certify(module, snn.get_submodule(name), threshold=2.0, levels=8, time_steps=8)
        for name, module in ann.named_modules()
        if isinstance(module, QuantizedActivation)
    }


def test_certified_sites_and_equal_operations_decide_every_image():
    ann = digits()
    snn = convert(ann)
    found = compose(ann, snn, certificates(ann, snn))
    assert found.evidence.verdict is Verdict.EXHAUSTED
    assert (found.sites, found.obstacles) == (5, ())
    x = torch.randn(64, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(ann(x), snn(x))


def test_a_failing_site_is_an_obstacle_with_its_name():
    ann = digits("round")
    snn = convert(ann)
    found = compose(ann, snn, certificates(ann, snn))
    assert found.evidence.verdict is Verdict.UNKNOWN
    assert {obstacle.place for obstacle in found.obstacles} == set(certificates(ann, snn))


def nudge(snn):
    weight = snn.block1.conv1[0].weight
    with torch.no_grad():
        weight.view(-1)[0] = torch.nextafter(weight.view(-1)[0], torch.tensor(9.0))


def stride(snn):
    snn.block2.conv1[0].stride = (2, 2)


def relu(snn):
    snn.pool = nn.ReLU()


def extra(snn):
    snn.pool = nn.Sequential(snn.pool, nn.Sigmoid())


def threshold(snn):
    snn.act.threshold = torch.nextafter(snn.act.threshold, torch.tensor(9.0))


def train(snn):
    snn.stem[1].train()


def steps(snn):
    snn.act.settings = snn.act.settings._replace(time_steps=4)


CHANGES = {
    "one weight by one ulp": (nudge, "block1.conv1.0"),
    "another stride": (stride, "block2.conv1.0"),
    "a relu": (relu, "pool"),
    "one more operation": (extra, "block2.conv1"),
    "a threshold by one ulp": (threshold, "act"),
    "batch-norm in training mode": (train, "stem.1"),
    "fewer time-steps": (steps, "act"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_differs_between_the_sites_is_an_obstacle_at_its_place(change):
    alter, place = CHANGES[change]
    ann = digits()
    good = convert(ann)
    snn = copy.deepcopy(good)
    alter(snn)
    found = compose(ann, snn, certificates(ann, good))
    assert found.evidence.verdict is Verdict.UNKNOWN
    assert any(place in str(obstacle) for obstacle in found.obstacles)


def test_streaming_and_a_missing_certificate_are_obstacles():
    ann = digits()
    snn = convert(ann)
    assert compose(ann, snn, {}).evidence.verdict is Verdict.UNKNOWN
    streaming = convert(ann, currents="streaming")
    assert compose(ann, streaming, certificates(ann, snn)).evidence.verdict is Verdict.UNKNOWN
