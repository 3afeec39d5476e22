"""Faults between the sites: pooling, shortcuts, layers in the wrong place, biases, what was left behind."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qvm_verify.networks.blocks import BasicBlock
from qvm_verify.snn import convert
from tests.audit.foreign import With
from tests.mutants.dynamics import Pair
from tests.mutants.neurons import PlainNeuron, replace_module
from tests.mutants.registry import NO_NEURON, fault, faulty_neuron
from tests.mutants.subjects import digits_floor, digits_round, tiny_floor, tiny_round

# Max-pool over spikes


@fault("max-pool over spikes", tiny_floor, "block.act1", shows="end-to-end")
def pools_the_spikes_of_each_step(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, convert(ann, currents="streaming")


class _AnySpike(nn.Module):
    """Sends on a spike where any neuron of the window fired, as if all fired evenly from the start."""

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d((x > 0).to(x.dtype), 2) * x.amax()


@fault("max-pool over spikes", tiny_floor, "block.act1", shows="end-to-end")
def pools_whether_any_neuron_fired(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, replace_module(snn, "pool", _AnySpike())


@fault("max-pool over spikes", tiny_round, "block.act1", shows="end-to-end")
def average_pool_for_max_pool(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, replace_module(snn, "pool", nn.AvgPool2d(2))


@fault("max-pool over spikes", digits_floor, "act3", shows="end-to-end")
def max_pool_for_average_pool(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, replace_module(snn, "pool", nn.MaxPool2d(2))


# Dropped residual


class _WithoutShortcut(BasicBlock):
    def shortcut_of(self, x: Tensor, inner: Tensor) -> Tensor:
        return torch.zeros_like(x)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.act1(self.conv1(x))
        out: Tensor = self.act2(self.conv2(inner) + self.shortcut_of(x, inner))
        return out


class _ShortcutTwice(_WithoutShortcut):
    def shortcut_of(self, x: Tensor, inner: Tensor) -> Tensor:
        return x + x


class _ShortcutOfTheInnerSite(_WithoutShortcut):
    def shortcut_of(self, x: Tensor, inner: Tensor) -> Tensor:
        return inner


class _ShortcutOfBareSpikes(_WithoutShortcut):
    def shortcut_of(self, x: Tensor, inner: Tensor) -> Tensor:
        return x / 1.5


@fault("dropped residual", tiny_floor, "block.act2", shows="end-to-end")
def shortcut_dropped(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.block.__class__ = _WithoutShortcut
    return ann, snn


@fault("dropped residual", tiny_round, "block.act2", shows="end-to-end")
def shortcut_added_twice(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.block.__class__ = _ShortcutTwice
    return ann, snn


@fault("dropped residual", tiny_floor, "block.act2", shows="end-to-end")
def shortcut_taken_behind_the_first_site(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.block.__class__ = _ShortcutOfTheInnerSite
    return ann, snn


@fault("dropped residual", tiny_round, "block.act2", shows="end-to-end")
def shortcut_of_spikes_not_scaled(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.block.__class__ = _ShortcutOfBareSpikes
    return ann, snn


# Swapped layers


@fault("swapped layers", tiny_floor, "block.act1", shows="end-to-end")
def both_convolutions_of_a_block(ann: nn.Module, snn: nn.Module) -> Pair:
    block = snn.block
    block.conv1, block.conv2 = block.conv2, block.conv1
    return ann, snn


@fault("swapped layers", digits_floor, "act1")
def two_neurons_of_other_thresholds(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.act1, snn.act2 = snn.act2, snn.act1
    return ann, snn


@fault("swapped layers", digits_round, "act2", shows="end-to-end")
def two_channels(ann: nn.Module, snn: nn.Module) -> Pair:
    order = [1, 0, 2, 3]
    snn.conv2.weight.copy_(snn.conv2.weight[order])
    return ann, snn


@fault("swapped layers", digits_floor, "(output)", shows="end-to-end", replays="none", why=NO_NEURON)
def two_classes(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.head.weight[[0, 1]] = snn.head.weight[[1, 0]]
    return ann, snn


@fault("swapped layers", digits_floor, "act1", shows="end-to-end")
def batch_norm_before_its_convolution(ann: nn.Module, snn: nn.Module) -> Pair:
    norm = snn.norm
    snn.norm = nn.Identity().eval()
    first = nn.BatchNorm2d(1)
    first.load_state_dict(
        {key: value[:1] if value.dim() else value for key, value in norm.state_dict().items()}
    )
    return ann, replace_module(snn, "conv1", nn.Sequential(first, snn.conv1))


# Bias added per step or once


def _bias(snn: nn.Module, name: str, factor: float) -> None:
    snn.get_submodule(name).bias.mul_(factor)


@fault("bias added per step or once", digits_floor, "act2", shows="end-to-end")
def a_bias_spread_over_the_steps(ann: nn.Module, snn: nn.Module) -> Pair:
    _bias(snn, "conv2", 1 / 8)
    return ann, snn


@fault("bias added per step or once", digits_round, "act3", shows="end-to-end")
def a_bias_added_once_for_each_step(ann: nn.Module, snn: nn.Module) -> Pair:
    _bias(snn, "fc", 4)
    return ann, snn


@fault("bias added per step or once", tiny_floor, "act", shows="end-to-end")
def a_bias_left_out(ann: nn.Module, snn: nn.Module) -> Pair:
    _bias(snn, "stem.0", 0)
    return ann, snn


@fault(
    "bias added per step or once", digits_floor, "(output)", shows="end-to-end", replays="none", why=NO_NEURON
)
def the_last_bias_spread_over_the_steps(ann: nn.Module, snn: nn.Module) -> Pair:
    _bias(snn, "head", 1 / 8)
    return ann, snn


@faulty_neuron("bias added per step or once", tiny_round, "block.act2")
class AddsAConstantAtTheFirstStep(PlainNeuron):
    def current(self, x: Tensor, t: int) -> Tensor:
        return x if t else x + 0.25


# Unconverted activation


BEFORE = "no count differs: the site behind it is blind to what it does, and the audit names it all the same"
LEFT = "there is no neuron to compare with, so none to replay"


@fault("unconverted activation", digits_floor, "conv2.1", shows="finding", replays="none", why=BEFORE)
def a_relu_left_behind(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, replace_module(snn, "conv2", nn.Sequential(snn.conv2, nn.ReLU()))


@fault("unconverted activation", digits_round, "act2", shows="finding", replays="none", why=LEFT)
def a_quantized_activation_left_behind(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, replace_module(snn, "act2", ann.act2)


@fault("unconverted activation", tiny_floor, "(network)", shows="finding", replays="none", why=NO_NEURON)
def a_function_call_behind_the_last_layer(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, With(snn, torch.tanh)


@fault("unconverted activation", tiny_round, "stem.2", shows="finding")
def a_clip_as_a_function(ann: nn.Module, snn: nn.Module) -> Pair:
    class Clip(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.clamp(0.1, 0.9)

    snn.stem.append(Clip().eval())
    return ann, snn
