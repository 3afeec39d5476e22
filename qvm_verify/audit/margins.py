"""How close a current comes to a decision boundary, counted in representable numbers (ulp)."""

from __future__ import annotations

import torch
from torch import Tensor

from qvm_verify import reference
from qvm_verify.audit.setting import NUMPY_DTYPES, Setting

_BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def ordinals(x: Tensor) -> Tensor:
    """Return the place of each float among all floats of its dtype, 0 for both zeros, as int64.

    Neighbouring floats are 1 apart, so differences count representable numbers.
    """
    bits = x.contiguous().view(_BITS[x.element_size()])
    lowest = torch.iinfo(bits.dtype).min  # the bit pattern of -0.0
    return torch.where(bits < 0, lowest - bits, bits).long()


class Margins:
    """The decision boundaries of one activation, ready to measure distances to them."""

    def __init__(self, setting: Setting, dtype: torch.dtype, device: torch.device) -> None:
        boundaries = reference.decision_boundaries(
            threshold=setting.activation_threshold,
            levels=setting.levels,
            quantizer=setting.quantizer,
            dtype=NUMPY_DTYPES[dtype],
        )
        self._boundaries = ordinals(torch.from_numpy(boundaries).to(device))

    def smallest(self, current: Tensor) -> int:
        """Return the fewest representable numbers from any current to the nearest boundary.

        0 is a current on a boundary, the smallest float of its level; 1 the largest float below it.
        """
        # Differences of float64 ordinals may not fit int64; so far below 0 no boundary is near anyway.
        places = ordinals(current).flatten().clamp(min=-(1 << 60))
        above = torch.searchsorted(self._boundaries, places, right=True)
        last = len(self._boundaries) - 1
        nearest = torch.minimum(
            (places - self._boundaries[(above - 1).clamp(min=0)]).abs(),
            (self._boundaries[above.clamp(max=last)] - places).abs(),
        )
        return int(nearest.min())
