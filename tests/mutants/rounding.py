"""Faults in how numbers are rounded and clipped: quantizers, clips, half precision, TF32."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qvm_verify.networks.blocks import BasicBlock
from qvm_verify.snn import QuantizedActivation, convert
from tests.mutants.dynamics import Pair
from tests.mutants.neurons import PlainNeuron, replace_module
from tests.mutants.registry import UNSEEN, fault, faulty_neuron
from tests.mutants.subjects import (
    digits_floor,
    digits_of_many_levels,
    digits_round,
    ladder_floor,
    ladder_round,
    tiny_floor,
    tiny_round,
)

# Rounding mode


@fault("rounding mode", ladder_round, "first")
def half_to_even_converted_like_half_up(ann: nn.Module, snn: nn.Module) -> Pair:
    ann.first.quantizer = "round_half_even"
    return ann, snn


@fault("rounding mode", tiny_round, "act")
def round_converted_like_ceil(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, convert(ann, v_init=1.0)


@fault("rounding mode", digits_floor, "act3")
def one_site_quantizes_by_ceil_and_is_converted_like_floor(ann: nn.Module, snn: nn.Module) -> Pair:
    ann.act3.quantizer = "ceil"
    return ann, snn


@faulty_neuron("rounding mode", ladder_round, "second")
class RoundsTiesToEven(PlainNeuron):
    def forward(self, x: Tensor) -> Tensor:
        z = x * self.time_steps / self.threshold
        return self.rate(torch.round(z).clamp(0, self.time_steps))


@faulty_neuron("rounding mode", digits_round, "act2")
class RoundsItsCurrentToSevenBits(PlainNeuron):
    def current(self, x: Tensor, t: int) -> Tensor:
        return torch.round(x * 128) / 128


# Clip order


@faulty_neuron("clip order", digits_floor, "act2")
class ClipsThePotentialBeforeTheReset(PlainNeuron):
    def integrate(self, v: Tensor, current: Tensor) -> Tensor:
        return super().integrate(v, current).clamp(max=float(self.threshold))


@faulty_neuron("clip order", tiny_floor, "block.act1")
class ClipsTheCurrentAtOneBeforeItIsScaled(PlainNeuron):
    def current(self, x: Tensor, t: int) -> Tensor:
        return x.clamp(0, 1)


@faulty_neuron("clip order", digits_round, "act1")
class ClipsTheCountOneTooLow(PlainNeuron):
    def rate(self, count: Tensor) -> Tensor:
        return super().rate(count.clamp(max=self.time_steps - 1))


class _ClipsBeforeItQuantizes(QuantizedActivation):
    """Rounds what is already clipped at the last level but one."""

    def level(self, x: Tensor) -> Tensor:
        z = (x * self.levels / self.threshold).clamp(0, self.levels - 0.5)
        return torch.floor(z)


@fault("clip order", digits_floor, "act1", replays="UNSEEN", why=UNSEEN)
def an_activation_that_clips_below_its_last_level(ann: nn.Module, snn: nn.Module) -> Pair:
    broken = _ClipsBeforeItQuantizes(8, "floor", float(ann.act1.threshold))
    return replace_module(ann, "act1", broken), snn


class _AddsBehindTheSite(BasicBlock):
    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act2(self.conv2(self.act1(self.conv1(x)))) + self.shortcut(x)
        return out


@fault("clip order", tiny_floor, "block.act2", shows="end-to-end")
def fires_before_the_shortcut_is_added(ann: nn.Module, snn: nn.Module) -> Pair:
    _become(snn, "block", _AddsBehindTheSite)
    return ann, snn


# Lower precision between the sites


class _In(nn.Module):
    """A layer whose inputs, weights and sum are of another dtype."""

    def __init__(self, layer: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.layer, self.dtype = layer.to(dtype), dtype

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x.to(self.dtype)).to(x.dtype)
        return out


class _Accumulates(nn.Conv2d):
    """A convolution that rounds its sum to another dtype after every channel."""

    dtype = torch.float16

    def forward(self, x: Tensor) -> Tensor:
        assert self.bias is not None
        total = self.bias.reshape(1, -1, 1, 1).to(self.dtype)
        for k in range(self.in_channels):
            one = F.conv2d(x[:, k : k + 1], self.weight[:, k : k + 1], padding=self.padding)
            total = (total + one).to(self.dtype)
        return total.to(x.dtype)


def tf32(x: Tensor) -> Tensor:
    """Return x with a mantissa of 10 bits, rounded to nearest, ties to even: what a tensor core reads."""
    bits = x.view(torch.int32)
    odd = (bits >> 13) & 1
    return ((bits + 0xFFF + odd) & ~0x1FFF).view(torch.float32)


class _TF32Conv(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(tf32(x), tf32(self.weight), self.bias, padding=self.padding)


class _TF32Linear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(tf32(x), tf32(self.weight), self.bias)


def _become(network: nn.Module, name: str, kind: type[nn.Module]) -> None:
    network.get_submodule(name).__class__ = kind


@fault("float16 accumulation", digits_floor, "act1", shows="end-to-end")
def a_convolution_in_float16(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, replace_module(snn, "conv1", _In(snn.conv1, torch.float16))


@fault("float16 accumulation", digits_floor, "act2", shows="end-to-end")
def a_sum_rounded_to_float16_after_every_channel(ann: nn.Module, snn: nn.Module) -> Pair:
    _become(snn, "conv2", _Accumulates)
    return ann, snn


@fault("bfloat16 accumulation", digits_round, "act1", shows="end-to-end")
def a_convolution_in_bfloat16(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, replace_module(snn, "conv1", _In(snn.conv1, torch.bfloat16))


@fault("bfloat16 accumulation", digits_round, "act1", shows="end-to-end")
def every_weight_stored_in_bfloat16(ann: nn.Module, snn: nn.Module) -> Pair:
    for layer in (snn.conv1, snn.conv2, snn.fc, snn.head):
        layer.weight.copy_(layer.weight.bfloat16())
    return ann, snn


@fault("TF32 accumulation", digits_floor, "act1", shows="end-to-end")
def convolutions_in_tf32(ann: nn.Module, snn: nn.Module) -> Pair:
    _become(snn, "conv1", _TF32Conv)
    _become(snn, "conv2", _TF32Conv)
    return ann, snn


@fault("TF32 accumulation", digits_of_many_levels, "act3", shows="end-to-end")
def a_linear_layer_in_tf32(ann: nn.Module, snn: nn.Module) -> Pair:
    _become(snn, "fc", _TF32Linear)
    return ann, snn


@fault(
    "TF32 accumulation", digits_floor, "(output)", shows="end-to-end", replays="none", why="no neuron differs"
)
def the_last_layer_in_tf32(ann: nn.Module, snn: nn.Module) -> Pair:
    _become(snn, "head", _TF32Linear)
    return ann, snn


# Lower precision inside a neuron


@faulty_neuron("float16 accumulation", ladder_floor, "first")
class IntegratesInFloat16(PlainNeuron):
    def integrate(self, v: Tensor, current: Tensor) -> Tensor:
        return (v.half() + current.half()).float()


@faulty_neuron("bfloat16 accumulation", digits_floor, "act3")
class IntegratesInBfloat16(PlainNeuron):
    def integrate(self, v: Tensor, current: Tensor) -> Tensor:
        return (v + current).bfloat16().float()


@faulty_neuron("TF32 accumulation", ladder_round, "first")
class IntegratesInTf32(PlainNeuron):
    def integrate(self, v: Tensor, current: Tensor) -> Tensor:
        return tf32(v + current)


class _Cast(nn.Module):
    """A whole network in half precision, for a caller who knows nothing of it."""

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network, self.dtype = network.to(dtype), dtype

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.network(x.to(self.dtype)).to(x.dtype)
        return out


@fault("float16 accumulation", digits_floor, "act1", shows="end-to-end")
def the_whole_network_in_float16(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, _Cast(snn, torch.float16).eval()


@fault("bfloat16 accumulation", digits_floor, "act1", shows="end-to-end")
def the_whole_network_in_bfloat16(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, _Cast(snn, torch.bfloat16).eval()
