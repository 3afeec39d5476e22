"""The threshold of the smallest mean squared error between ReLU and its quantization."""

from __future__ import annotations

import torch

from qvm_verify.calibration.histogram import CurrentHistogram
from qvm_verify.snn import QuantizedActivation, Quantizer

PER_OCTAVE = 32
OCTAVES = 8


@torch.no_grad()
def least_squares_threshold(histogram: CurrentHistogram, levels: int, quantizer: Quantizer) -> float:
    """Return the γ that minimizes E[(relu(x) - a_γ(x))²] on the currents x of a site.

    a_γ(x) = (γ / L) · clip(Q(x · L / γ), 0, L) is the site's quantized activation (Eq. 4). The search is
    over γ = x_max · 2^(-k / 32), k = 0 ... 256, from the largest current to its 256th part; of equal errors
    the largest γ wins. Currents that are not positive add nothing to the error, since both terms are 0; the
    others are known to within 2^-11 of themselves (`CurrentHistogram`).
    """
    currents, counts = histogram.occupied()
    best_error, best = float("inf"), histogram.maximum
    for k in range(PER_OCTAVE * OCTAVES + 1):
        threshold = histogram.maximum * 2.0 ** (-k / PER_OCTAVE)
        activation = QuantizedActivation(levels, quantizer, threshold).double()
        error = float((counts * (currents - activation(currents)) ** 2).sum())
        if error < best_error:
            best_error, best = error, threshold
    return best
