"""Which implementations are held against which, and on what: the list that is tested and that is measured.

A pair takes a plan and returns where the two sides differ; an empty list is agreement at tolerance zero.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from qvm_verify import reference, snn
from qvm_verify.audit import kernels, verify
from qvm_verify.snn import IFNeuron, IFSettings, LoopNeuron, StepNeuron
from tests.differential.networks import Plan, Weights, build
from tests.differential.runs import (
    Run,
    WithSites,
    as_layers,
    differences,
    reference_run,
    reference_stream,
    same_numbers,
    spike_count,
    to_numpy,
    torch_run,
)

Compare = Callable[[Plan], list[str]]
Changes = tuple[dict[str, Any], ...]

AS_THE_PAPER: Changes = ({},)
TABLES: Changes = ({}, {"v_init": 0.25}, {"time_steps": 2}, {"time_steps": 0.125})  # T in units of L
ALL: Changes = (*TABLES, {"firing": ">"}, {"reset": "reset_to_zero"})
LOOPS: Changes = ({"firing": ">"}, {"reset": "reset_to_zero"}, {"v_init": 1.5})


@dataclass(frozen=True)
class Pair:
    """Two implementations that must agree on every network that is drawn."""

    name: str
    weights: Weights
    compare: Compare
    changes: Changes = AS_THE_PAPER
    compiles: bool = False  # seconds for every network, not milliseconds


def every_kind(plan: Plan, dtype: Any) -> dict[str, Run]:
    """Return what the reference makes of the ANN and of both spiking networks, in one arithmetic."""
    layers = as_layers(build(plan), dtype)
    images = reference.as_dtype(plan.images().numpy(), dtype)
    spiking = reference.convert(layers, **dict(plan.changes))
    return {
        "ANN": reference_run(layers, images),
        "constant": reference_run(spiking, images),
        "streaming": reference_stream(spiking, images, plan.time_steps),
    }


def every_kind_of_torch(plan: Plan, dtype: torch.dtype, device: str = "cpu") -> dict[str, Run]:
    """Return what PyTorch makes of the three."""
    ann, images = build(plan).to(device, dtype), plan.images().to(device, dtype)
    spiking = [plan.convert(ann, currents=currents) for currents in snn.CURRENTS]
    names = ("ANN", *snn.CURRENTS)
    return {name: torch_run(network, images) for name, network in zip(names, (ann, *spiking), strict=True)}


def same_kinds(plan: Plan, one: dict[str, Run], other: dict[str, Run]) -> list[str]:
    """Return the differences of the three networks.

    The mean over T that a streaming network returns is rounded, unless T is a power of two; its counts and
    spikes are not.
    """
    exact_mean = plan.time_steps & (plan.time_steps - 1) == 0
    return [
        f"{name}: {difference}"
        for name in one
        for difference in differences(one[name], other[name], scores=name != "streaming" or exact_mean)
    ]


def torch_is_exact(dtype: torch.dtype) -> Compare:
    """Compare PyTorch with exact rationals."""
    return lambda plan: same_kinds(plan, every_kind_of_torch(plan, dtype), every_kind(plan, object))


def reference_is_exact(dtype: Any) -> Compare:
    """Compare the reference in floats with itself in exact rationals."""
    return lambda plan: same_kinds(plan, every_kind(plan, dtype), every_kind(plan, object))


def site_by_site(dtype: torch.dtype) -> Compare:
    """Compare every site of PyTorch with the reference's, fed with the same currents, for any weights."""

    def compare(plan: Plan) -> list[str]:
        ann = build(plan).to(dtype)
        spiking, images = plan.convert(ann), plan.images().to(dtype)
        found = []
        for network in (ann, spiking):
            run = torch_run(network, images)
            layers = _sites_of(as_layers(network_of(network, ann), run.scores.dtype))
            layers = layers if network is ann else reference.convert(layers, **dict(plan.changes))
            for number, (site, layer) in enumerate(zip(run.sites, layers, strict=True)):
                (judged,) = reference_run((layer,), site.current).sites
                if not all(same_numbers(a, b) for a, b in zip(site, judged, strict=True)):
                    found.append(f"site {number}: {layer}")
        return found

    return compare


def network_of(network: nn.Module, ann: nn.Module) -> nn.Module:
    """Return the ANN that a network is, or was made from: the reference converts for itself."""
    return network if network is ann else ann


