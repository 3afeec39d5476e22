"""From sites to the network: everything between the sites must be the same operation on the same bits.

`qvm_verify/proofs/composition.md` states the theorem and what it trusts; this module checks its conditions.
Whatever it does not know is an obstacle, and a network with an obstacle is UNKNOWN, never EXHAUSTED.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from qvm_verify.certificate.decide import Certificate
from qvm_verify.certificate.graphs import (
    KNOWN_DEVICES,
    Graph,
    Obstacle,
    is_site,
    off_the_graph,
    place_of,
    settings,
)
from qvm_verify.certificate.sameness import configuration_complaints, site_complaints, tensor_complaints
from qvm_verify.exits import mishap
from qvm_verify.snn import IFNeuron, QuantizedActivation
from qvm_verify.verdict import Evidence, Verdict

CLAIM = "composition.bit-exact"

FRESH_MODULES = (
    nn.Conv2d,
    nn.Linear,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.AvgPool2d,
    nn.MaxPool2d,
    nn.AdaptiveAvgPool2d,
    QuantizedActivation,
    IFNeuron,
)
"""The known modules whose output is new memory."""

KNOWN_MODULES = (*FRESH_MODULES[:-2], nn.Flatten, nn.Identity, nn.Dropout)
KNOWN_FUNCTIONS: frozenset[Callable[..., Any]] = frozenset(
    {
        operator.add,
        operator.iadd,
        operator.getitem,
        getattr,  # of a tensor's shape only
        torch.add,
        torch.cat,
        torch.flatten,
        torch.mean,
        F.avg_pool2d,
        F.adaptive_avg_pool2d,
        F.max_pool2d,
        F.pad,
    }
)
KNOWN_METHODS = frozenset(
    {"add", "contiguous", "flatten", "mean", "permute", "reshape", "size", "transpose", "view"}
)


@dataclass(frozen=True, kw_only=True)
class Composition:
    """What is known of the whole network, given a certificate of each site."""

    evidence: Evidence
    obstacles: tuple[Obstacle, ...]
    operations: int  # between the sites, found to be the same
    sites: int  # found to be certified


def compose(ann: nn.Module, snn: nn.Module, certificates: Mapping[str, Certificate]) -> Composition:
    """Decide whether the certificates of the sites carry over to the network, for every image there is.

    `certificates` holds one for each site, by the activation's name in `ann` ("(network)" for a network
    that is one activation). EXHAUSTED means: for every image that brings no NaN to a site, the spiking
    network returns the ANN's bits, as long as both run in the settings they are in now, on the same machine
    with the same batch shape and thread count. With any obstacle the verdict is UNKNOWN, never REFUTED.
    """
    with torch.no_grad():  # in the body: what a decorator wraps, mutation testing does not reach
        tensors = [tensor for network in (ann, snn) for tensor in _floating_tensors(network)]
        dtypes = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors})
        kinds = {tensor.device.type for tensor in tensors}
        obstacles = [
            *_different("dtype", dtypes),
            *_different("device", sorted({str(tensor.device) for tensor in tensors})),
            *(found for kind in sorted(kinds) for found in settings(kind)),
            *off_the_graph("ANN", ann),
            *off_the_graph("SNN", snn),
        ]
        operations = sites = 0
        traced, untraceable = _traced({"ANN": ann, "SNN": snn})
        obstacles += untraceable
        if not untraceable and kinds <= KNOWN_DEVICES:
            dtype = tensors[0].dtype if len(dtypes) == 1 else None
            walk = _Walk(traced["ANN"], traced["SNN"], certificates, dtype)
            obstacles += walk.obstacles
            operations, sites = walk.operations, len(walk.certified)
    arithmetic = " and ".join(dtypes) or "no floats"
    evidence = _evidence(obstacles, arithmetic, f"{sites} sites certified, {operations} operations the same")
    return Composition(evidence=evidence, obstacles=tuple(obstacles), operations=operations, sites=sites)


def _traced(networks: dict[str, nn.Module]) -> tuple[dict[str, Graph], list[Obstacle]]:
    graphs, obstacles = {}, []
    for label, network in networks.items():
        try:
            graphs[label] = Graph(network)
        except Exception as error:  # whatever a stranger's forward does when it meets a symbolic tensor
            if mishap(error):
                raise
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            obstacles.append(Obstacle(place=label, sentence=f"cannot be traced by torch.fx: {reason}"))
    return graphs, obstacles


def _evidence(obstacles: list[Obstacle], arithmetic: str, detail: str) -> Evidence:
    if obstacles:
        more = f" (and {len(obstacles) - 1} more)" if len(obstacles) > 1 else ""
        detail = f"{obstacles[0]}{more}"
        return Evidence(claim=CLAIM, arithmetic=arithmetic, verdict=Verdict.UNKNOWN, detail=detail)
    domain = (
        f"every image in {arithmetic} that brings no NaN to a site, bit-exact, where both networks run "
        "in these settings on one machine with the same batch shape and thread count"
    )
    return Evidence(
        claim=CLAIM, arithmetic=arithmetic, verdict=Verdict.EXHAUSTED, detail=detail, domain=domain
    )


def _floating_tensors(network: nn.Module) -> Iterator[Tensor]:
    for tensor in (*network.parameters(), *network.buffers()):
        if not tensor.dtype.is_floating_point and not tensor.dtype.is_complex:
            continue
        yield tensor


def _different(what: str, found: list[str]) -> Iterator[Obstacle]:
    if len(found) > 1:
        sentence = f"parameters lie in more than one {what}: {', '.join(found)}"
        yield Obstacle(place="(settings)", sentence=sentence)


class _Walk:
    """Both graphs in step."""

    def __init__(
        self,
        ann: Graph,
        snn: Graph,
        certificates: Mapping[str, Certificate],
        dtype: torch.dtype | None,
    ) -> None:
        self._ann, self._snn, self._certificates, self._dtype = ann, snn, certificates, dtype
        self._partners: dict[fx.Node, fx.Node] = {}
        self._sites: set[str] = set()
        self.certified: set[str] = set()
        self.operations = 0
        self.obstacles = [
            Obstacle(place=label, sentence="runs under autocast, which changes dtypes on the way")
            for label, graph in (("ANN", ann), ("SNN", snn))
            if graph.autocast
        ]
        self._walk()
        if not self._sites:
            sentence = "no activation of the ANN meets a neuron, so there is nothing to compose"
            self.obstacles.append(Obstacle(place="(network)", sentence=sentence))

    def _walk(self) -> None:
        # A graph ends in the only "output" that it has, so graphs of two lengths part before that.
        for a, b in zip(self._ann.nodes, self._snn.nodes, strict=True):
            same_target = a.target == b.target or a.op in ("call_module", "get_attr")
            if a.op != b.op or not same_target:
                sentence = (
                    f"the graphs part here: the ANN runs {self._ann.describe(a)}, "
                    f"the SNN {self._snn.describe(b)}"
                )
                self.obstacles.append(Obstacle(place=place_of(a), sentence=sentence))
                return
            self._partners[a] = b
            found = [Obstacle(place=place_of(a), sentence=sentence) for sentence in self._complaints(a, b)]
            self.obstacles += found
            if found or a.op not in ("call_module", "call_function", "call_method"):
                continue
            if a.op == "call_module" and place_of(a) in self._sites:
                self.certified.add(place_of(a))
            else:
                self.operations += 1

    def _complaints(self, a: fx.Node, b: fx.Node) -> Iterator[str]:
        """Yield what differs between two nodes, or is not known of them, one sentence each."""
        if not (self._same(a.args, b.args) and self._same(a.kwargs, b.kwargs)):
            yield f"{self._ann.describe(a)} takes other arguments in the SNN than in the ANN"
        if a.op == "call_module":
            yield from self._module_complaints(a, self._ann.value(a), self._snn.value(b))
        elif a.op == "get_attr":
            yield from tensor_complaints("it", self._ann.value(a), self._snn.value(b))
            if self._ann.value(a).dtype.is_floating_point and self._ann.value(a).dtype != self._dtype:
                yield f"is a constant of dtype {self._ann.value(a).dtype}"
        elif a.op in ("call_function", "call_method"):
            yield from self._operation_complaints(a)

    def _operation_complaints(self, a: fx.Node) -> Iterator[str]:
        known = KNOWN_METHODS if a.op == "call_method" else KNOWN_FUNCTIONS
        what = self._ann.describe(a)
        if a.target not in known or (a.target is getattr and a.args[1] != "shape") or "out" in a.kwargs:
            yield f"{what} is not an operation that this check knows"
        elif a.target is operator.iadd and not self._is_fresh(a.args[0]):
            yield f"{what} writes into memory that may be the image or a parameter"

    def _is_fresh(self, node: Any) -> bool:
        """Tell whether a node's output is memory of its own."""
        if not isinstance(node, fx.Node):
            return False
        if node.op == "call_module":
            return isinstance(self._ann.value(node), FRESH_MODULES)
        return node.target in (operator.add, torch.add, torch.cat)

    def _module_complaints(self, a: fx.Node, activation: nn.Module, neuron: nn.Module) -> Iterator[str]:
        if is_site(activation) or is_site(neuron):
            name = place_of(a)
            if name in self._sites:
                yield "is a shared site: its module runs more than once"
            self._sites.add(name)
            yield from site_complaints(activation, neuron, self._certificates.get(name), self._dtype)
        elif type(activation) not in KNOWN_MODULES:
            yield f"{type(activation).__name__} is not an operation that this check knows"
        elif type(activation) is not type(neuron):
            yield f"is {type(activation).__name__} in the ANN and {type(neuron).__name__} in the SNN"
        else:
            yield from configuration_complaints(activation, neuron, self._same)

    def _same(self, a: Any, b: Any) -> bool:
        """Tell whether two arguments correspond: nodes in step, containers item by item, constants equal."""
        if isinstance(a, fx.Node):
            return self._partners.get(a) is b
        if type(a) is not type(b):
            return False
        if isinstance(a, (list, tuple)):
            return len(a) == len(b) and all(map(self._same, a, b))
        if isinstance(a, dict):
            return self._same(list(a.items()), list(b.items()))
        if isinstance(a, slice):
            return self._same([a.start, a.stop, a.step], [b.start, b.stop, b.step])
        if isinstance(a, float):
            return a.hex() == float(b).hex()  # 0.0 is not -0.0
        return a is None or a is ... or (isinstance(a, (int, str)) and bool(a == b))
