"""PyTorch's settings that let one operation give two results."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from qvm_verify.certificate.graphs import settings
from tests.certificate.sites import pair

SWITCHES = {
    "TF32 may round": (torch.backends.cuda.matmul, "allow_tf32"),
    "TF32 may round the inputs of": (torch.backends.cudnn, "allow_tf32"),
    "cudnn.benchmark": (torch.backends.cudnn, "benchmark"),
}


@pytest.fixture
def strict_cuda() -> Iterator[None]:
    """Set everything on CUDA as the theorem needs it."""
    before = [getattr(*switch) for switch in SWITCHES.values()]
    deterministic = torch.are_deterministic_algorithms_enabled()
    for owner, name in SWITCHES.values():
        setattr(owner, name, False)
    torch.use_deterministic_algorithms(True)
    yield
    for (owner, name), value in zip(SWITCHES.values(), before, strict=True):
        setattr(owner, name, value)
    torch.use_deterministic_algorithms(deterministic)


@pytest.mark.usefixtures("strict_cuda")
def test_strict_settings_are_no_obstacle() -> None:
    assert list(settings("cuda")) == list(settings("cpu")) == []


@pytest.mark.usefixtures("strict_cuda")
@pytest.mark.parametrize(("expected", "switch"), SWITCHES.items())
def test_each_loose_switch_on_cuda_is_an_obstacle(expected: str, switch: tuple[Any, str]) -> None:
    setattr(*switch, True)
    (found,) = settings("cuda")
    assert found.sentence.startswith(expected)
    assert list(settings("cpu")) == []


@pytest.mark.usefixtures("strict_cuda")
def test_a_setting_that_pytorch_will_not_tell_counts_as_loose(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mixed:
        @property
        def allow_tf32(self) -> bool:
            raise RuntimeError("mix of the legacy and new APIs to set the TF32 status")

    monkeypatch.setattr(torch.backends.cuda, "matmul", Mixed())
    (found,) = settings("cuda")
    assert found.sentence.startswith("TF32 may round")


@pytest.mark.usefixtures("strict_cuda")
def test_nondeterministic_kernels_on_cuda_are_an_obstacle() -> None:
    torch.use_deterministic_algorithms(False)
    (found,) = settings("cuda")
    assert found.sentence.startswith("nondeterministic kernels are allowed")
    assert list(settings("cpu")) == []


def test_flushed_subnormals_are_an_obstacle() -> None:
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush subnormal numbers")
    try:
        (found,) = settings("cpu")
    finally:
        torch.set_flush_denormal(False)
    assert found.sentence == "subnormal numbers are flushed to zero, which is set thread by thread"


def layouts() -> Iterator[Tensor]:
    """Yield one image in every order of its axes, dense, with gaps and repeated."""
    image = torch.randn(2, 3, 4, 6)
    for axes in itertools.permutations(range(4)):
        turned = image.permute(axes)
        yield from (turned, turned[:, :, ::2], turned[:1], turned[..., :1], turned[:, :1].expand_as(turned))


def test_activation_and_neuron_return_the_same_layout() -> None:
    activation, neuron = pair(8, "floor", 2.0)
    for x in layouts():
        mine, theirs = activation(x), neuron(x)
        assert mine.stride() == theirs.stride()
        assert torch.equal(mine, theirs)
        assert not bool((mine.signbit() | theirs.signbit()).any())  # N = M = 0 is +0.0 on both sides
