"""An integrate-and-fire loop in parts, each of which a fault replaces."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qvm_verify.snn import IFNeuron


class PlainNeuron(IFNeuron):
    """`IFNeuron` under constant currents, written out; as it is, without a fault."""

    def steps(self) -> int:
        return self.time_steps

    def start(self, x: Tensor) -> Tensor:
        return self.v_init.expand_as(x)

    def current(self, x: Tensor, t: int) -> Tensor:
        return x

    def integrate(self, v: Tensor, current: Tensor) -> Tensor:
        return v + current

    def fires(self, u: Tensor) -> Tensor:
        return u >= self.threshold

    def after_spike(self, u: Tensor) -> Tensor:
        return u - self.threshold

    def after_silence(self, u: Tensor) -> Tensor:
        return u

    def rate(self, count: Tensor) -> Tensor:
        return self.threshold / self.time_steps * count

    def finish(self, v: Tensor) -> None:
        """Do what is left to do when the last time-step is over: nothing."""

    def forward(self, x: Tensor) -> Tensor:
        v, count = self.start(x), torch.zeros_like(x)
        for t in range(self.steps()):
            u = self.integrate(v, self.current(x, t))
            spikes = self.fires(u)
            v = torch.where(spikes, self.after_spike(u), self.after_silence(u))
            count = count + spikes
        self.finish(v)
        return self.rate(count)


def put_at(network: nn.Module, name: str, kind: type[IFNeuron]) -> nn.Module:
    """Put a neuron of another class at a site, with the settings of the one that is there."""
    old = network.get_submodule(name)
    assert isinstance(old, IFNeuron)
    return replace_module(network, name, kind(old.threshold, old.v_init, old.settings))


def replace_module(network: nn.Module, name: str, module: nn.Module) -> nn.Module:
    """Put a module, in evaluation mode, under a name; return the network."""
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module.eval())
    return network


def neurons_of(network: nn.Module) -> dict[str, IFNeuron]:
    """Return the neurons of a conversion by name."""
    return {name: module for name, module in network.named_modules() if isinstance(module, IFNeuron)}
