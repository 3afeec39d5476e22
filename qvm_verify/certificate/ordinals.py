"""Floats in their order, as integers: neighbouring floats are 1 apart.

-0.0 is the number below 0.0, at -1; the floats from -inf to inf lie between `ordinal_range`'s ends, and
what lies beyond them is NaN, so that every bit pattern has a place.
"""

from __future__ import annotations

import torch
from torch import Tensor

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
