"""Sites: where an activation of the ANN and a neuron of the spiking network must agree.

Any module can be a site; it only has to say what it is. An *activation* has `levels`, `threshold` and
`quantizer` and returns a = (γ / L) · M. A *neuron* has `time_steps`, `threshold` and `v_init` (an absolute
potential), and may have `firing` (">=" or ">"), `reset` and `currents`, with the paper's values where it
has not; it returns φ = (θ / T) · N, or under streaming currents the scaled spikes s_t θ as
[T · batch, ...]. The audit trusts none of these attributes: it reads M and N off what the module returned.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify.exits import InputError


@dataclass(frozen=True)
class Call:
    """The k-th call (from 0) of one site in a forward pass."""

    name: str
    index: int

    def __str__(self) -> str:
        return self.name if self.index == 0 else f"{self.name}#{self.index + 1}"


@dataclass(frozen=True)
class Pair:
    """An activation's call and the neuron's call that stands in its place."""

    name: str
    ann: Call
    snn: Call
    activation: nn.Module
    neuron: nn.Module


Observer = Callable[[Call, Tensor, Tensor], None]
"""Takes the call, the input current and the output of a site."""


def is_activation(module: nn.Module) -> bool:
    """Tell whether a module presents itself as a quantized activation."""
    return all(hasattr(module, name) for name in ("levels", "threshold", "quantizer"))


def is_neuron(module: nn.Module) -> bool:
    """Tell whether a module presents itself as a spiking neuron."""
    return all(hasattr(module, name) for name in ("time_steps", "threshold", "v_init"))


def working_copy(network: nn.Module) -> nn.Module:
    """Return a copy to run and to hook into; it shares the weights of PyTorch's own layers.

    Those write nothing but running statistics, which are buffers and copied, as are all other modules.
    """
    own = (module for module in network.modules() if type(module).__module__.startswith("torch.nn.modules."))
    shared = [weight for module in own for weight in module.parameters(recurse=False)]
    return copy.deepcopy(network, {id(weight): weight for weight in shared})


def find_sites(network: nn.Module, wanted: Callable[[nn.Module], bool]) -> dict[str, nn.Module]:
    """Return the sites of a network by name; the network itself is named "(network)"."""
    return {name or "(network)": module for name, module in network.named_modules() if wanted(module)}


def run_observed(network: nn.Module, sites: dict[str, nn.Module], x: Tensor, observer: Observer) -> Tensor:
    """Run `network` on x and show every call of a site to `observer`; return the output.

    Raises InputError where the network returns anything but one tensor.
    """
    calls = dict.fromkeys(sites, 0)

    def hook_for(name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            call = Call(name, calls[name])
            calls[name] += 1
            observer(call, inputs[0], output)

        return hook

    with ExitStack() as stack:
        for name, module in sites.items():
            stack.callback(module.register_forward_hook(hook_for(name)).remove)
        output = network(x)
    if not isinstance(output, Tensor):
        raise InputError(
            f"{type(network).__name__} returned a {type(output).__name__}, not a tensor of scores"
        )
    return output


def pair_calls(
    ann_sites: dict[str, nn.Module],
    ann_calls: list[Call],
    snn_sites: dict[str, nn.Module],
    snn_calls: list[Call],
) -> tuple[list[Pair], list[Call]]:
    """Return the pairs in the order in which the ANN calls them, and the calls left without a partner.

    Calls correspond by name where both networks use the same names, up to a wrapper's prefix, though one
    may lack some of them; else the k-th call of one corresponds to the k-th of the other.
    """
    by_tail = {(_tail(call.name, ann_sites), call.index): call for call in snn_calls}
    by_name = {(call.name, call.index): call for call in ann_calls}
    same_names = by_tail.keys() <= by_name.keys() or by_name.keys() <= by_tail.keys()
    if same_names and len(by_tail) == len(snn_calls):
        partners = [(by_name[key], by_tail[key]) for key in by_name if key in by_tail]
    else:
        partners = list(zip(ann_calls, snn_calls, strict=False))
    pairs = [Pair(str(ann), ann, snn, ann_sites[ann.name], snn_sites[snn.name]) for ann, snn in partners]
    paired_ann, paired_snn = ({pair[k] for pair in partners} for k in (0, 1))
    alone = [call for call in ann_calls if call not in paired_ann]
    return pairs, alone + [call for call in snn_calls if call not in paired_snn]


def _tail(name: str, known: dict[str, nn.Module]) -> str:
    """Return `name` without the leading parts that a wrapper added, if that makes it a known name."""
    parts = name.split(".")
    tails = (".".join(parts[k:]) for k in range(len(parts)))
    return next((tail for tail in tails if tail in known), name)


def scalar(module: nn.Module, name: str, site: str) -> float:
    """Return an attribute that holds one number. Raises InputError where it holds anything else."""
    given = getattr(module, name)
    try:
        value = torch.as_tensor(given, dtype=None if isinstance(given, Tensor) else torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{site}: {name} must be a number, got {given!r}") from error
    if value.numel() != 1:
        raise InputError(f"{site}: {name} has shape {list(value.shape)}; one {name} a site is supported")
    return float(value.detach())


def count(module: nn.Module, name: str, site: str) -> int:
    """Return an attribute that holds a positive integer. Raises InputError where it holds anything else."""
    value = scalar(module, name, site)
    if not (value >= 1 and value.is_integer()):
        raise InputError(f"{site}: {name} must be an integer of at least 1, got {value:g}")
    return int(value)
