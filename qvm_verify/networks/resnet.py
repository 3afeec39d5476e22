"""Residual networks of basic blocks: ResNet-18, 20 and 34, and ResNet-20 and 32 as first published."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from qvm_verify.networks.blocks import (
    VARIANTS,
    BasicBlock,
    Pooling,
    Variant,
    activations,
    check_choice,
    conv_bn,
    pool,
)
from qvm_verify.snn import Quantizer


class ResNet(nn.Module):
    """Stem, stages of basic blocks, the first of each later stage with stride 2, average pooling, linear.

    The stem is a 3x3 convolution for CIFAR, as in QCFS, and for ImageNet a 7x7 convolution of stride 2 and
    a 3x3 pooling of stride 2, after the activation. There is 1 site in the stem and 2 in every block. Any
    image size will do. Raises ValueError on an unknown variant or pooling.
    """

    def __init__(
        self,
        *,
        levels: int,
        quantizer: Quantizer,
        classes: int,
        blocks: tuple[int, ...],
        width: int = 64,
        variant: Variant = "cifar",
        pooling: Pooling = "average",
        channels: int = 3,
        padded: bool = False,
    ) -> None:
        super().__init__()
        check_choice(variant, "variant", VARIANTS)
        activation = activations(levels, quantizer)
        block = partial(BasicBlock, activation=activation, padded=padded)
        stem_pool = pool(pooling, 3, stride=2, padding=1)
        if variant == "cifar":
            self.stem, stem_pool = conv_bn(channels, width), nn.Identity()
        else:
            self.stem = conv_bn(channels, width, kernel=7, stride=2)
        self.act = activation()
        self.pool = stem_pool
        self.stages = nn.Sequential()
        inputs = width
        for stage, count in enumerate(blocks):
            outputs = width * 2**stage
            first = block(inputs, outputs, stride=1 if stage == 0 else 2)
            others = (block(outputs, outputs) for _ in range(count - 1))
            self.stages.append(nn.Sequential(first, *others))
            inputs = outputs
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Map images [batch, channels, height, width] to class scores [batch, classes]."""
        out: Tensor = self.head(self.stages(self.pool(self.act(self.stem(x)))))
        return out
