"""How close a current comes to a decision boundary, counted in representable numbers (ulp)."""

from __future__ import annotations

import torch
from torch import Tensor

from qvm_verify import reference
from qvm_verify.audit.setting import NUMPY_DTYPES, Setting
from qvm_verify.snn.ordinals import to_ordinals


class Margins:
    """The decision boundaries of one activation, ready to measure distances to them."""

    def __init__(self, setting: Setting, dtype: torch.dtype, device: torch.device) -> None:
        boundaries = reference.decision_boundaries(
            threshold=setting.activation_threshold,
            levels=setting.levels,
            quantizer=setting.quantizer,
            dtype=NUMPY_DTYPES[dtype],
        )
        self.places = to_ordinals(torch.from_numpy(boundaries).to(device))

    def distances(self, current: Tensor) -> Tensor:
        """Return, flat, how many representable numbers lie from each current to the nearest boundary.

        0 is a current on a boundary, the smallest float of its level; 1 the largest float below it.
        """
        # Differences of float64 ordinals may not fit int64; so far below 0 no boundary is near anyway.
        places = to_ordinals(current).flatten().clamp(min=-(1 << 60))
        above = torch.searchsorted(self.places, places, right=True)
        last = len(self.places) - 1
        return torch.minimum(
            (places - self.places[(above - 1).clamp(min=0)]).abs(),
            (self.places[above.clamp(max=last)] - places).abs(),
        )


def histogram_of(distances: Tensor, times: Tensor | None = None) -> Tensor:
    """Return how many distances d have ⌊log2(d + 1)⌋ = 0, 1, 2, ..., as 64 counts.

    Each distance counts once, or as often as `times` says.
    """
    exponents = torch.log2(distances.double() + 1).floor().long().clamp(max=63)
    return torch.bincount(exponents, times, minlength=64).long()  # exact: the sums stay below 2^53
