"""A small residual network for the 8x8 handwritten digits of scikit-learn."""

from __future__ import annotations

from torch import Tensor, nn

from qvm_verify.networks.blocks import BasicBlock, conv_bn
from qvm_verify.snn import QuantizedActivation, Quantizer


class DigitsCNN(nn.Module):
    """Stem, residual block, pooling, residual block with a projected shortcut, pooling: five sites."""

    def __init__(self, *, levels: int, quantizer: Quantizer, classes: int) -> None:
        super().__init__()

        def activation() -> QuantizedActivation:
            return QuantizedActivation(levels, quantizer, threshold=2.0)

        self.stem = conv_bn(1, 16)
        self.act = activation()
        self.block1 = BasicBlock(16, 16, activation=activation)
        self.pool = nn.AvgPool2d(2)
        self.block2 = BasicBlock(16, 32, activation=activation)
        self.head = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(32 * 2 * 2, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Map images [batch, 1, 8, 8] to class scores [batch, classes]."""
        out: Tensor = self.head(self.block2(self.pool(self.block1(self.act(self.stem(x))))))
        return out
