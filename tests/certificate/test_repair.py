import random

import pytest
import torch

import qvm_verify as qvm
from qvm_verify.certificate import find_repair
from qvm_verify.claims import CLAIMS
from qvm_verify.snn import MATCHED_V_INIT, IFNeuron, IFSettings, QuantizedActivation
from qvm_verify.verdict import Verdict

FIXED = [
    (claim, quantizer)
    for claim in CLAIMS
    for quantizer in ("floor", "round")
    if claim.id.startswith(f"theorem-3-{quantizer}-float32-T")
]


def pair(quantizer, levels, threshold=1.0):
    activation = QuantizedActivation(levels, quantizer, threshold)
    theta = activation.threshold.detach()
    return activation, IFNeuron(theta, theta * MATCHED_V_INIT[quantizer], IFSettings(levels))


def certificate(activation, neuron, levels, threshold=1.0):
    return qvm.certify(activation, neuron, threshold=threshold, levels=levels, time_steps=levels)


@pytest.mark.parametrize(("claim", "quantizer"), FIXED, ids=lambda value: getattr(value, "id", value))
def test_certificates_agree_with_what_the_solvers_say_of_a_fixed_threshold(claim, quantizer):
    levels = int(claim.constants["time_steps"])
    failing = certificate(*pair(quantizer, levels), levels).intervals
    inside = [one for one in failing if 0 <= float.fromhex(one.last) <= 1]
    assert bool(inside) is (claim.expected is Verdict.REFUTED)


def test_a_repair_is_found_and_certified_where_there_is_one():
    threshold, repaired = 0.5, 0
    for seed in range(12):
        threshold = random.Random(seed).uniform(0.5, 4)
        activation, neuron = pair("floor", 6, threshold)
        before = certificate(activation, neuron, 6, threshold=float(neuron.threshold))
        found = find_repair(activation, neuron)
        if before.mismatches and found is not None:
            repaired += 1
            assert found[1].certificate.mismatches == 0
            assert str(found[1])
    assert repaired > 0


def test_a_repair_by_convert_leaves_the_ann_as_it_is():
    ann = torch.nn.Sequential(QuantizedActivation(3, "floor", 1.7)).eval()
    before = {name: tensor.clone() for name, tensor in ann.state_dict().items()}
    assert certificate(ann[0], qvm.convert(ann)[0], 3, threshold=1.7).mismatches == 1
    snn = qvm.convert(ann, repair=True)
    assert isinstance(snn[0], IFNeuron)
    assert certificate(ann[0], snn[0], 3, threshold=1.7).mismatches == 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in ann.state_dict().items())
