"""Certificates carry over to the network where nothing stands in the way, and each obstacle is named."""

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from qvm_verify.certificate import compose
from qvm_verify.snn import QuantizedActivation, convert
from qvm_verify.verdict import Verdict
from tests.certificate.composed import converted_digits, images, obstacles, put
from tests.certificate.sites import next_up


def test_the_digits_network_is_bit_exact_for_every_image() -> None:
    ann, snn, certificates = converted_digits()
    composition = compose(ann, snn, certificates)
    assert composition.evidence.verdict is Verdict.EXHAUSTED
    assert composition.obstacles == ()
    assert composition.sites == 5
    assert composition.operations == 19  # 6 convolutions and batch-norms, 2 additions, 2 pools, ...
    evidence = composition.evidence
    assert (evidence.claim, evidence.arithmetic) == ("composition.bit-exact", "float32")
    assert evidence.detail == "5 sites certified, 19 operations the same"
    assert evidence.domain == (
        "every image in float32 that brings no NaN to a site, bit-exact, where both networks run "
        "in these settings on one machine with the same batch shape and thread count"
    )
    assert str(evidence).startswith("EXHAUSTED over every image in float32 that brings no NaN")
    with torch.no_grad():
        for image in images():
            assert torch.equal(ann(image).view(torch.int32), snn(image).view(torch.int32))


def test_channels_last_networks_are_bit_exact_too() -> None:
    ann, snn, certificates = converted_digits()
    for network in (ann, snn):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    assert compose(ann, snn, certificates).evidence.verdict is Verdict.EXHAUSTED


def test_round_is_unknown_and_names_every_failing_site() -> None:
    ann, snn, certificates = converted_digits("round")
    found = obstacles(ann, snn, certificates)
    assert [sentence.split(":")[0] for sentence in found] == list(certificates)
    for sentence, certificate in zip(found, certificates.values(), strict=True):
        assert f"N differs from M on {certificate.mismatches} float32 inputs" in sentence
        assert certificate.intervals[0].first in sentence


def test_an_image_that_brings_a_nan_to_a_site_is_outside_the_domain() -> None:
    ann, snn, certificates = converted_digits()
    evidence = compose(ann, snn, certificates).evidence
    image = torch.full((1, 1, 8, 8), torch.nan)
    assert "brings no NaN to a site" in str(evidence.domain)
    assert bool(ann(image).isnan().all())
    assert not bool(snn(image).isnan().any())


def edit(path: str, change: Callable[[Any], object]) -> Callable[[nn.Module], None]:
    """Return a mutation of the module or tensor at `path`."""

    def mutate(network: nn.Module) -> None:
        with torch.no_grad():
            change(operator.attrgetter(path)(network) if path else network)

    return mutate


def one_ulp(tensor: Tensor) -> None:
    tensor.view(-1)[:1] = next_up(tensor.view(-1)[:1])


MUTANTS = {
    "a weight, one ulp": (edit("stem.0.weight", one_ulp), "stem.0: its weight differs in 1 of 144 values"),
    "a running mean, one ulp": (edit("stem.1.running_mean", one_ulp), "stem.1: its running_mean differs"),
    "a zero's sign": (
        edit("stem.1.bias", lambda bias: bias.view(-1)[:1].fill_(-0.0)),
        "stem.1: its bias differs in 1 of 16 values",
    ),
    "other strides": (edit("stem.0", put("stride", (2, 2))), "stem.0: has another stride in the SNN: (2, 2)"),
    "other eps": (edit("stem.1", put("eps", 2e-5)), "stem.1: has another eps"),
    "pooling kernel": (edit("pool", put("kernel_size", 4)), "pool: has another kernel_size"),
    "max for average": (
        edit("", put("pool", nn.MaxPool2d(2))),
        "pool: is AvgPool2d in the ANN and MaxPool2d in the SNN",
    ),
    "a bias gone": (edit("head.2", put("bias", None)), "head.2: has a bias in one network only"),
    "memory order": (
        edit("block1.conv1.0", lambda conv: conv.to(memory_format=torch.channels_last)),
        "block1.conv1.0: its weight lies in another order in memory",
    ),
    "training": (edit("stem.1", lambda norm: norm.train()), "stem.1: is in training mode in the SNN"),
    "no statistics": (
        edit("stem.1", put("running_mean", None)),
        "stem.1: normalizes by the batch in the SNN",
    ),
    "ReLU left": (edit("", put("act", nn.ReLU())), "act: pairs QuantizedActivation with ReLU"),
    "activation left": (
        edit("", put("act", QuantizedActivation(8, "floor", 0.5))),
        "act: pairs QuantizedActivation with QuantizedActivation",
    ),
    "threshold, one ulp": (
        edit("act.threshold", one_ulp),
        "act: its threshold differs in 1 of 1 values",
    ),
    "V0, above 0": (edit("act.v_init", lambda v: v.fill_(1e-3)), "act: its certificate is of another"),
    "strict firing": (
        edit("act", lambda n: setattr(n, "settings", n.settings._replace(firing=">"))),
        "act: its certificate cannot be tied to it: boundary cannot decide this",
    ),
    "float64": (
        edit("", lambda network: network.double()),
        "(settings): parameters lie in more than one dtype",
    ),
    "float64 in a late statistic": (
        edit("block1.conv2.1", lambda norm: put("running_var", norm.running_var.double())(norm)),
        "(settings): parameters lie in more than one dtype: float32, float64",
    ),
    "a neuron for a batch-norm": (
        edit("stem", put("1", convert(QuantizedActivation(8, "floor", 0.5)))),
        "stem.1: pairs BatchNorm2d with IFNeuron",
    ),
    "a hook of the whole network": (
        edit("", lambda network: network.register_forward_hook(lambda *_: None)),
        "SNN: has a forward hook",
    ),
    "float64 in one layer": (
        edit("stem.0", lambda conv: conv.double()),
        "stem.0: its weight has another dtype",
    ),
    "another device": (
        edit("head.2", put("bias", nn.Parameter(torch.empty(10, device="meta")))),
        "(settings): parameters lie in more than one device: cpu, meta",
    ),
    "a hook": (
        edit("stem.0", lambda conv: conv.register_forward_hook(lambda *_: None)),
        "SNN stem.0: has a forward hook",
    ),
    "a method replaced": (
        edit("act", put("step", lambda current, v: (current > 0, v))),
        "SNN act: had its method step replaced",
    ),
    "a compiled layer": (
        edit("stem.0", put("_compiled_call_impl", lambda x: x)),
        "SNN stem.0: is compiled",
    ),
    "vector threshold": (
        edit("act", lambda n: setattr(n, "threshold", n.threshold.reshape(1))),
        "act: its threshold has another shape",
    ),
    "sparse weight": (
        edit("head.2", lambda m: setattr(m, "weight", nn.Parameter(m.weight.to_sparse()))),
        "head.2: its weight is no plain tensor",
    ),
}


