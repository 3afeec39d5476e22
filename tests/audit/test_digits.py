"""The audit of a real trained network on real images it never saw."""

import copy

import pytest
import torch

from qvm_verify import snn
from qvm_verify.audit import verify
from qvm_verify.exits import Exit
from qvm_verify.replay import replay

SITES = ["act", "block1.act1", "block1.act2", "block2.act1", "block2.act2"]


@pytest.fixture
def few(held_out):
    return [held_out[0][0][:24]]


def test_the_trained_network_is_accurate(trained, held_out):
    network, _ = trained()
    right = sum(int((network(x).argmax(1) == y).sum()) for x, y in held_out)
    assert right / 360 > 0.95


@pytest.mark.parametrize("quantizer", ["floor", "round"])
def test_a_matched_conversion_is_lossless_or_float32_is_to_blame_neuron_by_neuron(
    quantizer, trained, held_out
):
    network, _ = trained(quantizer)
    report = verify(network, snn.convert(network), held_out)
    assert [row.site for row in report.layers if row.mode == "shadow"] == SITES
    assert [row.samples for row in report.layers] == [360] * 10
    assert report.output.ann_correct > 0.95 * 360
    assert report.reference.neuron_mismatches == report.reference.sums_outside_bound == 0
    assert not report.findings
    mismatches = sum(row.spike_count_mismatches for row in report.layers if row.mode == "shadow")
    if report.verdict == "lossless":
        assert mismatches == 0
        assert report.exit_code is Exit.AS_EXPECTED
        return
    assert report.exit_code is Exit.COUNTEREXAMPLE
    assert mismatches < 10  # of 1.7 million: ties that rounding decides, not a fault
    assert report.counterexamples
    for counterexample in report.counterexamples:
        assert replay(counterexample)
        assert abs(counterexample.level - counterexample.spike_count) >= 1
        assert counterexample.reference_level == counterexample.level
        assert counterexample.reference_spike_count == counterexample.spike_count


def test_in_float64_the_same_network_is_lossless(trained, few):
    double = copy.deepcopy(trained()[0]).double()
    report = verify(double, snn.convert(double), [few[0].double()])
    assert report.verdict == "lossless"
    assert report.environment["dtype"] == "float64"


@pytest.mark.parametrize(
    ("wrong", "shadow", "end_to_end"),
    [
        ({"v_init": 0.0}, "act", "act"),
        ({"time_steps": 4}, "act", "act"),
        ({"reset": "reset_to_zero"}, "act", "act"),
        ({"threshold_scale": 1.01}, "act", "act"),
        # the first site still receives the constant image; only those behind it receive spikes
        ({"currents": "streaming"}, None, "block1.act1"),
    ],
    ids=str,
)
def test_a_wrong_conversion_is_not_lossless_and_its_first_diverging_layer_is_named(
    wrong, shadow, end_to_end, trained, few
):
    network, _ = trained()
    report = verify(network, snn.convert(network, **wrong), few)
    assert report.verdict == "not-lossless"
    assert report.exit_code is Exit.COUNTEREXAMPLE
    assert report.first_divergence == {"shadow": shadow, "end-to-end": end_to_end}
    assert report.counterexamples[0].site == end_to_end
    assert all(replay(counterexample) for counterexample in report.counterexamples)


def test_a_fault_planted_in_the_middle_is_found_in_its_own_site(trained, few):
    network, _ = trained()
    spiking = snn.convert(network)
    spiking.block2.act1.v_init.zero_()
    report = verify(network, spiking, few)
    faulty = [row.site for row in report.layers if row.mode == "shadow" and row.spike_count_mismatches]
    assert faulty == ["block2.act1"]
    assert report.first_divergence == {"shadow": "block2.act1", "end-to-end": "block2.act1"}
    before = [row for row in report.layers if row.mode == "end-to-end"][:3]
    assert all(row.current_differences == 0 for row in before)


def test_an_edited_weight_is_localized_at_the_first_site_behind_it(trained, few):
    network, _ = trained()
    spiking = snn.convert(network)
    spiking.block1.conv2[0].weight[0, 0, 1, 1] += 0.5
    report = verify(network, spiking, few)
    assert report.verdict == "not-lossless"
    assert report.first_divergence == {"shadow": None, "end-to-end": "block1.act2"}


def test_an_edited_weight_behind_the_last_site_is_seen_in_the_output(trained, few):
    network, _ = trained()
    spiking = snn.convert(network)
    spiking.head[2].weight[0] += 0.001
    report = verify(network, spiking, few)
    assert report.verdict == "not-lossless"
    assert report.first_divergence == {"shadow": None, "end-to-end": "(output)"}


def test_the_audit_changes_neither_network(trained, few):
    network, _ = trained()
    spiking = snn.convert(network)
    before = [{k: v.clone() for k, v in module.state_dict().items()} for module in (network, spiking)]
    verify(network, spiking, few)
    for module, state in zip((network, spiking), before, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
        assert not any(child._forward_hooks for child in module.modules())


def test_the_same_seed_gives_the_same_report(trained, few):
    network, _ = trained()
    spiking = snn.convert(network, v_init=0.0)
    assert verify(network, spiking, few, seed=3) == verify(network, spiking, few, seed=3)


@pytest.mark.parametrize(("currents", "steps"), [("constant", 40), ("streaming", 8)])
def test_the_latency_is_sites_times_t_unless_layers_overlap(currents, steps, trained, few):
    network, _ = trained()
    latency = verify(network, snn.convert(network, currents=currents), few).latency
    assert (latency.sites, latency.time_steps, latency.total_steps) == (5, 8, steps)
