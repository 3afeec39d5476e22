"""Building blocks that the networks share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn import functional as F

from qvm_verify.snn import QuantizedActivation, Quantizer

ActivationFactory = Callable[[], nn.Module]
"""Makes one activation; a network calls it once for every site."""

Variant = Literal["cifar", "imagenet"]
Pooling = Literal["average", "max"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)


def activations(levels: int, quantizer: Quantizer, threshold: float = 4.0) -> ActivationFactory:
    """Return a factory of quantized activations; behind batch-norm few inputs exceed 4 before training."""
    return lambda: QuantizedActivation(levels, quantizer, threshold)


def conv_bn(
    inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, bias: bool = False
) -> nn.Sequential:
    """Return a padded convolution and batch-norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=bias),
        nn.BatchNorm2d(outputs),
    )


def pool(pooling: Pooling, kernel: int, *, stride: int, padding: int = 0) -> nn.Module:
    """Return a pooling layer, average or max. Raises ValueError on any other."""
    check_choice(pooling, "pooling", POOLINGS)
    kind = nn.AvgPool2d if pooling == "average" else nn.MaxPool2d
    return kind(kernel, stride=stride, padding=padding)


def check_choice(choice: str, name: str, choices: tuple[str, ...]) -> None:
    """Raise ValueError unless `choice` is one of `choices`."""
    if choice not in choices:
        raise ValueError(f"unknown {name} {choice!r}; one of {', '.join(choices)}")


class PaddedShortcut(nn.Module):
    """A shortcut without parameters: every other pixel, and channels of zeros on both sides.

    Option A of He et al., Deep Residual Learning, Section 4.2.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.stride, self.padding = stride, (outputs - inputs) // 2

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, inputs, height, width] to [batch, outputs, height / stride, width / stride]."""
        strided = x[:, :, :: self.stride, :: self.stride]
        return F.pad(strided, (0, 0, 0, 0, self.padding, self.padding))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; the last activation sees the sum of the two streams.

    Where the shapes of the two differ, the shortcut is a 1x1 convolution, or padded with zeros.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        stride: int = 1,
        activation: ActivationFactory,
        padded: bool = False,
    ) -> None:
        super().__init__()
        self.conv1 = conv_bn(inputs, outputs, stride=stride)
        self.act1 = activation()
        self.conv2 = conv_bn(outputs, outputs)
        self.shortcut: nn.Module
        if stride == 1 and inputs == outputs:
            self.shortcut = nn.Identity()
        elif padded:
            self.shortcut = PaddedShortcut(inputs, outputs, stride=stride)
        else:
            self.shortcut = conv_bn(inputs, outputs, kernel=1, stride=stride)
        self.act2 = activation()

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, inputs, height, width] to [batch, outputs, height / stride, width / stride]."""
        out: Tensor = self.act2(self.conv2(self.act1(self.conv1(x))) + self.shortcut(x))
        return out
