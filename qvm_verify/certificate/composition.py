"""From sites to the network: everything between the sites must be the same operation on the same bits.

`qvm_verify/proofs/composition.md` states the theorem and what it trusts; this module checks its conditions.
Whatever it does not know is an obstacle, and a network with an obstacle is UNKNOWN, never EXHAUSTED.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.modules import module as nn_module

from qvm_verify.certificate.boundary import why_not_monotone
from qvm_verify.certificate.decide import Certificate, certify
from qvm_verify.certificate.ordinals import ordinal_range
from qvm_verify.exits import InputError
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
    }
)
KNOWN_METHODS = frozenset(
    {"add", "contiguous", "flatten", "mean", "permute", "reshape", "size", "transpose", "view"}
)
KNOWN_DEVICES = frozenset({"cpu", "cuda"})
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
IN_PLACE = [name for name in dir(operator) if name[:3] == "__i" and f"__{name[3:]}" in dir(operator)]
"""`__iadd__` and its kind; left to itself, torch.fx records `a += b` as `a + b`."""

NN_MODULE_STATE = frozenset(vars(nn.Module()))
"""What every module carries; the rest of its attributes is its configuration."""


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """What keeps the theorem from speaking, and where."""

    place: str  # a site, a module, a node of the graph, or "(settings)"
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"


@dataclass(frozen=True, kw_only=True)
class Composition:
    """What is known of the whole network, given a certificate of each site."""

    evidence: Evidence
    obstacles: tuple[Obstacle, ...]
    operations: int  # between the sites, found to be the same
    sites: int  # found to be certified


@torch.no_grad()
def compose(ann: nn.Module, snn: nn.Module, certificates: Mapping[str, Certificate]) -> Composition:
    """Decide whether the certificates of the sites carry over to the network, for every image there is.

    `certificates` holds one for each site, by the activation's name in `ann` ("(network)" for a network
    that is one activation). EXHAUSTED means: for every image that brings no NaN to a site, the spiking
    network returns the ANN's bits, as long as both run in the settings they are in now, on the same machine
    with the same batch shape and thread count. With any obstacle the verdict is UNKNOWN, never REFUTED.
    """
    tensors = [tensor for network in (ann, snn) for tensor in _floating_tensors(network)]
    dtypes = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors})
    kinds = {tensor.device.type for tensor in tensors}
    obstacles = [
        *_different("dtype", dtypes),
        *_different("device", sorted({str(tensor.device) for tensor in tensors})),
        *(found for kind in sorted(kinds) for found in settings(kind)),
        *_off_the_graph("ANN", ann),
        *_off_the_graph("SNN", snn),
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


def _traced(networks: dict[str, nn.Module]) -> tuple[dict[str, _Graph], list[Obstacle]]:
    graphs, obstacles = {}, []
    for label, network in networks.items():
        try:
            graphs[label] = _Graph(network)
        except Exception as error:  # whatever a stranger's forward does when it meets a symbolic tensor
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


def _off_the_graph(label: str, network: nn.Module) -> Iterator[Obstacle]:
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


def _record_in_place(name: str) -> None:

    def record(self: fx.Proxy, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", getattr(operator, name), (self, other), {})

    setattr(_Proxy, name, record)


for _name in IN_PLACE:
    _record_in_place(_name)


def _is_site(module: nn.Module) -> bool:
    return hasattr(module, "threshold")


class _Graph(fx.Tracer):
    """The graph of a network, called with one tensor; its leaves are the sites and torch's own modules."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.autocast = False
        self.wrapper = nn.Sequential(network)
        # Now: while tracing, to look at a parameter is to record a node.
        self._sites = {module for module in network.modules() if _is_site(module)}
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


def _place(node: fx.Node) -> str:
    if node.op in ("call_module", "get_attr"):
        return str(node.target).removeprefix("0").removeprefix(".") or "(network)"
    return node.name


