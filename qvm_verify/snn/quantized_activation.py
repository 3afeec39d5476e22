"""The quantized activation of the ANN, trainable (Eq. 4)."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

Quantizer = Literal["floor", "round", "round_half_even", "ceil"]
QUANTIZERS: tuple[Quantizer, ...] = get_args(Quantizer)


class QuantizedActivation(nn.Module):
    """a = (γ / L) · clip(Q(x · L / γ), 0, L) with a trainable threshold γ (Eq. 4).

    Gradients pass straight through Q; the clip and the threshold have their own. Raises ValueError on
    levels below 1, a threshold that is not positive and finite, or an unknown quantizer.
    """

    def __init__(self, levels: int, quantizer: Quantizer, threshold: float = 1.0) -> None:
        super().__init__()
        check_count(levels, "levels")
        check_threshold(threshold)
        if quantizer not in QUANTIZERS:
            raise ValueError(f"unknown quantizer {quantizer!r}; one of {', '.join(QUANTIZERS)}")
        self.levels = levels
        self.quantizer: Quantizer = quantizer
        self.threshold = nn.Parameter(torch.tensor(float(threshold)))

    def level(self, x: Tensor) -> Tensor:
        """Return M, integer-valued in the dtype of x, for weighted inputs x of any shape (Eq. 4)."""
        z = x * self.levels / self.threshold
        # Without gradients the plain operation: the same bits, and nothing that a compiler stumbles over.
        q: Tensor = (
            StraightThrough.apply(z, self.quantizer)  # type: ignore[no-untyped-call]
            if torch.is_grad_enabled()
            else quantize(z, self.quantizer)
        )
        # ceil(-0.3) is -0.0; a level has no sign. relu keeps NaN and gives +0.0 for both zeros.
        return torch.relu(q.clamp(max=self.levels)) + 0.0

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation a, in the units of the threshold, of the shape of x."""
        return self.threshold / self.levels * self.level(x)

    def extra_repr(self) -> str:
        """Show the setting in `print(model)`."""
        return f"levels={self.levels}, quantizer={self.quantizer!r}, threshold={self.threshold.item():.6g}"


class StraightThrough(torch.autograd.Function):
    """Q forward, the identity backward."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, quantizer: Quantizer) -> Tensor:
        """Return Q(z)."""
        return quantize(z, quantizer)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Pass the gradient on unchanged."""
        return gradients[0], None


def quantize(z: Tensor, quantizer: Quantizer) -> Tensor:
    """Return Q(z), without the clip; "round" is half up, as the paper defines it (Theorem 3, Case 2)."""
    if quantizer == "floor":
        return torch.floor(z)
    if quantizer == "round":
        return torch.floor(z + 0.5)
    if quantizer == "round_half_even":
        return torch.round(z)
    return torch.ceil(z)


def check_count(count: int, name: str) -> None:
    """Raise ValueError unless `count` is an integer of at least 1."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {count!r}")


def check_threshold(threshold: float) -> None:
    """Raise ValueError unless the threshold is positive and finite."""
    if not (threshold > 0 and math.isfinite(threshold)):
        raise ValueError(f"threshold must be positive and finite, got {threshold!r}")
