"""Sound variations of what lies between the sites: refactored, folded and renamed."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qvm_verify.folding import fold_batch_norm
from qvm_verify.networks.blocks import BasicBlock
from tests.mutants.neurons import replace_module
from tests.mutants.registry import variation
from tests.mutants.sound_running import Audited
from tests.mutants.subjects import (
    Batches,
    digits_floor,
    digits_of_half_even,
    digits_of_one_level,
    digits_round,
    ladder_floor,
    tiny_floor,
    tiny_round,
)


@variation("batch-norm folded", tiny_floor, tiny_round)
def folded_in_one_network_where_that_is_exact(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, fold_batch_norm(snn), batches


@variation("batch-norm folded", digits_floor, digits_round, digits_of_half_even)
def folded_in_both(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return fold_batch_norm(ann), fold_batch_norm(snn), batches


class _Affine(nn.Module):
    def __init__(self, norm: Any) -> None:
        super().__init__()
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        self.scale = nn.Parameter(scale.reshape(1, -1, 1, 1))
        self.shift = nn.Parameter((norm.bias - scale * norm.running_mean).reshape(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift


@variation("batch-norm folded", tiny_floor, tiny_round)
def batch_norm_as_product_and_sum(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    for name in ("stem.1", "block.conv1.1", "block.conv2.1"):
        replace_module(snn, name, _Affine(snn.get_submodule(name)))
    return ann, snn, batches


# Modules


class _Nested(nn.Sequential):
    """The tiny network as containers in containers; nothing but its class and its names changes."""


@variation("nested modules", tiny_floor, tiny_round)
def a_sequence_in_sequences(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    parts = [getattr(snn, name) for name in ("stem", "act", "pool", "block", "head")]
    nested = _Nested(_Nested(parts[0], parts[1]), _Nested(parts[2], _Nested(parts[3]), parts[4]))
    return ann, nested.eval(), batches


@variation("nested modules", digits_floor, digits_of_one_level)
def the_same_names_in_a_flat_sequence(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    order = ("conv1", "norm", "act1", "conv2", "act2", "pool", "flatten", "fc", "act3", "head")
    return ann, nn.Sequential(OrderedDict((name, getattr(snn, name)) for name in order)).eval(), batches


@variation("nested modules", digits_round, tiny_floor, ladder_floor)
def in_a_wrapper(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    class Wrapper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = snn

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.module(x)
            return out

    return ann, Wrapper().eval(), batches


@variation("nested modules", tiny_round)
def identities_and_dropout_between(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    replace_module(snn, "pool", nn.Sequential(nn.Identity(), snn.pool, nn.Dropout(0.5)).eval())
    return ann, snn, batches


@variation("other class names", digits_floor)
def classes_of_other_names(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    for name in ("conv1", "conv2", "fc"):
        layer = snn.get_submodule(name)
        layer.__class__ = type(f"My{type(layer).__name__}", (type(layer),), {})
    return ann, snn, batches


@variation("nested modules", digits_floor)
def with_hooks_that_only_look(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    for module in snn.modules():
        module.register_forward_hook(lambda module, inputs, output: None)
    return ann, snn, batches


# Functional calls


class _Functional(nn.Module):
    """The digits network with function calls for everything but its neurons."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.act1, self.act2, self.act3 = network.act1, network.act2, network.act3
        self.weights = nn.ParameterDict(
            {name.replace(".", "_"): value for name, value in network.named_parameters() if "act" not in name}
        )
        self.register_buffer("mean", network.norm.running_mean)
        self.register_buffer("var", network.norm.running_var)

    def forward(self, x: Tensor) -> Tensor:
        w = self.weights
        x = F.conv2d(x, w["conv1_weight"], w["conv1_bias"], padding=1)
        x = self.act1(F.batch_norm(x, self.mean, self.var, w["norm_weight"], w["norm_bias"]))
        x = self.act2(F.conv2d(x, w["conv2_weight"], w["conv2_bias"], padding=1))
        x = torch.flatten(F.avg_pool2d(x, 2), 1)
        return F.linear(
            self.act3(F.linear(x, w["fc_weight"], w["fc_bias"])), w["head_weight"], w["head_bias"]
        )


@variation("functional calls", digits_floor, digits_round, digits_of_half_even, digits_of_one_level)
def everything_but_the_neurons(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, _Functional(snn).eval(), batches


class _OtherOrder(BasicBlock):
    """The same sum with its terms exchanged: that much, IEEE addition allows."""

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act2(torch.add(self.shortcut(x), self.conv2(self.act1(self.conv1(x)))))
        return out


class _AddsInPlace(BasicBlock):
    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv2(self.act1(self.conv1(x)))
        inner += self.shortcut(x)
        out: Tensor = self.act2(inner)
        return out


@variation("functional calls", tiny_floor)
def shortcut_first(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    snn.block.__class__ = _OtherOrder
    return ann, snn, batches


@variation("functional calls", tiny_round)
def shortcut_added_in_place(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    snn.block.__class__ = _AddsInPlace
    return ann, snn, batches


# Other layers that compute the same, on numbers whose sums are exact in any order


class _Unfolded(nn.Module):
    """A 3x3 convolution as a matrix product."""

    def __init__(self, conv: Any) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(conv.weight.flatten(1)), conv.bias

    def forward(self, x: Tensor) -> Tensor:
        patches = F.pad(x, (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1)  # [batch, channels, h, w, 3, 3]
        columns = patches.permute(0, 2, 3, 1, 4, 5).flatten(3)
        out = torch.matmul(columns, self.weight.t())
        if self.bias is not None:
            out = out + self.bias
        return out.permute(0, 3, 1, 2)


@variation("another layer", tiny_floor, tiny_round)
def convolutions_as_matrix_products(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    for name in ("stem.0", "block.conv1.0", "block.conv2.0"):
        replace_module(snn, name, _Unfolded(snn.get_submodule(name)))
    return ann, snn, batches


class _InFloat64(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = copy.deepcopy(layer).double()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x.double()).float()
        return out


@variation("another layer", tiny_floor, tiny_round)
def convolutions_in_float64(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    for name in ("stem", "block.conv1", "block.conv2"):
        replace_module(snn, name, _InFloat64(snn.get_submodule(name)))
    return ann, snn, batches


@variation("another layer", tiny_floor)
def a_convolution_padded_before(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    conv = snn.get_submodule("stem.0")
    conv.padding = (0, 0)
    return ann, replace_module(snn, "stem.0", nn.Sequential(nn.ZeroPad2d(1), conv)), batches


@variation("another layer", tiny_round)
def a_linear_layer_as_a_convolution(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    linear: Any = snn.get_submodule("head.2")
    conv = nn.Conv2d(linear.in_features, linear.out_features, 1)
    conv.weight.data, conv.bias.data = linear.weight.data[:, :, None, None], linear.bias.data
    return ann, replace_module(snn, "head", nn.Sequential(nn.AvgPool2d(2), conv, nn.Flatten())), batches


@variation("another layer", tiny_floor)
def average_pool_as_a_mean(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, replace_module(snn, "head.0", nn.AdaptiveAvgPool2d(1)), batches


@variation("another layer", digits_floor)
def average_pool_as_a_depthwise_convolution(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    conv = nn.Conv2d(4, 4, 2, stride=2, groups=4, bias=False)
    conv.weight.data.fill_(0.25)  # multiples of θ / L are summed, a power of two: exact
    return ann, replace_module(snn, "pool", conv), batches
