import random

import pytest
import torch

import qvm_verify as qvm
from qvm_verify.certificate import convert, find_repair
from qvm_verify.certificate.boundary import ORDERS, OrderedLevel
from qvm_verify.certificate.repair import _around_boundaries, _candidates
from qvm_verify.claims import CLAIMS
from qvm_verify.exits import InputError
from qvm_verify.snn import MATCHED_V_INIT, IFNeuron, IFSettings, QuantizedActivation
from qvm_verify.verdict import Verdict
from tests.certificate import sites

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


# Of float16 neurons; each was found by looking at every candidate, and every number.
REPAIRS = [
    ("floor", 4, 1.0, "boundary", ORDERS, ""),
    ("round", 3, 3.3, "boundary", ORDERS, "V0 moved by +1 ulp of θ"),
    ("round_half_even", 2, 0.7, "boundary", ORDERS, "V0 moved by -1 ulp of θ"),
    ("round_half_even", 2, 1.7, "boundary", ORDERS, "V0 moved by -2 ulp of θ, θ moved by -1 ulp"),
    ("round", 5, 1.7, "boundary", ORDERS, "z computed as x / threshold * L"),
    ("round", 2, 0.7, "boundary", ORDERS, "z computed as x * (L / threshold)"),
    ("floor", 6, 1.7, "boundary", ORDERS, "z computed as x * (L / threshold), θ moved by -1 ulp"),
    ("floor", 5, 0.7, "exhaustive", ORDERS[:1], "V0 moved by +2 ulp of θ, firing on U > θ"),
    ("floor", 5, 0.7, "boundary", ORDERS[:1], None),  # that firing rule is not proved monotone
    ("round", 5, 1.7, "boundary", ORDERS[:1], None),  # the ANN may not be changed
    ("round", 4, 1.0, "boundary", ORDERS, None),
]


@pytest.mark.parametrize(("quantizer", "levels", "threshold", "method", "orders", "expected"), REPAIRS)
def test_the_smallest_change_that_repairs_every_number_is_found(
    quantizer, levels, threshold, method, orders, expected
):
    activation, neuron = sites.pair(levels, quantizer, threshold, torch.float16)
    found = find_repair(activation, neuron, orders=orders, method=method)
    if expected is None:
        assert found is None
        return
    changed, repair = found
    assert str(repair) == expected
    theta, v_init = neuron.threshold, neuron.v_init
    ulp = torch.nextafter(theta, torch.tensor(torch.inf, dtype=torch.float16)) - theta
    assert changed.threshold == theta + repair.threshold_ulps * ulp
    assert changed.v_init == v_init + repair.v_init_ulps * ulp
    assert changed.settings == neuron.settings._replace(firing=repair.firing)
    assert repair.threshold == float(changed.threshold).hex()
    assert repair.v_init == float(changed.v_init).hex()
    swept = sites.decide(OrderedLevel(activation, repair.order), changed, activation, "exhaustive")
    assert swept.mismatches == repair.certificate.mismatches == 0
    assert repair.certificate.level_steps == swept.level_steps
    assert repair.certificate.threshold == repair.threshold
    assert (repair.certificate.levels, repair.certificate.time_steps) == (levels, levels)


def test_every_change_within_reach_is_tried_once_and_smaller_ones_first():
    _, neuron = sites.pair(4, "floor", 1.0)
    tried = list(_candidates(neuron))
    assert set(tried) == {
        (v_init, threshold, firing)
        for v_init in range(-32, 33)
        for threshold in range(-4, 5)
        for firing in (">=", ">")
    }
    assert len(tried) == 65 * 9 * 2
    assert [tuple(one) for one in tried[:4]] == [(0, 0, ">="), (1, 0, ">="), (-1, 0, ">="), (2, 0, ">=")]
    assert tried[65] == (0, 0, ">")
    sizes = [abs(one.threshold_ulps) for one in tried]
    assert sizes == sorted(sizes)
    for start in range(0, len(tried), 65):
        block = tried[start : start + 65]
        assert [abs(one.v_init_ulps) for one in block] == sorted(abs(one.v_init_ulps) for one in block)


