"""The graph of a network, as torch.fx records it, and what no graph shows."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partialmethod, reduce
from typing import Any

import torch
from torch import fx, nn
from torch.nn.modules import module as nn_module

from qvm_verify.snn import IFNeuron

KNOWN_DEVICES = frozenset({"cpu", "cuda"})
IN_PLACE = [name for name in dir(operator) if name[:3] == "__i" and f"__{name[3:]}" in dir(operator)]
"""`__iadd__` and its kind; left to itself, torch.fx records `a += b` as `a + b`."""


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """What keeps the theorem from speaking, and where."""

    place: str  # a site, a module, a node of the graph, or "(settings)"
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"


def settings(device_type: str) -> Iterator[Obstacle]:
    """Yield what in PyTorch's present settings lets one operation give two results on that device."""
    sentences = []
    if device_type not in KNOWN_DEVICES:
        sentences.append(f"nothing is known of the kernels of a {device_type} device")
    if device_type == "cuda":
        if _tf32_allowed():
            sentences.append("TF32 may round the inputs of convolutions and products")
        if torch.backends.cudnn.benchmark:
            sentences.append("cudnn.benchmark picks kernels by the clock")
        if not torch.are_deterministic_algorithms_enabled():
            sentences.append("nondeterministic kernels are allowed (torch.use_deterministic_algorithms)")
    if not float(torch.tensor(torch.finfo(torch.float32).smallest_normal) / 2):
        sentences.append("subnormal numbers are flushed to zero, which is set thread by thread")
    for sentence in sentences:
        yield Obstacle(place="(settings)", sentence=sentence)


def _tf32_allowed() -> bool:
    try:
        return bool(torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32)
    except RuntimeError:  # set by the newer fp32_precision, which forbids to ask in this way
        return True


def off_the_graph(label: str, network: nn.Module) -> Iterator[Obstacle]:
    """Yield what changes how a network runs without being seen in its graph."""
    if nn_module._global_forward_hooks or nn_module._global_forward_pre_hooks:
        yield Obstacle(place=label, sentence="a hook of all modules runs, which no graph shows")
    for name, module in network.named_modules():
        place = f"{label} {name}".rstrip()
        if module._forward_hooks or module._forward_pre_hooks:
            yield Obstacle(place=place, sentence="has a forward hook, which no graph shows")
        if vars(module).get("_compiled_call_impl") is not None:
            yield Obstacle(place=place, sentence="is compiled, and fused kernels may round otherwise")
        for key in vars(module):
            if callable(getattr(type(module), key, None)):
                yield Obstacle(place=place, sentence=f"had its method {key} replaced, which no graph shows")
        if isinstance(module, IFNeuron) and module.currents != "constant":
            sentence = f"runs on {module.currents} currents, where a spike count depends on their order"
            yield Obstacle(place=place, sentence=sentence)


class _Proxy(fx.Proxy):
    """A symbolic tensor that tells `a += b` from `a = a + b`."""


def _record_in_place(self: fx.Proxy, operation: Callable[[Any, Any], Any], other: Any) -> Any:
    return self.tracer.create_proxy("call_function", operation, (self, other), {})


for _name in IN_PLACE:
    setattr(_Proxy, _name, partialmethod(_record_in_place, getattr(operator, _name)))


def is_site(module: nn.Module) -> bool:
    """Tell whether a module has a threshold, as activations and neurons do."""
    return hasattr(module, "threshold")


class Graph(fx.Tracer):
    """The graph of a network, called with one tensor; its leaves are the sites and torch's own modules."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.autocast = False
        self.wrapper = nn.Sequential(network)
        # Now: while tracing, to look at a parameter is to record a node.
        self._sites = {module for module in network.modules() if is_site(module)}
        self.nodes = list(self.trace(self.wrapper).nodes)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Keep sites and torch's modules whole."""
        return m in self._sites or super().is_leaf_module(m, module_qualified_name)

    def proxy(self, node: fx.Node) -> fx.Proxy:
        """Return a proxy that records in-place operators."""
        return _Proxy(node, self)

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        """Record a node, and whether it ran under autocast."""
        self.autocast |= any(torch.is_autocast_enabled(kind) for kind in KNOWN_DEVICES)
        return super().create_node(*args, **kwargs)

    def value(self, node: fx.Node) -> Any:
        """Return the module or tensor that a node names."""
        return reduce(getattr, str(node.target).split("."), self.wrapper)

    def describe(self, node: fx.Node) -> str:
        """Return what a node does, for a sentence."""
        if node.op == "call_module":
            return type(self.value(node)).__name__
        if node.op in ("call_function", "call_method"):
            return str(getattr(node.target, "__name__", node.target))
        return {"get_attr": "a tensor"}.get(node.op, node.op)


def place_of(node: fx.Node) -> str:
    """Return the module's or tensor's name that a node stands for, or the node's own."""
    if node.op in ("call_module", "get_attr"):
        return str(node.target).removeprefix("0").removeprefix(".") or "(network)"
    return node.name