class _Walk:
    """Both graphs in step."""

    def __init__(
        self,
        ann: _Graph,
        snn: _Graph,
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
        for a, b in zip(self._ann.nodes, self._snn.nodes, strict=False):
            same_target = a.target == b.target or a.op in ("call_module", "get_attr")
            if a.op != b.op or not same_target:
                sentence = (
                    f"the graphs part here: the ANN runs {self._ann.describe(a)}, "
                    f"the SNN {self._snn.describe(b)}"
                )
                self.obstacles.append(Obstacle(place=_place(a), sentence=sentence))
                return
            self._partners[a] = b
            found = [Obstacle(place=_place(a), sentence=sentence) for sentence in self._complaints(a, b)]
            self.obstacles += found
            if found or a.op not in ("call_module", "call_function", "call_method"):
                continue
            if a.op == "call_module" and _place(a) in self._sites:
                self.certified.add(_place(a))
            else:
                self.operations += 1
        mine, theirs = len(self._ann.nodes), len(self._snn.nodes)
        if mine != theirs:
            sentence = f"the graphs have {mine} nodes in the ANN and {theirs} in the SNN"
            self.obstacles.append(Obstacle(place="(network)", sentence=sentence))

    def _complaints(self, a: fx.Node, b: fx.Node) -> Iterator[str]:
        """Yield what differs between two nodes, or is not known of them, one sentence each."""
        if not (self._same(a.args, b.args) and self._same(a.kwargs, b.kwargs)):
            yield f"{self._ann.describe(a)} takes other arguments in the SNN than in the ANN"
        if a.op == "call_module":
            yield from self._module_complaints(a, self._ann.value(a), self._snn.value(b))
        elif a.op == "get_attr":
            yield from _tensor_complaints("it", self._ann.value(a), self._snn.value(b))
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
        if _is_site(activation) or _is_site(neuron):
            name = _place(a)
            if name in self._sites:
                yield "is a shared site: its module runs more than once"
            self._sites.add(name)
            yield from self._site_complaints(activation, neuron, self._certificates.get(name))
        elif type(activation) not in KNOWN_MODULES:
            yield f"{type(activation).__name__} is not an operation that this check knows"
        elif type(activation) is not type(neuron):
            yield f"is {type(activation).__name__} in the ANN and {type(neuron).__name__} in the SNN"
        else:
            yield from self._configuration_complaints(activation, neuron)

    def _configuration_complaints(self, a: nn.Module, b: nn.Module) -> Iterator[str]:
        for label, module in (("ANN", a), ("SNN", b)):
            if isinstance(module, (*BATCH_NORMS, nn.Dropout)) and module.training:
                yield f"is in training mode in the {label}"
            if isinstance(module, BATCH_NORMS) and module.running_mean is None:
                yield f"normalizes by the batch in the {label}"
        mine, theirs = ({k: v for k, v in vars(m).items() if k not in NN_MODULE_STATE} for m in (a, b))
        for key in sorted(mine.keys() | theirs.keys()):
            if key not in mine or key not in theirs or not self._same(mine[key], theirs[key]):
                yield f"has another {key} in the SNN: {theirs.get(key)!r}, not {mine.get(key)!r}"
        mine, theirs = _tensors(a), _tensors(b)
        for key in sorted(mine.keys() ^ theirs.keys()):
            yield f"has a {key} in one network only"
        for key in sorted(mine.keys() & theirs.keys()):
            yield from _tensor_complaints(f"its {key}", mine[key], theirs[key])

    def _site_complaints(
        self, activation: nn.Module, neuron: nn.Module, certificate: Certificate | None
    ) -> Iterator[str]:
        if type(activation) is not QuantizedActivation or type(neuron) is not IFNeuron:
            yield (
                f"pairs {type(activation).__name__} with {type(neuron).__name__}; "
                "the theorem speaks of QuantizedActivation and IFNeuron"
            )
            return
        if neuron.time_steps != activation.levels:
            yield f"runs T = {neuron.time_steps} time-steps for L = {activation.levels} levels"
        gamma, theta = activation.threshold, neuron.threshold
        yield from _tensor_complaints("its threshold", gamma, theta)
        if gamma.dim() or theta.dim() or neuron.v_init.dim():
            yield "has a threshold or V0 that is not one number"
        elif certificate is None:
            yield "has no certificate"
        elif self._dtype is not None:
            yield from _certificate_complaints(activation, neuron, certificate, self._dtype)

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


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's own parameters and buffers."""
    return {
        **dict(module.named_parameters(recurse=False, remove_duplicate=False)),
        **dict(module.named_buffers(recurse=False, remove_duplicate=False)),
    }


def _tensor_complaints(what: str, a: Tensor, b: Tensor) -> Iterator[str]:
    """Yield how two tensors differ to a kernel, or are none that this check knows."""
    for tensor in (a, b):
        if type(tensor) not in (Tensor, nn.Parameter) or tensor.layout is not torch.strided:
            yield f"{what} is no plain tensor"
            return
    for aspect in ("dtype", "device", "shape"):
        mine, theirs = getattr(a, aspect), getattr(b, aspect)
        if mine != theirs:
            yield f"{what} has another {aspect} in the SNN: {theirs}, not {mine}"
            return
    if a.stride() != b.stride():
        yield f"{what} lies in another order in memory in the SNN, where kernels may sum in another order"
    if not torch.equal(_bits(a), _bits(b)):
        yield f"{what} differs in {int((_bits(a) != _bits(b)).any(-1).sum())} of {a.numel()} values"


def _bits(tensor: Tensor) -> Tensor:
    """Return the bytes of every value, [values, bytes]."""
    return tensor.detach().contiguous().reshape(-1, 1).view(torch.uint8)


def _certificate_complaints(
    activation: QuantizedActivation, neuron: IFNeuron, certificate: Certificate, dtype: torch.dtype
) -> Iterator[str]:
    """Yield why a certificate does not say that N = M at this site.

    A certificate names neither quantizer nor V0. So the site is decided once more, by bisection where that
    is proved complete, and the certificate is of this site only if it has the same steps.
    """
    lowest, highest = ordinal_range(dtype)
    facts: dict[str, tuple[object, object]] = {
        "dtype": (certificate.dtype, str(dtype).removeprefix("torch.")),
        "threshold": (certificate.threshold, float(neuron.threshold.item()).hex()),
        "levels": (certificate.levels, activation.levels),
        "time_steps": (certificate.time_steps, neuron.time_steps),
        "inputs_checked": (certificate.inputs_checked, highest - lowest + 1),
    }
    for name, (certified, here) in facts.items():
        if certified != here:
            yield f"its certificate has {name} = {certified}, not {here}"
            return
    if certificate.mismatches:
        first = certificate.intervals[0].first
        yield f"N differs from M on {certificate.mismatches} {certificate.dtype} inputs, first at {first}"
        return
    proved = not (why_not_monotone(activation.level) or why_not_monotone(neuron.spike_count))
    try:
        again = certify(
            activation,
            neuron,
            threshold=neuron.threshold.item(),
            levels=activation.levels,
            time_steps=neuron.time_steps,
            dtype=dtype,
            method="boundary" if proved else certificate.method,
            device=neuron.threshold.device,
        )
    except InputError as error:
        yield f"its certificate cannot be tied to it: {error}"
        return
    steps = (certificate.level_steps, certificate.count_steps)
    if again.mismatches or (again.level_steps, again.count_steps) != steps:
        yield "its certificate is of another activation or neuron: the steps lie elsewhere"
