"""Building blocks that the networks share."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

ActivationFactory = Callable[[], nn.Module]
"""Makes one activation; a network calls it once for every site."""


def conv_bn(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Return a padded convolution without bias, and batch-norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; the last activation sees the sum of the two streams."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, activation: ActivationFactory) -> None:
        super().__init__()
        self.conv1 = conv_bn(inputs, outputs, stride=stride)
        self.act1 = activation()
        self.conv2 = conv_bn(outputs, outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else conv_bn(inputs, outputs, kernel=1, stride=stride)
        self.act2 = activation()

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, inputs, height, width] to [batch, outputs, height / stride, width / stride]."""
        out: Tensor = self.act2(self.conv2(self.act1(self.conv1(x))) + self.shortcut(x))
        return out
