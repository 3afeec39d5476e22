"""VGG-16 with batch-norm."""

from __future__ import annotations

from torch import Tensor, nn

from qvm_verify.networks.blocks import VARIANTS, Pooling, Variant, activations, check_choice, conv_bn, pool
from qvm_verify.snn import Quantizer

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""The widths of the convolutions; a pooling follows each stage."""
HIDDEN = 4096


class VGG16(nn.Module):
    """Thirteen convolutions in five stages, and three linear layers: fifteen sites.

    Pooling follows the activation. The linear layers see 1x1 pixels for CIFAR (images of 32x32) and 7x7 for
    ImageNet, whatever the size of the images. Raises ValueError on an unknown variant or pooling.
    """

    def __init__(
        self,
        *,
        levels: int,
        quantizer: Quantizer,
        classes: int,
        variant: Variant = "cifar",
        pooling: Pooling = "average",
        channels: int = 3,
    ) -> None:
        super().__init__()
        check_choice(variant, "variant", VARIANTS)
        activation = activations(levels, quantizer)
        self.stages = nn.Sequential()
        inputs = channels
        for widths in STAGES:
            stage = nn.Sequential()
            for outputs in widths:
                stage.extend([conv_bn(inputs, outputs, bias=True), activation()])
                inputs = outputs
            self.stages.append(stage.append(pool(pooling, 2, stride=2)))
        size = 1 if variant == "cifar" else 7
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(size),
            nn.Flatten(),
            nn.Linear(inputs * size**2, HIDDEN),
            activation(),
            nn.Dropout(),
            nn.Linear(HIDDEN, HIDDEN),
            activation(),
            nn.Dropout(),
            nn.Linear(HIDDEN, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map images [batch, channels, height, width] to class scores [batch, classes]."""
        out: Tensor = self.head(self.stages(x))
        return out