def _sites_of(layers: reference.Network) -> reference.Network:
    """Return the activations among layers, in the order in which they run."""
    found: list[Any] = []
    for layer in layers:
        if isinstance(layer, reference.Residual):
            found += [*_sites_of(layer.body), *_sites_of(layer.shortcut)]
        elif isinstance(layer, reference.Activation):
            found.append(layer)
    return tuple(found)


@torch.no_grad()
def constant_is_streaming(plan: Plan) -> list[str]:
    """Compare a neuron under a constant current with the streaming one that receives it T times."""
    spiking, images = plan.convert(build(plan)), plan.images()
    run = torch_run(spiking, images)
    neurons = [module for module in spiking.modules() if isinstance(module, IFNeuron)]
    found = []
    for number, (neuron, site) in enumerate(zip(neurons, run.sites, strict=True)):
        settings = neuron.settings._replace(currents="streaming")
        streaming = IFNeuron(neuron.threshold, neuron.v_init, IFSettings(*settings))
        x = torch.cat([torch.from_numpy(site.current)] * neuron.time_steps)
        if not same_numbers(spike_count(streaming, x, streaming(x)).numpy(), site.count):
            found.append(f"site {number}: another N")
    return found


def fused_is_loop(kind: type[IFNeuron]) -> Compare:
    """Compare a network with its fused one, all of whose neurons must have become of a kind."""

    def compare(plan: Plan) -> list[str]:
        spiking = plan.convert(build(plan))
        fused = snn.fuse(spiking)
        neurons = [module for module in fused.modules() if isinstance(module, IFNeuron)]
        kinds = [f"a {type(one).__name__}" for one in neurons if type(one) is not kind]
        return kinds + differences(torch_run(spiking, plan.images()), torch_run(fused, plan.images()))

    return compare


def one_pass_is_plain(plan: Plan) -> list[str]:
    """Compare the audit's report by one compiled pass over memory with the one by plain operations."""
    ann = build(plan)
    spiking, images = plan.convert(ann), plan.images()
    reports = []
    for available in (True, False):
        with mock.patch.object(kernels, "available", lambda available=available: available):
            reports.append(verify(ann, spiking, [images]).to_json())
    return [key for key in reports[0] if json.dumps(reports[0][key]) != json.dumps(reports[1][key])]


def compiled_is_eager(plan: Plan) -> list[str]:
    """Compare both networks with themselves, compiled.

    Where batch-norms round, a compiler rounds them otherwise: weights are dyadic here, so nothing rounds.
    """
    ann = build(plan)
    found = []
    for name, network in (("ANN", ann), ("constant", snn.fuse(plan.convert(ann)))):
        compiled = compiled_run(network, plan.images())
        found += [f"{name}: {one}" for one in differences(torch_run(network, plan.images()), compiled)]
    return found


@torch.no_grad()
def compiled_run(network: nn.Module, images: Tensor) -> Run:
    """Run a network through torch.compile."""
    torch.compiler.reset()
    return to_numpy(snn.compiled(WithSites(network))(images))


PAIRS = (
    Pair("PyTorch float32, exact rationals", "dyadic", torch_is_exact(torch.float32), ALL),
    Pair("PyTorch float64, exact rationals", "dyadic", torch_is_exact(torch.float64), ALL),
    Pair("reference float32, exact rationals", "dyadic", reference_is_exact(np.float32), ALL),
    Pair("reference float64, exact rationals", "dyadic", reference_is_exact(np.float64), ALL),
    Pair("PyTorch float32, reference float32, at every site", "float", site_by_site(torch.float32), ALL),
    Pair("PyTorch float64, reference float64, at every site", "float", site_by_site(torch.float64), ALL),
    Pair("constant current, the same current streaming", "float", constant_is_streaming, ALL),
    Pair("neurons as loops, as tables", "float", fused_is_loop(StepNeuron), TABLES),
    Pair("neurons as loops, as compiled loops", "float", fused_is_loop(LoopNeuron), LOOPS, compiles=True),
    Pair("audit by one pass, by plain operations", "float", one_pass_is_plain, TABLES),
    Pair("PyTorch eager, compiled", "dyadic", compiled_is_eager, TABLES, compiles=True),
)
