"""The benchmarks' machinery, on made-up numbers and tiny networks; no time is asserted."""

import json
import math
from dataclasses import asdict

import pytest
import torch
from rich.console import Console
from torch import nn

from benchmarks import alone, audit, command, forward, modes, peers, results, subject, targets, timing
from qvm_verify import snn
from qvm_verify.exits import Exit
from tests.small_networks import TinyNetwork, dyadic_images

TIMES = {"ANN": [1.0, 2.0, 4.0], "SNN": [1.1, 2.0, 4.8]}


def test_quartiles_are_around_the_median_and_one_value_is_its_own():
    assert timing.spread([4.0, 1.0, 3.0, 2.0, 5.0]) == (2.0, 3.0, 4.0)
    assert timing.spread([7.0]) == (7.0, 7.0, 7.0)


def test_cases_run_in_turns_and_every_other_round_backwards():
    seen = []
    times = timing.interleaved({name: lambda name=name: seen.append(name) for name in "abc"}, rounds=2)
    assert "".join(seen) == "abc" + "abc" + "cba"  # the first is not measured
    assert [len(times[name]) for name in "abc"] == [2, 2, 2]


def test_a_ratio_is_taken_round_by_round():
    result = results.ratio("forward", targets.SNN_OVER_ANN, TIMES, "SNN", "ANN")
    assert result.median == pytest.approx(1.1)
    assert result.best == pytest.approx(1.1)
    assert (result.unit, result.runs) == ("x", 3)


@pytest.mark.parametrize("power", [-0.5, 0.0, 1.0, 2.0])
def test_the_exponent_of_a_power_law_is_its_power(power):
    sizes = (2, 4, 8, 64)
    assert timing.exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


@pytest.mark.parametrize("sizes", [(2, 2), (0, 1)])
def test_no_exponent_without_two_sizes(sizes):
    with pytest.raises(ValueError, match="two different positive sizes"):
        timing.exponent(sizes, (1.0, 2.0))


def result_of(target, measured):
    return results.one(target.benchmark, target.name, "x", [measured])


def test_every_target_can_be_met_and_missed_and_is_not_met_unmeasured():
    names = list(command.BENCHMARKS)
    for target in targets.TARGETS:
        worse = target.value * (2 if target.comparison == "<=" else 0.5)
        for measured, met in ((target.value, True), (worse, False), (math.nan, False)):
            (outcome,) = [
                o for o in results.outcomes([result_of(target, measured)], names) if o.target is target
            ]
            assert outcome.met is met
    assert all(outcome.met is None for outcome in results.outcomes([], names))
    assert {target.benchmark for target in targets.TARGETS} <= set(names)


def test_check_names_what_was_missed_and_what_was_not_measured(capsys):
    first, second = targets.TARGETS[:2]
    reached = results.outcomes([result_of(first, 99.0)], ["forward", "peers"])
    assert command.check(reached, Console(width=200)) is Exit.COUNTEREXAMPLE
    printed = capsys.readouterr().out
    assert f"missed: {first.name}: 99, target <= 1.05" in printed
    assert f"not measured: {second.name}" in printed
    assert command.check(reached[1:], Console()) is Exit.INCONCLUSIVE
    assert command.check([], Console()) is Exit.AS_EXPECTED


def fake(setting):
    yield results.ratio("forward", targets.SNN_OVER_ANN, TIMES, "SNN", "ANN", "made up")
    yield results.Skipped(benchmark="forward", reason="nobody asked")


def test_the_command_writes_table_and_json_of_what_was_asked_for(run, monkeypatch, tmp_path):
    monkeypatch.setitem(command.BENCHMARKS, "forward", fake)
    monkeypatch.setitem(command.BENCHMARKS, "peers", lambda setting: pytest.fail("not asked for"))
    threads = str(torch.get_num_threads())
    arguments = ("--only", "forward", "--check", "--json", "out/b.json", "--threads", threads)
    code, out, _ = run(command.command, *arguments)
    assert code == Exit.COUNTEREXAMPLE
    assert "skipped: forward: nobody asked" in out
    assert "missed: SNN / ANN forward: 1.1, target <= 1.05" in out
    content = json.loads((tmp_path / "out" / "b.json").read_text())
    assert content["schema"] == results.SCHEMA
    assert set(content) == {"schema", "machine", "results", "skipped", "targets"}
    assert content["machine"]["setting"] == {**asdict(subject.Setting()), "threads": int(threads)}
    assert content["machine"]["versions"]["torch"] == torch.__version__
    (measured,) = content["results"]
    assert measured["detail"] == "made up"
    assert [target["met"] for target in content["targets"]] == [False]