def test_a_strict_neuron_is_tried_strict_first():
    _, neuron = sites.pair(4, "floor", 1.0)
    strict = IFNeuron(neuron.threshold, neuron.v_init, neuron.settings._replace(firing=">"))
    assert [one.firing for one in _candidates(strict)][:66] == [">"] * 65 + [">="]


def test_an_unknown_method_of_repair_is_refused():
    activation, neuron = sites.pair(4, "floor", 1.0)
    with pytest.raises(InputError, match=r"^unknown method 'exhaustiv'; one of boundary, exhaustive$"):
        find_repair(activation, neuron, method="exhaustiv")


def test_the_floats_on_both_sides_of_every_boundary_decide_who_may_go_on():
    activation, _ = sites.pair(4, "floor", 1.0)
    currents, levels = _around_boundaries(activation, ORDERS[0])
    on = torch.tensor([0.25, 0.5, 0.75, 1.0])
    below = torch.nextafter(on, torch.tensor(0.0))
    assert torch.equal(currents, torch.cat([on, below]))
    assert levels.tolist() == [1, 2, 3, 4, 0, 1, 2, 3]


# Where a change of the ANN's order would let the neuron change, too.
@pytest.mark.parametrize(
    ("quantizer", "levels", "threshold"), [("round", 5, 1.1), ("floor", 6, 0.6), ("floor", 6, 1.7)]
)
def test_what_convert_changes_is_lossless_beside_the_ann_as_it_is(quantizer, levels, threshold):
    activation, plain = sites.pair(levels, quantizer, threshold, torch.float16)
    neuron = convert(activation, repair=True)
    numbers = [(float(n.threshold), float(n.v_init), n.settings) for n in (neuron, plain)]
    swept = sites.decide(activation, neuron, activation, "exhaustive")
    assert numbers[0] == numbers[1] or swept.mismatches == 0


def half(*places):
    """Return a float16 network of activations, all but the first one module down."""
    first, *rest = (sites.pair(levels, "floor", threshold, torch.float16)[0] for levels, threshold in places)
    return torch.nn.Sequential(first, torch.nn.Sequential(*rest)).eval()


def test_a_repair_by_convert_sweeps_reaches_every_depth_and_leaves_what_has_none():
    ann = half((5, 0.7), (5, 1.7), (5, 0.7))
    snn = convert(ann, repair=True)
    plain = convert(ann)
    assert (snn[0].firing, snn[1][1].firing) == (">", ">")  # what only a sweep can certify
    assert snn[1][0].settings == plain[1][0].settings  # what only a change of the ANN would repair
    assert torch.equal(snn[1][0].v_init, plain[1][0].v_init)
    assert torch.equal(snn[1][0].threshold, plain[1][0].threshold)
    assert not any(module.training for module in snn.modules())


def test_convert_repairs_only_where_it_is_asked_to():
    ann = half((5, 0.7), (5, 0.7))
    assert convert(ann)[0].firing == convert(ann)[1][0].firing == ">="


def test_convert_repairs_no_streaming_neuron_and_passes_its_options_on():
    ann = half((5, 0.7), (5, 0.7))
    for repair in (False, True):
        snn = convert(ann, repair=repair, currents="streaming", time_steps=7)
        neurons = [module for module in snn.modules() if isinstance(module, IFNeuron)]
        assert [(n.currents, n.firing, n.time_steps) for n in neurons] == [("streaming", ">=", 7)] * 2


def test_a_shared_activation_is_repaired_at_both_its_places():
    site, _ = sites.pair(5, "floor", 0.7, torch.float16)
    ann = torch.nn.ModuleDict({"first": site, "second": site}).eval()
    snn = convert(ann, repair=True)
    assert snn["first"] is snn["second"]
    assert snn["first"].firing == ">"


def test_a_network_that_is_one_activation_is_repaired():
    ann, _ = sites.pair(5, "floor", 0.7, torch.float16)
    assert convert(ann, repair=True).firing == ">"
