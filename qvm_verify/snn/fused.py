"""Spiking networks at the cost of inference: every neuron in one pass over memory, bit for bit as before.

A neuron under constant currents becomes a table of T numbers (`StepNeuron`). Where that is not proved to be
the same, and under streaming currents, it stays the loop over the time-steps, compiled so that potentials
and counts never leave the registers (`LoopNeuron`).
"""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify.snn.if_neuron import IFNeuron, IFSettings, count_spikes, scaled_spikes
from qvm_verify.snn.step_neuron import StepNeuron, why_no_table

Kernel = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Takes currents, θ and V0."""

# Every time-step names the potential before it three times, and the compiler writes such expressions out into
# one another until they have this many operations. With its own limit of 30 eight steps take a minute, and
# sixteen more than eight; the kernel is the same loop either way.
_OPTIONS: dict[str, str | int | bool | Callable[..., Any]] = {"realize_opcount_threshold": 16}


def can_compile(device: torch.device) -> bool:
    """Tell whether torch.compile has what it needs: on a CPU it calls a C++ compiler."""
    return device.type != "cpu" or shutil.which(os.environ.get("CXX", "g++")) is not None


def compile_function(function: Callable[..., Any], *, dynamic: bool = False) -> Callable[..., Any]:
    """Return a function of tensors compiled, so that a loop over the time-steps is compiled in seconds.

    One piece of code is compiled for 8 cases at most, and runs uncompiled, without a word, in all others. So
    each function gets a copy of its code: closures that differ in what they close over are no cases of one.
    """
    assert isinstance(function, FunctionType)  # not a method: that shares its code
    code, closure = function.__code__.replace(), function.__closure__
    own = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, closure)
    return torch.compile(own, dynamic=dynamic, options=_OPTIONS)


def compiled(network: nn.Module) -> nn.Module:
    """Return `network` compiled as a whole for the shapes it meets; itself where no compiler is found.

    Comparisons, and so the neurons, cannot change by that; sums between them may be rounded otherwise. ANN
    and spiking network are to be compared either both compiled or both not, and in one memory format.
    """
    tensors = [*network.parameters(), *network.buffers()]
    if not can_compile(tensors[0].device if tensors else torch.device("cpu")):
        return network
    return torch.compile(network, dynamic=False, options=_OPTIONS)  # type: ignore[return-value]  # a module


def fuse(network: nn.Module) -> nn.Module:
    """Return a copy of a converted network whose neurons take one pass over memory each.

    Same spikes, same bits, whatever the input. What had to stay a loop, `left_as_loops` names.
    """
    fused = copy.deepcopy(network)
    replacements: dict[int, IFNeuron] = {}

    def replacement(neuron: IFNeuron) -> IFNeuron:
        if id(neuron) not in replacements:  # a neuron shared by two places stays shared
            replacements[id(neuron)] = (StepNeuron if why_no_table(neuron) is None else LoopNeuron)(neuron)
        return replacements[id(neuron)]

    if type(fused) is IFNeuron:
        return replacement(fused)
    for parent in list(fused.modules()):
        for name, child in list(parent._modules.items()):
            if type(child) is IFNeuron:
                setattr(parent, name, replacement(child))
    return fused


def left_as_loops(network: nn.Module) -> dict[str, str]:
    """Return the neurons of a fused network that are no tables, by name, and why they are not."""
    return {name: module.reason for name, module in network.named_modules() if isinstance(module, LoopNeuron)}


class LoopNeuron(IFNeuron):
    """An `IFNeuron` whose loop over the time-steps is one compiled kernel, for layers of every size.

    Without a compiler, in half precision, which a compiler does not round at every step, and on tensors
    that are dense in no known order, it runs the loop as it is.
    """

    def __init__(self, neuron: IFNeuron) -> None:
        super().__init__(neuron.threshold, neuron.v_init, neuron.settings)
        self.train(neuron.training)
        self.reason = why_no_table(neuron) or "not asked for"

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # or a compiled network compiles every layer
    def forward(self, x: Tensor) -> Tensor:
        """Return φ under constant currents, the scaled spikes under streaming ones."""
        last = _channels_last(x)
        dense = x.movedim(1, -1) if last else x
        plain = x.element_size() < 4 or x.numel() == 0 or not dense.is_contiguous()
        if plain or not can_compile(x.device):
            return super().forward(x)
        flat = dense.view(-1) if self.currents == "constant" else dense.view(self.time_steps, -1)
        out = _kernel(self.settings)(flat, self.threshold, self.v_init).view(dense.shape)
        return out.movedim(-1, 1) if last else out

    def extra_repr(self) -> str:
        """Show the setting in `print(model)`."""
        return f"{super().extra_repr()}, as a compiled loop ({self.reason})"


def _channels_last(x: Tensor) -> bool:
    return x.dim() == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)


@cache
def _kernel(settings: IFSettings) -> Kernel:
    """Return the compiled loop of all neurons with these settings."""

    def loop(currents: Tensor, threshold: Tensor, v_init: Tensor) -> Tensor:
        if settings.currents == "streaming":
            return scaled_spikes(currents, threshold, v_init, settings)
        return threshold / settings.time_steps * count_spikes(currents, threshold, v_init, settings)

    return compile_function(loop, dynamic=True)
