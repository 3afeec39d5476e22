"""The network for MNIST whose trained weights are public: those of sinabs."""

from __future__ import annotations

from torch import Tensor, nn

from qvm_verify.networks.blocks import activations
from qvm_verify.snn import Quantizer


class MnistCNN(nn.Module):
    """Three convolutions, each with average pooling after its activation, and two linear layers: four sites.

    No layer has a bias and nothing is normalized.
    """

    def __init__(self, *, levels: int, quantizer: Quantizer, classes: int) -> None:
        super().__init__()
        activation = activations(levels, quantizer)
        self.stages = nn.Sequential()
        for inputs, outputs, kernel in ((1, 20, 5), (20, 32, 5), (32, 128, 3)):
            convolution = nn.Conv2d(inputs, outputs, kernel, bias=False)
            self.stages.append(nn.Sequential(convolution, activation(), nn.AvgPool2d(2)))
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(128, 500, bias=False),
            activation(),
            nn.Linear(500, classes, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map images [batch, 1, 28, 28] to class scores [batch, classes]."""
        out: Tensor = self.head(self.stages(x))
        return out
