"""Floats in their order, as integers: neighbouring floats are 1 apart.

-0.0 is the number below 0.0, at -1; the floats from -inf to inf lie between `ordinal_range`'s ends, and
what lies beyond them is NaN, so that every bit pattern has a place.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

GUESS = 64
"""How many floats around a guessed place are looked at first."""

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

    `holds` takes a float for each of `number` conditions, each of which goes on holding once it does. A good
    `guess` saves most of the evaluations; a bad one costs two.
    """
    lowest, highest = ordinal_range(dtype)
    below = torch.full((number,), lowest - 1, device=device)  # as if nothing held there
    above = torch.full((number,), highest + 1, device=device)  # and everything here

    def reached(places: Tensor) -> Tensor:
        return holds(to_floats(places, dtype))

    if guess is not None and len(guess) == number:
        near = torch.tensor(guess, device=device)
        low, high = (near - GUESS).clamp(min=lowest), (near + GUESS).clamp(max=highest)
        below = torch.where(reached(low), below, low)
        above = torch.where(reached(high), high, above)
    while True:
        # The mean of two integers whose sum may not fit.
        middle = (below & above) + ((below ^ above) >> 1)
        undecided = middle > below
        if not bool(undecided.any()):
            return above
        hit = reached(torch.where(undecided, middle, lowest))
        above = torch.where(undecided & hit, middle, above)
        below = torch.where(undecided & ~hit, middle, below)
