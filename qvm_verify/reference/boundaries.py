"""Where the level rises: the decision boundaries of a quantized activation in floating point."""

from __future__ import annotations

from typing import Any

import numpy as np

from qvm_verify.reference.quantizers import Quantizer, level

_BITS = {2: np.int16, 4: np.int32, 8: np.int64}


def decision_boundaries(
    *, threshold: Any, levels: int, quantizer: Quantizer, dtype: Any
) -> np.ndarray[Any, Any]:
    """Return, for k = 1 ... L, the smallest float x of `dtype` with level(x) >= k.

    All L boundaries are bisected together over the bit patterns of the non-negative floats, which are in
    the order of the floats. That finds them because each rounded operation of the level is monotone, the
    level of 0 is 0, and the level of infinity is L. `threshold` must be positive.
    """
    dtype = np.dtype(dtype)
    bits = _BITS[dtype.itemsize]
    gamma = dtype.type(threshold)
    below = np.zeros(levels, dtype=bits)
    above = np.full(levels, np.array(np.inf, dtype).view(bits), dtype=bits)
    wanted = np.arange(1, levels + 1)
    while (above - below > 1).any():
        middle = below + (above - below) // 2
        with np.errstate(over="ignore", invalid="ignore"):
            found = level(middle.view(dtype), threshold=gamma, levels=levels, quantizer=quantizer)
        reached = found >= wanted
        above, below = np.where(reached, middle, above), np.where(reached, below, middle)
    result: np.ndarray[Any, Any] = above.astype(bits).view(dtype)
    return result
