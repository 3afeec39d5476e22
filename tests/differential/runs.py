"""One network run by each implementation: what every site counted and returned, and the scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from qvm_verify import reference
from qvm_verify.snn import IFNeuron, QuantizedActivation, StreamingNetwork
from tests.differential.networks import Residual
from tests.small_networks import as_reference

Array = np.ndarray[Any, Any]


class Site(NamedTuple):
    """What one site did on a batch of images."""

    current: Any
    count: Any  # M or N
    output: Any  # a or φ; under streaming currents the scaled spikes [T · batch, ...]


class Run(NamedTuple):
    """What a network did."""

    sites: list[Site]
    scores: Any


class WithSites(nn.Module):
    """A network that returns what happened within it; compiled, it is compiled with it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Run:
        """Return what every site did, and the scores."""
        sites: list[Site] = []
        return Run(sites, _through(self.network, x, sites))


def _through(module: nn.Module, x: Tensor, sites: list[Site]) -> Tensor:
    if isinstance(module, StreamingNetwork):
        outputs = _through(module.body, torch.cat([x] * module.time_steps), sites)
        return outputs.reshape(module.time_steps, -1, *outputs.shape[1:]).mean(0)
    if isinstance(module, nn.Sequential):
        for child in module:
            x = _through(child, x, sites)
        return x
    if isinstance(module, Residual):
        return _through(module.body, x, sites) + _through(module.shortcut, x, sites)
    out: Tensor = module(x)
    if isinstance(module, QuantizedActivation):
        sites.append(Site(x, module.level(x), out))
    elif isinstance(module, IFNeuron):
        sites.append(Site(x, spike_count(module, x, out), out))
    return out


def spike_count(neuron: IFNeuron, x: Tensor, out: Tensor) -> Tensor:
    """Return N; under streaming currents by counting the spikes that the neuron returned."""
    if neuron.currents == "constant":
        return neuron.spike_count(x)
    return (out != 0).reshape(neuron.time_steps, -1, *out.shape[1:]).sum(0)


@torch.no_grad()
def torch_run(network: nn.Module, images: Tensor) -> Run:
    """Run a PyTorch network; everything comes back as NumPy arrays."""
    return to_numpy(WithSites(network)(images))


def to_numpy(run: Run) -> Run:
    """Return the same run as NumPy arrays."""
    sites = [Site(*(part.cpu().numpy() for part in site)) for site in run.sites]
    return Run(sites, run.scores.cpu().numpy())


def as_layers(module: nn.Module, dtype: Any) -> reference.Network:
    """Return a network as the layers of the reference in `dtype`; `object` is for exact rationals."""
    if isinstance(module, nn.Sequential):
        return tuple(layer for child in module for layer in as_layers(child, dtype))
    if isinstance(module, Residual):
        branches = {"body": as_layers(module.body, dtype), "shortcut": as_layers(module.shortcut, dtype)}
        return (reference.Residual(**branches),)
    return tuple(as_reference(module, dtype))


def reference_run(network: reference.Network, images: Array) -> Run:
    """Run layers of the reference under constant currents."""
    sites: list[Site] = []
    return Run(sites, _layers(network, images, sites, _constant))


def reference_stream(network: reference.Network, images: Array, time_steps: int) -> Run:
    """Run spiking layers of the reference on streaming currents; the scores are the mean over T."""
    sites: list[Site] = []
    outputs = _layers(network, reference.constant_currents(images, time_steps), sites, _streaming)
    return Run(sites, outputs.sum(axis=0) / time_steps)


Through = Callable[[Any, Array, list[Site]], Array]


def _layers(network: reference.Network, x: Array, sites: list[Site], through: Through) -> Array:
    for layer in network:
        if isinstance(layer, reference.Residual):
            body, shortcut = (_layers(part, x, sites, through) for part in (layer.body, layer.shortcut))
            x = body + shortcut
        else:
            x = through(layer, x, sites)
    return x


def _constant(layer: Any, x: Array, sites: list[Site]) -> Array:
    out: Array = layer(x)
    if isinstance(layer, reference.Activation):
        given = {"threshold": layer.threshold, "levels": layer.levels, "quantizer": layer.quantizer}
        sites.append(Site(x, reference.level(x, **given), out))
    elif isinstance(layer, reference.Neuron):
        currents = reference.constant_currents(x, layer.time_steps)
        sites.append(Site(x, layer.simulate(currents).spike_count, out))
    return out


def _streaming(layer: Any, currents: Array, sites: list[Site]) -> Array:
    if not isinstance(layer, reference.Neuron):
        return np.stack([layer(current) for current in currents])
    out = layer.stream(currents)
    sites.append(Site(_flat(currents), layer.simulate(currents).spike_count, _flat(out)))
    return out


def _flat(x: Array) -> Array:
    """Return [T, batch, ...] as PyTorch's side has it, [T · batch, ...]."""
    return x.reshape(-1, *x.shape[2:])


def differences(one: Run, other: Run, *, scores: bool = True) -> list[str]:
    """Return where two runs differ, as exact numbers, in any count, current, output or score."""
    found = []
    if len(one.sites) != len(other.sites):
        found.append(f"{len(one.sites)} sites against {len(other.sites)}")
    for number, (a, b) in enumerate(zip(one.sites, other.sites, strict=False)):
        for part in Site._fields:
            if not same_numbers(getattr(a, part), getattr(b, part)):
                found.append(f"site {number}: another {part}")
    if scores and not same_numbers(one.scores, other.scores):
        found.append("other scores")
    return found


def same_numbers(a: Array, b: Array) -> bool:
    """Tell whether two arrays hold the same rational numbers, whatever their dtypes."""
    exact = (reference.as_dtype(x, object) for x in (a, b))
    return a.shape == b.shape and bool(np.equal(*exact).all())
