"""Floats in their order, as integers: neighbouring floats are 1 apart.

-0.0 is the number below 0.0, at -1; the floats from -inf to inf lie between `ordinal_range`'s ends, and
what lies beyond them is NaN, so that every bit pattern has a place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

GUESS = 31
"""How many floats to either side of a guessed place are looked at first."""

PARTS_LOG2 = 6
"""A search cuts into 64 parts at once: a function of a few hundred floats takes as long as one of a few."""

BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def to_ordinals(x: Tensor) -> Tensor:
    """Return the place of each float among all floats of its dtype, as int64."""
    bits = x.contiguous().view(BITS[x.element_size()])
    return _mirrored(bits).long()


def to_floats(ordinals: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the floats of `dtype` at the given places, the inverse of `to_ordinals`."""
    return _mirrored(ordinals.to(BITS[dtype.itemsize])).view(dtype)


def _mirrored(bits: Tensor) -> Tensor:
    """Turn sign and magnitude into two's complement, and back."""
    return torch.where(bits < 0, bits ^ torch.iinfo(bits.dtype).max, bits)


@cache
def ordinal_range(dtype: torch.dtype) -> tuple[int, int]:
    """Return the places of -inf and inf."""
    ends = to_ordinals(torch.tensor([-torch.inf, torch.inf], dtype=dtype))
    return int(ends[0]), int(ends[1])


def ordinal(value: float, dtype: torch.dtype) -> int:
    """Return the place of one float."""
    return int(to_ordinals(torch.tensor(value, dtype=dtype)))


def first_holding(
    holds: Callable[[Tensor], Tensor],
    number: int,
    dtype: torch.dtype,
    device: torch.device,
    guess: list[int] | None = None,
) -> Tensor:
    """Return the place of the first float on which each condition holds, one past inf where it never does.

    `holds` takes floats of shape (places, number), a column for each of `number` conditions, and returns
    booleans of that shape; a condition goes on holding once it does. A good `guess` saves most of the
    evaluations; a bad one costs one.
    """
    lowest, highest = ordinal_range(dtype)
    below = torch.full((number,), lowest - 1, device=device)  # as if nothing held there
    above = torch.full((number,), highest + 1, device=device)  # and everything here

    def narrowed(places: Tensor) -> tuple[Tensor, Tensor]:
        """Return the ends of the part in which each condition begins to hold; the places ascend."""
        places = places.clamp(lowest, highest)
        held = holds(to_floats(places, dtype))
        ends = torch.cat([below[None], places, above[None]])
        missed = (~held).sum(0, keepdim=True)
        return ends.gather(0, missed)[0], ends.gather(0, missed + 1)[0]

    if guess is not None and len(guess) == number:
        around = torch.arange(-GUESS, GUESS + 1, device=device)[:, None]
        below, above = narrowed(torch.tensor(guess, device=device) + around)
    cuts = torch.arange(1, 1 << PARTS_LOG2, device=device)[:, None]
    while bool((above - below != 1).any()):  # the difference may wrap around, but not to 1
        width = ((above >> PARTS_LOG2) - (below >> PARTS_LOG2)).clamp(min=1)
        below, above = narrowed(torch.minimum(below + cuts * width, above - 1))
    return above