def test_what_is_measured_when_an_interrupt_comes_is_written(run, monkeypatch, tmp_path):
    def interrupted(setting):
        raise KeyboardInterrupt

    monkeypatch.setitem(command.BENCHMARKS, "forward", fake)
    monkeypatch.setitem(command.BENCHMARKS, "peers", interrupted)
    threads = str(torch.get_num_threads())
    arguments = ("--only", "forward", "--only", "peers", "--json", "b.json", "--threads", threads)
    code, _, _ = run(command.command, *arguments)
    assert code == 130
    (measured,) = json.loads((tmp_path / "b.json").read_text())["results"]
    assert measured["detail"] == "made up"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--only", "everything"], "invalid choice"),
        (["--rounds", "0"], "from 1 to"),
        (["--check", "--quick"], "small one"),
    ],
)
def test_bad_usage_is_one_sentence(run, arguments, complaint):
    code, _, errors = run(command.command, *arguments)
    assert code == Exit.BAD_INPUT
    assert complaint in errors
    assert len(errors.splitlines()) == 1


class OtherNode(nn.Module):
    """Stands in for SpikingJelly's IFNode: soft reset, multi-step, `v` set from outside."""

    def __init__(self, v_threshold, **settings):
        super().__init__()
        self.threshold = v_threshold

    def reset(self):
        self.v = 0.0

    def forward(self, x):
        spikes = []
        for current in x:
            u = self.v + current
            spikes.append((u >= self.threshold).to(u))
            self.v = u - spikes[-1] * self.threshold
        return torch.stack(spikes)


class Nodes:
    IFNode = OtherNode


@pytest.mark.parametrize("currents", snn.CURRENTS)
def test_a_peers_neurons_in_our_network_give_our_outputs(currents):
    network, images = snn.convert(TinyNetwork("round"), currents=currents), dyadic_images()
    peer = peers.with_peers(network, Nodes)
    assert sum(isinstance(module, peers.PeerNeuron) for module in peer.modules()) == 3
    assert "the same bits" in peers.agreement("peer", peer(images), "ours", network(images))


def test_simulations_that_differ_are_not_timed():
    scores = torch.tensor([[1.0, -2.0]])
    assert "up to" in peers.agreement("a", scores, "b", scores * (1 + 1e-6))
    with pytest.raises(peers.DisagreementError, match="differ by up to"):
        peers.agreement("a", scores, "b", scores + 0.1)


def test_the_subject_uses_its_levels_and_both_networks_are_measured(monkeypatch):
    monkeypatch.setattr(snn, "compiled", lambda network: network)  # to compile is what takes long
    setting = subject.QUICK
    found = {result.name: result for result in forward.measure(setting)}
    assert set(found) == {targets.SNN_OVER_ANN, "ANN forward", "SNN forward"}
    assert "the same bits as with the step-by-step loop" in found[targets.SNN_OVER_ANN].detail
    ann = subject.ann_of(setting)
    seen = []
    for module in ann.modules():
        if isinstance(module, snn.QuantizedActivation):
            module.register_forward_hook(lambda site, inputs, output: seen.append(output.unique().numel()))
    subject.runner(ann, setting.images())()
    assert seen[0] == setting.levels + 1


def test_each_batch_of_an_audit_after_its_first_is_timed(monkeypatch):
    clock = iter([0.0, 10.0, 11.0, 13.0])
    monkeypatch.setattr(audit.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(audit, "verify", lambda ann, spiking, data, certify: seen.extend(data))
    seen, images = [], torch.zeros(1)
    assert audit.batch_seconds(nn.Identity(), nn.Identity(), images, batches=2) == [1.0, 2.0]
    assert len(seen) == 3


def test_every_convolution_of_a_network_runs_on_what_it_receives():
    network, images = TinyNetwork("round").eval(), dyadic_images()
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    work = audit.convolutions(network, images)
    seen = []
    for layer in layers:
        layer.register_forward_pre_hook(lambda layer, received: seen.append((layer, received[0])))
    work()
    alone = list(seen)
    seen.clear()
    subject.runner(network, images)()
    assert [layer for layer, _ in alone] == [layer for layer, _ in seen]
    assert len(alone) == len(layers) > 1
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(alone, seen, strict=True))


def test_a_missing_spikingjelly_is_skipped_with_the_command_that_installs_it(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError("No module named 'loguru'")

    monkeypatch.setattr(peers.importlib, "import_module", missing)
    skipped = next(peers.measure(subject.QUICK))
    assert "No module named 'loguru'" in skipped.reason
    assert "pip install --no-deps spikingjelly" in skipped.reason


def test_modes_say_whether_their_bits_are_the_same():
    found = {result.name.split(" / ")[0]: result for result in modes.measure(subject.QUICK)}
    assert found[modes.INFERENCE].detail == "the same bits"
    ann, images = subject.ann_of(subject.QUICK), subject.QUICK.images()
    last = subject.runner(ann, images)()
    plain = subject.runner(ann.to(memory_format=torch.contiguous_format), images.contiguous())()
    same = torch.equal(last, plain)
    assert found[modes.CHANNELS_LAST].detail.startswith("the same bits" if same else "other bits")
    assert modes._comparison(torch.zeros(2), torch.tensor([0.0, 0.5])) == (
        "other bits: scores differ by up to 5.0e-01"
    )


def test_every_work_can_be_done_alone_and_no_other():
    for name in alone.WORKS:
        alone.work_of(name, subject.QUICK)()
    with pytest.raises(ValueError, match="unknown work 'play'; one of nothing, ann, both"):
        alone.work_of("play", subject.QUICK)
