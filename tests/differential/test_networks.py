"""Generated networks, run by every implementation there is: at tolerance zero they agree."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvm_verify import snn
from qvm_verify.audit import kernels, one_pass, verify
from tests.differential.networks import Plan, Stage, build, plans
from tests.differential.pairs import PAIRS, every_kind
from tests.differential.runs import differences

QUICK = [pair for pair in PAIRS if not pair.compiles]
COMPILED = [pair for pair in PAIRS if pair.compiles]


def stage(kind="convolution", **changes):
    return Stage(**{"kind": kind, "width": 2, "quantizer": "round", "threshold": 3, "kernel": 3} | changes)


PLAN = Plan(
    weights="dyadic",
    channels=1,
    side=4,
    levels=4,
    stages=(stage(batch_norm=True, pool="average"),),
    changes=(),
    seed=1,
)


@pytest.mark.parametrize("pair", QUICK, ids=lambda pair: pair.name)
@settings(max_examples=6)
@given(data=st.data())
def test_two_implementations_agree_on_every_network_that_is_drawn(pair, data):
    assert pair.compare(data.draw(plans(pair.weights, pair.changes))) == []


def test_a_compiled_network_gives_the_numbers_of_the_eager_one():
    (pair,) = (pair for pair in COMPILED if pair.weights == "dyadic")
    assert pair.compare(PLAN) == []


@pytest.mark.nightly
@pytest.mark.parametrize("pair", COMPILED, ids=lambda pair: pair.name)
@settings(max_examples=10)
@given(data=st.data())
def test_two_implementations_agree_on_every_network_that_is_compiled(pair, data):
    assert pair.compare(data.draw(plans(pair.weights, pair.changes))) == []


def one_less(quantize):
    """One level too low above z = 2."""
    return lambda z, *rest: quantize(z, *rest) - 1 * (z > 2)


FAULTS = {
    "PyTorch is a level too low": (
        ("qvm_verify.snn.quantized_activation.quantize", one_less),
        ("PyTorch float32, exact rationals", "PyTorch float32, reference float32, at every site"),
    ),
    "the reference is a level too low": (
        ("qvm_verify.reference.quantizers.quantize", one_less),
        ("PyTorch float64, exact rationals", "PyTorch float64, reference float64, at every site"),
    ),
    "spikes are passed on at twice their size": (
        ("qvm_verify.snn.if_neuron.scaled_spikes", lambda spikes: lambda *given: 2 * spikes(*given)),
        ("PyTorch float32, exact rationals", "PyTorch float64, exact rationals"),
    ),
    "tables are one float too high": (
        ("qvm_verify.snn.step_neuron.to_floats", lambda to: lambda x, dtype: to(x + (1 << 21), dtype)),
        ("neurons as loops, as tables", "audit by one pass, by plain operations"),
    ),
}


@pytest.mark.parametrize(
    ("fault", "name"), [(fault, name) for fault, (_, names) in FAULTS.items() for name in names]
)
def test_a_fault_on_one_side_is_seen(monkeypatch, fault, name):
    (target, change), _ = FAULTS[fault]
    (pair,) = (pair for pair in PAIRS if pair.name == name)
    module, _, function = target.rpartition(".")
    monkeypatch.setattr(target, change(getattr(__import__(module, fromlist=[function]), function)))
    plain = Plan(pair.weights, 1, 6, 4, (stage(threshold=4 if pair.weights == "dyadic" else 1.0),), (), 3)
    assert pair.compare(plain) != []


def test_where_two_runs_differ_is_said():
    one, other = (every_kind(plan, float)["ANN"] for plan in (PLAN, replace(PLAN, seed=2)))
    assert differences(one, one) == []
    assert {"site 0: another current", "other scores"} <= set(differences(one, other))
    assert differences(one, one._replace(sites=[]))[0] == "1 sites against 0"


@settings(max_examples=60)
@given(plans("dyadic"))
def test_a_plan_is_built_as_it_is_drawn_with_one_to_three_sites(plan):
    network = build(plan)
    sites = [module for module in network.modules() if isinstance(module, snn.QuantizedActivation)]
    assert 1 <= len(sites) == sum(stage.sites for stage in plan.stages) <= 3
    assert {site.levels for site in sites} == {plan.levels}
    assert network(plan.images(2)).shape == (2, 3)


def test_the_networks_that_are_drawn_use_their_levels():
    """All the agreement above would be worth little if every site were silent or saturated."""
    seen = set()

    @settings(max_examples=100, derandomize=True, database=None)
    @given(plans("dyadic"))
    def look(plan):
        for site in every_kind(plan, float)["ANN"].sites:
            seen.update((plan.levels, int(count)) for count in site.count.flatten())

    look()
    assert {levels for levels, m in seen if 0 < m < levels} >= {4, 8}


def test_the_loops_of_the_audit_do_as_python_what_they_do_compiled(monkeypatch):
    """A tracer of coverage sees nothing of what is compiled; as Python both loops are seen."""
    pytest.importorskip("numba", reason="numba is not installed: nothing is compiled")
    compiled = one_pass_report()
    monkeypatch.setattr(kernels, "_kernels", lambda: (kernels._bin_images, kernels._look_up))
    assert one_pass_report() == compiled


def one_pass_report():
    looked = []
    original = one_pass.SiteTable.look

    def look(table, x, output):
        binned = original(table, x, output)
        looked.append([part.tolist() for part in binned[1:]])
        return binned

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_pass.SiteTable, "look", look)
        ann = build(PLAN)
        report = verify(ann, PLAN.convert(ann), [PLAN.images(3)]).to_json()
    assert looked
    return looked, report


def test_a_counterexample_10_to_the_30_thresholds_high_is_explained():
    """Its cause is sought in exact rationals, where z is an integer that no machine integer can hold."""
    stages = (stage(threshold=1e30, quantizer="ceil"), stage(threshold=1.0))
    plan = replace(PLAN, weights="float", stages=stages)
    ann = build(plan)
    report = verify(ann, plan.convert(ann, v_init=0.25), [plan.images(3)]).to_json()
    assert report["verdict"] == "not-lossless"
    assert max(abs(float.fromhex(c["activation_current"])) for c in report["counterexamples"]) > 2.0**64
