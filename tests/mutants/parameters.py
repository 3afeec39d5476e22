"""Faults in parameters: batch-norm, and checkpoints with one number edited."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify.folding import fold_batch_norm
from tests.mutants.dynamics import Pair
from tests.mutants.neurons import replace_module
from tests.mutants.registry import NO_NEURON, fault, words
from tests.mutants.settings import moved
from tests.mutants.subjects import digits_floor, digits_round, ladder_floor, tiny_floor

# Batch-norm stale or in train mode


@fault("batch-norm stale or in train mode", digits_floor, "act1", shows="end-to-end")
def statistics_never_loaded(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.norm.reset_running_stats()
    return ann, snn


@fault("batch-norm stale or in train mode", tiny_floor, "block.act2", shows="end-to-end")
def a_mean_of_an_earlier_epoch(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.block.conv2[1].running_mean.add_(0.25)
    return ann, snn


@fault("batch-norm stale or in train mode", digits_round, "act1", shows="end-to-end")
def a_variance_of_an_earlier_epoch(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.norm.running_var.mul_(0.9)
    return ann, snn


@fault("batch-norm stale or in train mode", digits_floor, "act1", shows="end-to-end")
def one_in_train_mode(ann: nn.Module, snn: nn.Module) -> Pair:
    snn.norm.train()
    return ann, snn


@fault("batch-norm stale or in train mode", digits_round, "act1", shows="end-to-end")
def all_in_train_mode(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, snn.train()


# Batch-norm folded wrongly


Folding = Callable[[Any], tuple[Tensor, Tensor]]
"""Takes a batch-norm; returns the factor and the shift of each channel."""


def folded_wrongly(folding: Folding) -> Folding:
    """Enter a wrong way to fold, done to the first convolution of a digits network."""

    def plant(ann: nn.Module, snn: nn.Module) -> Pair:
        scale, shift = folding(snn.norm)
        snn.conv1.weight.mul_(scale.reshape(-1, 1, 1, 1))
        snn.conv1.bias.copy_(scale * snn.conv1.bias + shift)
        return ann, replace_module(snn, "norm", nn.Identity())

    name = words(folding.__name__)
    fault("batch-norm folded wrongly", digits_floor, "act1", shows="end-to-end", name=name)(plant)
    return folding


@folded_wrongly
def by_the_variance_without_its_root(norm: Any) -> tuple[Tensor, Tensor]:
    scale = norm.weight / (norm.running_var + norm.eps)
    return scale, norm.bias - scale * norm.running_mean


@folded_wrongly
def with_the_mean_of_the_wrong_sign(norm: Any) -> tuple[Tensor, Tensor]:
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias + scale * norm.running_mean


@folded_wrongly
def with_a_mean_that_is_not_scaled(norm: Any) -> tuple[Tensor, Tensor]:
    return norm.weight / torch.sqrt(norm.running_var + norm.eps), norm.bias - norm.running_mean


@folded_wrongly
def with_another_epsilon(norm: Any) -> tuple[Tensor, Tensor]:
    scale = norm.weight / torch.sqrt(norm.running_var + 1e-2)
    return scale, norm.bias - scale * norm.running_mean


@fault("batch-norm folded wrongly", digits_round, "act1", shows="end-to-end")
def folded_and_left_in_place(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, replace_module(fold_batch_norm(snn), "norm", snn.norm)


@fault("batch-norm folded wrongly", tiny_floor, "block.act1", shows="end-to-end")
def folded_into_the_other_convolution_of_a_block(ann: nn.Module, snn: nn.Module) -> Pair:
    first, second = snn.block.conv1, snn.block.conv2
    first[1], second[1] = second[1], first[1]
    return ann, fold_batch_norm(snn)


# A checkpoint edited in one number


def _edit(snn: nn.Module, key: str, index: tuple[int, ...], change: Callable[[Tensor], Tensor]) -> nn.Module:
    """Write the state dict, change one number of it, and load it again."""
    state = {name: value.clone() for name, value in snn.state_dict().items()}
    state[key][index] = change(state[key][index])
    snn.load_state_dict(state)
    return snn


@fault("checkpoint edited in one weight", ladder_floor, "second", shows="end-to-end")
def a_weight_one_ulp_lower(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, _edit(snn, "between.weight", (0, 0), lambda w: moved(w, -1))


@fault("checkpoint edited in one weight", digits_floor, "act2", shows="end-to-end")
def the_sign_of_a_weight(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, _edit(snn, "conv2.weight", (1, 2, 1, 1), torch.neg)


@fault("checkpoint edited in one weight", digits_round, "act3", shows="end-to-end")
def the_lowest_bit_of_an_exponent(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, _edit(
        snn, "fc.weight", (3, 20), lambda w: (w.view(torch.int32) ^ (1 << 23)).view(torch.float32)
    )


@fault("checkpoint edited in one weight", digits_floor, "act1", shows="end-to-end")
def a_weight_zeroed(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, _edit(snn, "conv1.weight", (0, 0, 1, 1), torch.zeros_like)


@fault("checkpoint edited in one weight", tiny_floor, "block.act1", shows="end-to-end")
def a_batch_norm_weight(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, _edit(snn, "block.conv1.1.weight", (0,), lambda w: w + 0.125)


@fault("checkpoint edited in one weight", digits_round, "act2")
def a_bit_of_a_threshold(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, _edit(
        snn, "act2.threshold", (), lambda w: (w.view(torch.int32) ^ (1 << 20)).view(torch.float32)
    )


@fault(
    "checkpoint edited in one weight",
    digits_floor,
    "(output)",
    shows="end-to-end",
    replays="none",
    why=NO_NEURON,
)
def the_last_bit_of_a_weight_behind_the_last_site(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, _edit(snn, "head.weight", (0, 4), lambda w: (w.view(torch.int32) ^ 1).view(torch.float32))


@fault("checkpoint edited in one weight", digits_floor, "act3", shows="end-to-end")
def a_weight_that_is_no_number(ann: nn.Module, snn: nn.Module) -> Pair:
    return ann, _edit(snn, "fc.bias", (5,), lambda w: torch.full_like(w, math.nan))
