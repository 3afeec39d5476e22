"""How often each positive current occurs, in bounded memory and in no order.

A positive float32 and its bits, read as an integer, sort alike. So the upper bits of a current number its
bin: every bin is an interval of floats that agree in sign, exponent and the first 10 bits of the fraction,
2^-10 wide in relative terms. Counts are integers: neither the order of the images nor the batch size changes
what is found.
"""

from __future__ import annotations

import torch
from torch import Tensor

FRACTION_BITS = 10
DROPPED_BITS = 23 - FRACTION_BITS
BINS = 2**31 >> DROPPED_BITS


class CurrentHistogram:
    """The positive currents of one site; `maximum` is exact."""

    def __init__(self) -> None:
        self.counts = torch.zeros(BINS, dtype=torch.int64)
        self.maximum = 0.0

    def add(self, currents: Tensor) -> None:
        """Count the positive ones among finite currents of any shape; they are read as float32."""
        rectified = (
            torch.relu(currents.detach().to("cpu", torch.float32).flatten()) + 0.0
        )  # -0.0 has a sign bit
        if len(rectified):
            self.maximum = max(self.maximum, float(rectified.max()))
            self.counts += torch.bincount(rectified.view(torch.int32) >> DROPPED_BITS, minlength=BINS)
            self.counts[0] = 0  # zeros, and what is smaller than any weighted input (below 2^-136)

    @property
    def total(self) -> int:
        """The number of positive currents."""
        return int(self.counts.sum())

    def percentile(self, percent: float) -> float:
        """Return a threshold that at least `percent` % of the positive currents do not exceed.

        It is the upper end of the first bin that reaches the share, so at most 2^-10 of itself above the
        exact percentile; 100 gives the maximum.
        """
        rank = percent / 100 * self.total
        reached = int(torch.searchsorted(self.counts.cumsum(0).double(), rank))
        upper_end = _floats(torch.tensor([min(reached + 1, BINS - 1) << DROPPED_BITS]))
        return min(float(upper_end), self.maximum)

    def occupied(self) -> tuple[Tensor, Tensor]:
        """Return the middle and the count of every bin that is not empty, both float64 [bins]."""
        numbers = self.counts.nonzero().squeeze(1)
        middles = _floats((numbers << DROPPED_BITS) + 2 ** (DROPPED_BITS - 1))
        return middles.double(), self.counts[numbers].double()


def _floats(bits: Tensor) -> Tensor:
    return bits.to(torch.int32).view(torch.float32)
