"""How two modules, two tensors and two halves of a site differ, sentence by sentence."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from qvm_verify.certificate import Certificate, sameness
from qvm_verify.certificate.sameness import configuration_complaints, site_complaints, tensor_complaints
from qvm_verify.snn import IFNeuron
from tests.certificate.composed import put
from tests.certificate.sites import decide, next_up, pair


def complaints(a: nn.Module, b: nn.Module) -> list[str]:
    return list(configuration_complaints(a, b, lambda one, other: bool(one == other)))


def test_an_attribute_of_one_module_only_is_named_with_both_values() -> None:
    plain, more = nn.Identity(), nn.Identity()
    put("extra", 2)(more)
    assert complaints(plain, plain) == []
    assert complaints(plain, more) == ["has another extra in the SNN: 2, not None"]
    assert complaints(more, plain) == ["has another extra in the SNN: None, not 2"]


def test_every_name_of_a_tensor_counts_and_no_child_does() -> None:
    both, one = nn.Identity(), nn.Identity()
    weight, mean = nn.Parameter(torch.ones(1)), torch.zeros(1)
    for name in ("first", "second"):
        both.register_parameter(name, weight)
        both.register_buffer(f"{name}_mean", mean)
    one.register_parameter("first", weight)
    one.register_buffer("first_mean", mean)
    assert complaints(both, one) == [
        "has a second in one network only",
        "has a second_mean in one network only",
    ]
    assert complaints(nn.Sequential(nn.BatchNorm1d(1)), nn.Sequential(nn.Linear(1, 1))) == []


def test_values_that_differ_are_counted_whatever_bits_they_differ_in() -> None:
    one = torch.tensor([1.0, 2.0, 3.0, 4.0])
    other = one.clone()
    other[:2] = next_up(other[:2])
    other[2] *= -1  # another byte
    assert list(tensor_complaints("it", one, other)) == ["it differs in 3 of 4 values"]
    assert list(tensor_complaints("it", one, one.clone())) == []


def test_other_modules_than_the_theorems_are_named_by_their_types() -> None:
    _, neuron = pair(4, "floor", 1.0)
    assert list(site_complaints(nn.ReLU(), neuron, None, None)) == [
        "pairs ReLU with IFNeuron; the theorem speaks of QuantizedActivation and IFNeuron"
    ]


@pytest.mark.parametrize("which", ["activation.threshold", "neuron.threshold", "neuron.v_init"])
def test_a_site_has_one_threshold_and_one_v0(which: str) -> None:
    activation, neuron = pair(4, "floor", 1.0)
    owner: Any = activation if which.startswith("activation") else neuron
    name = which.split(".")[1]
    setattr(owner, name, like(getattr(owner, name).reshape(1), getattr(owner, name)))
    *_, last = site_complaints(activation, neuron, None, None)
    assert last == "has a threshold or V0 that is not one number"


def like(tensor: Tensor, other: Tensor) -> Tensor:
    return nn.Parameter(tensor, requires_grad=False) if isinstance(other, nn.Parameter) else tensor


def method_of(
    monkeypatch: pytest.MonkeyPatch, certificate: Certificate, activation: nn.Module, neuron: nn.Module
) -> str:
    """Return how the site is decided once more."""
    seen: dict[str, Any] = {}

    def certify(*_: Any, **options: Any) -> Certificate:
        seen.update(options)
        return certificate

    monkeypatch.setattr(sameness, "certify", certify)
    assert list(site_complaints(activation, neuron, certificate, torch.float16)) == []
    return str(seen["method"])


def test_a_sweep_is_not_repeated_where_the_boundaries_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    activation, neuron = pair(4, "floor", 1.0, torch.float16)
    swept = decide(activation, neuron, activation, "exhaustive")
    assert method_of(monkeypatch, swept, activation, neuron) == "boundary"


def test_a_sweep_is_repeated_where_only_a_sweep_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    activation, plain = pair(4, "floor", 1.0, torch.float16)
    swept = decide(activation, plain, activation, "exhaustive")
    hard = IFNeuron(plain.threshold, plain.v_init, plain.settings._replace(reset="reset_to_zero"))
    assert method_of(monkeypatch, swept, activation, hard) == "exhaustive"
