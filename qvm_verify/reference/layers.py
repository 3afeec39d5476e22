"""The layers that stand between spiking neurons, and residual addition, in plain NumPy.

Images are [batch, channels, height, width], vectors [batch, features]; every layer works in the arithmetic
of its arrays: float16, float32, float64, or objects holding exact `Fraction` entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Dense:
    """y = x Wᵀ + b, with W of shape [outputs, inputs]."""

    weight: Array
    bias: Array | None = None

    def __call__(self, x: Array) -> Array:
        """Map [batch, inputs] to [batch, outputs]."""
        y = x @ self.weight.T
        return y if self.bias is None else y + self.bias


@dataclass(frozen=True, kw_only=True)
class Conv2d:
    """Cross-correlation, with W of shape [outputs, inputs / groups, kernel height, kernel width]."""

    weight: Array
    bias: Array | None = None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __call__(self, x: Array) -> Array:
        """Map [batch, inputs, height, width] to [batch, outputs, height', width']."""
        windows = sliding_windows(
            pad_images(x, self.padding), self.weight.shape[2:], self.stride, self.dilation
        )
        outputs = [
            _correlate(group, weight)
            for group, weight in zip(
                np.split(windows, self.groups, axis=1), np.split(self.weight, self.groups), strict=True
            )
        ]
        y = np.concatenate(outputs, axis=1)
        return y if self.bias is None else y + self.bias[:, None, None]


def _correlate(windows: Array, weight: Array) -> Array:
    """Map windows [batch, c, h, w, kh, kw] and weight [outputs, c, kh, kw] to [batch, outputs, h, w]."""
    batch, _, height, width = windows.shape[:4]
    columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(batch, height, width, -1)
    return (columns @ weight.reshape(len(weight), -1).T).transpose(0, 3, 1, 2)


@dataclass(frozen=True, kw_only=True)
class BatchNorm:
    """Batch normalization at inference: y = (x - mean) · scale + shift, each of shape [channels].

    `scale` is weight / sqrt(variance + epsilon). It is given, not computed here, because the root is
    irrational: exact arithmetic takes the scale of the floating-point network for what it is.
    """

    mean: Array
    scale: Array
    shift: Array

    def __call__(self, x: Array) -> Array:
        """Normalize [batch, channels, ...] channel by channel."""
        shape = (-1, *[1] * (x.ndim - 2))
        return (x - self.mean.reshape(shape)) * self.scale.reshape(shape) + self.shift.reshape(shape)


@dataclass(frozen=True, kw_only=True)
class AvgPool2d:
    """The mean over windows of `kernel` pixels; windows do not overlap unless `stride` says so."""

    kernel: tuple[int, int]
    stride: tuple[int, int] | None = None

    def __call__(self, x: Array) -> Array:
        """Map [batch, channels, height, width] to [batch, channels, height', width']."""
        windows = sliding_windows(x, self.kernel, self.stride or self.kernel)
        total: Array = windows.sum(axis=(-2, -1))
        return total / (self.kernel[0] * self.kernel[1])


@dataclass(frozen=True, kw_only=True)
class MaxPool2d:
    """The maximum over windows of `kernel` pixels; windows do not overlap unless `stride` says so."""

    kernel: tuple[int, int]
    stride: tuple[int, int] | None = None

    def __call__(self, x: Array) -> Array:
        """Map [batch, channels, height, width] to [batch, channels, height', width']."""
        result: Array = sliding_windows(x, self.kernel, self.stride or self.kernel).max(axis=(-2, -1))
        return result


@dataclass(frozen=True)
class Flatten:
    """[batch, ...] to [batch, features]."""

    def __call__(self, x: Array) -> Array:
        """Keep the batch axis, flatten the rest."""
        return x.reshape(len(x), -1)


def pad_images(x: Array, padding: tuple[int, int]) -> Array:
    """Return images with `padding` rows and columns of zeros on every side."""
    height, width = padding
    return np.pad(x, [(0, 0), (0, 0), (height, height), (width, width)])


def sliding_windows(
    x: Array, kernel: tuple[int, ...], stride: tuple[int, int], dilation: tuple[int, int] = (1, 1)
) -> Array:
    """Return the windows of images, shape [batch, channels, height', width', kernel height, kernel width].

    Raises ValueError where the image is smaller than one window.
    """
    extent = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    if x.shape[2] < extent[0] or x.shape[3] < extent[1]:
        raise ValueError(
            f"images of {x.shape[2]}x{x.shape[3]} are smaller than a window of {extent[0]}x{extent[1]}"
        )
    windows = np.lib.stride_tricks.sliding_window_view(x, extent, axis=(2, 3))
    return windows[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
