"""Sound variations in how an audit is run: other batches, threads, memory formats, dtypes, settings."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from tests.mutants.registry import variation
from tests.mutants.subjects import (
    Batches,
    digits_floor,
    digits_of_half_even,
    digits_of_many_levels,
    digits_of_one_level,
    digits_round,
    foreign,
    ladder_ceil,
    ladder_ceil_of_one_level,
    ladder_floor,
    ladder_of_sixteen_levels,
    ladder_of_three_levels,
    ladder_round,
    tiny_floor,
    tiny_round,
)

Audited = tuple[nn.Module, nn.Module, Batches]

# Nothing but the faithful conversion


@variation(
    "faithful conversion",
    tiny_floor,
    tiny_round,
    digits_floor,
    digits_round,
    digits_of_many_levels,
    ladder_floor,
    ladder_round,
    ladder_ceil,
    ladder_ceil_of_one_level,
    digits_of_one_level,
    digits_of_half_even,
    ladder_of_three_levels,
    ladder_of_sixteen_levels,
    foreign,
)
def as_converted(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, batches


# Other batches


@variation("other batch size", digits_floor, tiny_round, ladder_floor)
def in_one_batch(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, [torch.cat(batches)]


@variation("other batch size", tiny_floor, foreign, digits_of_half_even)
def image_by_image(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, list(torch.cat(batches).split(1))


@variation("other batch size", digits_floor, ladder_ceil, digits_of_one_level, foreign)
def in_uneven_batches(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    images = torch.cat(batches)
    return ann, snn, [images[:1], images[1:8], images[8:]]


@variation("other batch size", digits_round, tiny_floor, ladder_of_three_levels)
def backwards(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, [batch.flip(0) for batch in reversed(batches)]


@variation("other batch size", tiny_round)
def the_same_images_again(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, [*batches, *batches]


@variation("other batch size", digits_floor)
def with_an_empty_batch(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, [batches[0][:0], *batches]


@variation("other batch size", digits_floor)
def with_labels(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, [(batch, torch.arange(len(batch)) % 10 - 1) for batch in batches]


# Other machine


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@variation("other threads", digits_floor, tiny_floor, ladder_ceil, foreign, during=lambda: _threads(2))
def on_two_threads(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, batches


@contextmanager
def _deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@variation("other kernels", digits_round, digits_floor, during=_deterministic)
def with_deterministic_algorithms(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, batches


@variation("other kernels", tiny_round, during=torch.inference_mode)
def in_inference_mode(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, batches


@variation("other kernels", tiny_floor, during=torch.enable_grad)
def with_gradients(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn.requires_grad_(), batches


if torch.cuda.is_available():

    @variation("other device", tiny_floor, tiny_round, digits_floor)
    def on_cuda(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
        return ann.cuda(), snn.cuda(), [batch.cuda() for batch in batches]


# Other memory


@variation("channels-last", tiny_floor, tiny_round)
def weights_channels_last(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn.to(memory_format=torch.channels_last), batches  # exact sums: any order will do


@variation("channels-last", digits_floor, digits_round, tiny_floor)
def both_channels_last(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    ann, snn = (network.to(memory_format=torch.channels_last) for network in (ann, snn))
    return ann, snn, [batch.contiguous(memory_format=torch.channels_last) for batch in batches]


@variation("channels-last", tiny_floor)
def images_that_are_views(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, [batch.repeat(1, 2, 1, 1)[:, :1].mT.contiguous().mT for batch in batches]


# Other numbers


@variation("other dtype", tiny_floor, tiny_round)
def in_float64(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann.double(), snn.double(), [batch.double() for batch in batches]


@variation("other dtype", tiny_floor, tiny_round)
def in_float16(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann.half(), snn.half(), [batch.half() for batch in batches]


@variation("other settings of the audit", digits_floor, seed=7)
def with_another_seed(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, batches


@variation("other settings of the audit", digits_round, certify="off")
def without_certificates(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann, snn, batches


@variation("other settings of the audit", tiny_floor, certify="exhaustive")
def by_exhaustive_certificates_in_float16(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    return ann.half(), snn.half(), [batch.half() for batch in batches]


# Through a file


@variation("through a file", digits_floor, tiny_round)
def state_dict_written_and_read(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    file = io.BytesIO()
    torch.save(snn.state_dict(), file)
    file.seek(0)
    for tensor in snn.state_dict().values():
        tensor.zero_()
    snn.load_state_dict(torch.load(file, weights_only=True))
    return ann, snn, batches


@variation("through a file", tiny_floor)
def module_written_and_read(ann: nn.Module, snn: nn.Module, batches: Batches) -> Audited:
    file = io.BytesIO()
    torch.save(snn, file)
    file.seek(0)
    return ann, torch.load(file, weights_only=False), batches
