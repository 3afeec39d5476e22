"""Graphs as they are recorded and named: what stands in them, and what becomes of those that cannot be."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from qvm_verify.certificate import compose
from qvm_verify.certificate.graphs import Graph
from qvm_verify.snn import QuantizedActivation
from tests.certificate.composed import Around, converted, obstacles
from tests.certificate.sites import next_up


class Renamed(nn.Module):
    """A layer, a shift and a site, under names of one's own choice."""

    def __init__(self, names: tuple[str, str], act: nn.Module) -> None:
        super().__init__()
        self.names, self.act = names, act
        torch.manual_seed(0)
        self.add_module(names[0], nn.Linear(4, 4))
        self.register_buffer(names[1], torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        linear, shift = (getattr(self, name) for name in self.names)
        out: Tensor = self.act(linear(x) + shift).view(-1)
        return out


def test_layers_and_constants_may_have_other_names_and_methods_are_counted() -> None:
    ann, snn, certificates = converted(Renamed(("linear", "shift"), QuantizedActivation(8, "floor", 2.0)))
    renamed = Renamed(("dense", "moved"), snn.get_submodule("act")).eval()
    for network in (snn, renamed):
        assert obstacles(ann, network, certificates) == []
        assert compose(ann, network, certificates).operations == 3  # the layer, the sum, the view
    renamed.get_buffer("moved")[0] = next_up(torch.ones(1))
    assert obstacles(ann, renamed, certificates) == ["shift: it differs in 1 of 4 values"]


def raising(error: Exception) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        raise error

    return forward


def test_a_forward_that_fails_is_an_obstacle_by_its_message_or_else_its_type() -> None:
    for error, reason in ((ValueError("one\ntwo"), "one"), (ValueError(), "ValueError")):
        ann, snn, certificates = converted(Around(raising(error)))
        composition = compose(ann, snn, certificates)
        assert [str(obstacle) for obstacle in composition.obstacles] == [
            f"{label}: cannot be traced by torch.fx: {reason}" for label in ("ANN", "SNN")
        ]
        assert (composition.sites, composition.operations) == (0, 0)


def test_memory_that_runs_out_is_no_obstacle_but_a_mishap() -> None:
    ann, snn, certificates = converted(Around(raising(MemoryError())))
    with pytest.raises(MemoryError):
        compose(ann, snn, certificates)


class Shifted(nn.Module):
    """Uses one of each kind of node."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.ones(1))
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return torch.abs(self.relu(x + self.shift))


def test_a_sentence_calls_each_node_by_what_it_does() -> None:
    graph = Graph(Shifted())
    assert [graph.describe(node) for node in graph.nodes] == [
        "placeholder",
        "a tensor",
        "add",
        "ReLU",
        "abs",
        "output",
    ]
