"""Batch-norm into the weights and the bias of the convolution or linear layer that it follows.

In evaluation mode batch-norm is affine, one factor and one shift a channel:

    y = s · (W x + b - μ) + β,   s = γ / √(σ² + ε),   so   W' = s · W   and   b' = s · (b - μ) + β.

Over the reals nothing changes. In floating point it does: W' is rounded, and the products are other ones.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, fx, nn

from qvm_verify.exits import InputError
from qvm_verify.snn import QuantizedActivation

LAYERS: tuple[type[nn.Module], ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
BATCH_NORMS: tuple[type[nn.Module], ...] = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def foldable(network: nn.Module) -> dict[str, str]:
    """Return the batch-norms that can be folded, each with the layer that it follows: {norm: layer}.

    A layer qualifies if it runs once and batch-norm alone sees its output. They are found on the graph that
    torch.fx traces, not by their names or places. Raises InputError where the network cannot be traced,
    because its path depends on the data, and for a batch-norm without running statistics.
    """
    try:
        nodes = list(_Tracer().trace(network).nodes)
    except Exception as error:  # whatever a forward method does with a symbolic tensor
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{type(network).__name__} cannot be traced, so no batch-norm can be folded ({reason})"
        ) from error
    modules = dict(network.named_modules())
    calls = [node.target for node in nodes if node.op == "call_module"]
    pairs = {}
    for node in nodes:
        if not _runs_once(node, calls, modules, BATCH_NORMS):
            continue
        norm, before = modules[node.target], node.args[0]
        if _runs_once(before, calls, modules, LAYERS) and len(before.users) == 1:
            if norm.running_mean is None:
                raise InputError(f"{node.target!r} normalizes by the batch: it has nothing to fold")
            pairs[node.target] = before.target
    return pairs


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode with every `foldable` batch-norm folded; an identity is in its place.

    W' and b' are computed in float64 and rounded once to the precision of W. Where s is a power of two and
    no sum is rounded, folding is exact; elsewhere it is not, and `check_folding` says by how much. The copy
    no longer has the architecture that built it, so `qvm.save` refuses it. Raises what `foldable` raises.
    """
    folded = copy.deepcopy(network).eval()
    for norm_name, layer_name in foldable(network).items():
        norm, layer = folded.get_submodule(norm_name), folded.get_submodule(layer_name)
        weight, bias = folded_parameters(layer, norm)
        layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
        _replace(folded, norm_name, nn.Identity().eval())
    if "architecture" in vars(folded):
        del folded.architecture
    return folded


@torch.no_grad()
def folded_parameters(layer: nn.Module, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return W' and b' in the dtype of W, [outputs, ...] and [outputs]."""
    scale, shift = scale_and_shift(norm)
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    per_channel = scale.reshape(-1, *[1] * (weight.dim() - 1))
    b = bias.double() if isinstance(bias, Tensor) else torch.zeros_like(scale)
    return (weight.double() * per_channel).to(weight.dtype), (scale * b + shift).to(weight.dtype)


def scale_and_shift(norm: Any) -> tuple[Tensor, Tensor]:
    """Return s = γ / √(σ² + ε) and β - s · μ of a batch-norm in evaluation mode, in float64, [channels]."""
    scale = 1 / torch.sqrt(norm.running_var.double() + norm.eps)
    shift = torch.zeros_like(scale)
    if norm.affine:
        scale, shift = scale * norm.weight.double(), norm.bias.double()
    return scale, shift - scale * norm.running_mean.double()


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Do not look into activations."""
        return isinstance(m, QuantizedActivation) or super().is_leaf_module(m, module_qualified_name)


def _runs_once(
    node: Any, calls: list[Any], modules: dict[str, nn.Module], wanted: tuple[type[nn.Module], ...]
) -> bool:
    """Tell whether a node is the only call of a module of exactly one of these types."""
    return (
        isinstance(node, fx.Node)
        and node.op == "call_module"
        and type(modules[str(node.target)]) in wanted
        and calls.count(node.target) == 1
    )


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module)
