import random

import pytest
import torch

import qvm_verify as qvm
from qvm_verify.certificate import find_repair
from qvm_verify.exits import InputError
from qvm_verify.snn import MATCHED_V_INIT, QUANTIZERS, IFNeuron, IFSettings, QuantizedActivation
from qvm_verify.verdict import Verdict

HALVES = [torch.float16, torch.bfloat16]


def pair(quantizer, levels, threshold=1.0, dtype=torch.float32):
    activation = QuantizedActivation(levels, quantizer, threshold).to(dtype)
    theta = activation.threshold.detach()
    return activation, IFNeuron(theta, theta * MATCHED_V_INIT[quantizer], IFSettings(levels))


def certificate(activation, neuron, levels, dtype=torch.float32, method="boundary", threshold=1.0):
    return qvm.certify(
        activation, neuron, threshold=threshold, levels=levels, time_steps=levels, dtype=dtype, method=method
    )


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("levels", [2, 3, 4, 6, 8, 16])
def test_bisection_and_sweep_find_the_same_for_every_half_precision_number(quantizer, levels, dtype):
    threshold = random.Random(f"{quantizer} {levels}").uniform(0.3, 4)
    activation, neuron = pair(quantizer, levels, threshold, dtype)
    threshold = float(neuron.threshold)
    short, long = (
        certificate(activation, neuron, levels, dtype, method, threshold)
        for method in ("boundary", "exhaustive")
    )
    assert long.monotone
    assert long.intervals == short.intervals
    assert (long.level_steps, long.count_steps) == (short.level_steps, short.count_steps)
    assert {**short.classes, "NaN": long.classes["NaN"]} == long.classes
    assert sum(kind.inputs for kind in long.classes.values()) == 2**16


@pytest.mark.parametrize(
    ("quantizer", "levels", "failing"),
    [
        ("floor", 2, 0),
        ("floor", 4, 0),
        ("floor", 6, 1),
        ("floor", 8, 0),
        ("floor", 16, 0),
        ("round", 4, 4),
        ("round", 8, 8),
    ],
)
def test_known_counts_of_failing_float32_numbers_reproduce_at_threshold_one(quantizer, levels, failing):
    found = certificate(*pair(quantizer, levels), levels)
    assert found.mismatches == failing
    assert found.evidence.verdict is (Verdict.REFUTED if failing else Verdict.EXHAUSTED)
    assert found.inputs_checked == 2**32 - 2 * (2**23 - 1)  # all but NaN


def test_the_one_failing_number_of_floor_at_six_levels_is_named():
    (only,) = certificate(*pair("floor", 6), 6).intervals
    assert (float.fromhex(only.first), only.first, only.inputs) == (0.8333333134651184, only.last, 1)
    assert (only.level, only.spike_count) == (5, 4)


@pytest.mark.parametrize("levels", [1, 4, 8])
def test_ceil_fires_on_silence_and_on_a_fifth_of_all_numbers(levels):
    found = certificate(*pair("ceil", levels), levels)
    assert found.classes["positive zero"].mismatches == 1
    assert found.mismatches > found.inputs_checked // 6


def test_float64_is_decided_by_bisection():
    found = certificate(*pair("floor", 8, dtype=torch.float64), 8, torch.float64)
    assert (found.mismatches, found.inputs_checked) == (0, 2**64 - 2 * (2**52 - 1))


def fault_on_one_number(count):
    def faulty(x):
        return torch.where(x == 0.3125, count(x) + 1, count(x))

    return faulty


def with_saturating_add(neuron):
    def count(x):
        v, spikes = neuron.v_init.expand_as(x), torch.zeros_like(x)
        for _ in range(neuron.time_steps):
            fired, v = neuron.step(x, v.clamp(max=0.5))
            spikes = spikes + fired
        return spikes

    return count


def with_coarse_sums(neuron):
    def count(x):
        v, spikes = neuron.v_init.expand_as(x), torch.zeros_like(x)
        for _ in range(neuron.time_steps):
            fired, v = neuron.step(x, v.bfloat16().to(x.dtype))
            spikes = spikes + fired
        return spikes

    return count


PLANTED = {
    "one number": lambda neuron: fault_on_one_number(neuron.spike_count),
    "v_init by one ulp": lambda neuron: IFNeuron(
        neuron.threshold, torch.nextafter(neuron.threshold * 0, neuron.threshold) * 2**13, neuron.settings
    ),
    "hard reset": lambda neuron: IFNeuron(
        neuron.threshold, neuron.v_init, neuron.settings._replace(reset="reset_to_zero")
    ),
    "saturating add": with_saturating_add,
    "coarse sums": with_coarse_sums,
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_caught_by_the_sweep(fault):
    activation, neuron = pair("floor", 8, dtype=torch.float16)
    assert certificate(activation, neuron, 8, torch.float16, "exhaustive").mismatches == 0
    found = certificate(activation, PLANTED[fault](neuron), 8, torch.float16, "exhaustive")
    assert found.mismatches > 0
    if fault == "one number":
        assert [(i.first, i.inputs) for i in found.intervals] == [((0.3125).hex(), 1)]


def test_a_count_that_falls_is_seen_by_the_sweep():
    activation, neuron = pair("floor", 4, dtype=torch.float16)
    found = certificate(activation, lambda x: 4 - neuron.spike_count(x), 4, torch.float16, "exhaustive")
    assert not found.monotone


class Derived(QuantizedActivation):
    pass


UNPROVED = {
    "a function": lambda a, n: (a, lambda x: n.spike_count(x)),
    "a subclass": lambda a, n: (Derived(4, "floor").level, n),
    "hard reset": lambda a, n: (a, PLANTED["hard reset"](n)),
    "strict firing": lambda a, n: (a, IFNeuron(n.threshold, n.v_init, n.settings._replace(firing=">"))),
    "V0 above θ": lambda a, n: (a, IFNeuron(n.threshold, n.threshold * 2, n.settings)),
    "negative V0": lambda a, n: (a, IFNeuron(n.threshold, -n.threshold, n.settings)),
}


@pytest.mark.parametrize("what", UNPROVED)
def test_bisection_refuses_what_is_not_proved_monotone(what):
    with pytest.raises(InputError, match="boundary cannot decide this"):
        certificate(*UNPROVED[what](*pair("floor", 4)), 4)


@pytest.mark.parametrize(
    "change",
    [{"threshold": 0.0}, {"threshold": float("nan")}, {"method": "guess"}, {"dtype": torch.int32}],
    ids=str,
)
def test_bad_arguments_are_refused(change):
    arguments = {
        "threshold": 1.0,
        "levels": 4,
        "time_steps": 4,
        "dtype": torch.float32,
        "method": "exhaustive",
    }
    with pytest.raises(InputError):
        qvm.certify(*pair("floor", 4), **{**arguments, **change})


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
    ann = torch.nn.Sequential(QuantizedActivation(4, "floor", 1.0)).eval()
    snn = qvm.convert(ann, repair=True)
    assert isinstance(snn[0], IFNeuron)
    assert certificate(ann[0], snn[0], 4).mismatches == 0