@pytest.mark.parametrize(("mutate", "expected"), MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_of_the_spiking_network_is_named(mutate: Callable[[nn.Module], None], expected: str) -> None:
    ann, snn, certificates = converted_digits()
    mutate(snn)
    found = obstacles(ann, snn, certificates)
    assert any(sentence.startswith(expected) for sentence in found), found


@pytest.mark.parametrize(
    "name",
    ["a weight, one ulp", "other strides", "training", "threshold, one ulp", "ReLU left", "V0, above 0"],
)
def test_a_mutant_with_one_fault_has_obstacles_at_one_place(name: str) -> None:
    ann, snn, certificates = converted_digits()
    mutate, expected = MUTANTS[name]
    mutate(snn)
    places = {sentence.split(":")[0] for sentence in obstacles(ann, snn, certificates)}
    assert places == {expected.split(":")[0]}


def test_training_mode_of_the_ann_is_named() -> None:
    ann, snn, certificates = converted_digits()
    found = obstacles(ann.train(), snn, certificates)
    assert "stem.1: is in training mode in the ANN" in found


def test_streaming_currents_are_an_obstacle() -> None:
    ann, _, certificates = converted_digits()
    found = obstacles(ann, convert(ann, currents="streaming"), certificates)
    assert any(sentence.startswith("SNN body.act: runs on streaming currents") for sentence in found), found


def test_fewer_time_steps_than_levels_are_an_obstacle() -> None:
    ann, _, certificates = converted_digits()
    found = obstacles(ann, convert(ann, time_steps=4), certificates)
    assert "act: runs T = 4 time-steps for L = 8 levels" in found


def test_the_verdict_names_the_first_obstacle_and_counts_the_others() -> None:
    ann, snn, certificates = converted_digits()
    details = []
    for name in ("act", "block1.act1", "block1.act2"):
        del certificates[name]
        evidence = compose(ann, snn, certificates).evidence
        assert (evidence.claim, evidence.arithmetic) == ("composition.bit-exact", "float32")
        details.append(evidence.detail)
    first = "act: has no certificate"
    assert details == [first, f"{first} (and 1 more)", f"{first} (and 2 more)"]


def test_the_verdict_names_the_floats_of_both_networks() -> None:
    ann, snn, certificates = converted_digits()
    assert compose(ann, snn.double(), certificates).evidence.arithmetic == "float32 and float64"
    assert compose(nn.Flatten(), nn.Flatten(), {}).evidence.arithmetic == "no floats"
    assert compose(nn.PReLU(), nn.Flatten(), {}).evidence.arithmetic == "float32"


def test_a_missing_certificate_is_an_obstacle() -> None:
    ann, snn, certificates = converted_digits()
    del certificates["block1.act2"]
    assert obstacles(ann, snn, certificates) == ["block1.act2: has no certificate"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"dtype": "float16"}, "has dtype = float16, not float32"),
        ({"threshold": (3.0).hex()}, "has threshold = 0x1.8"),
        ({"levels": 4}, "has levels = 4, not 8"),
        ({"time_steps": 4}, "has time_steps = 4, not 8"),
        ({"inputs_checked": 1000}, "has inputs_checked = 1000, not 4278190082"),
        ({"count_steps": ()}, "is of another activation or neuron"),
    ],
)
def test_a_certificate_of_something_else_is_an_obstacle(change: dict[str, Any], expected: str) -> None:
    ann, snn, certificates = converted_digits()
    certificates["act"] = replace(certificates["act"], **change)
    (found,) = obstacles(ann, snn, certificates)
    assert found.startswith(f"act: its certificate {expected}")


def test_a_clean_certificate_of_another_quantizer_does_not_pass() -> None:
    _, _, clean = converted_digits("floor")
    ann, snn, _ = converted_digits("ceil")
    assert all(certificate.mismatches == 0 for certificate in clean.values())
    found = obstacles(ann, snn, clean)
    assert len(found) == 5
    assert all("is of another activation or neuron" in sentence for sentence in found)
