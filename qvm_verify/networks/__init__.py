"""The networks, and their checkpoints."""

from qvm_verify.networks.architectures import (
    Architecture,
    architecture_of,
    build,
    digits_cnn,
    mnist_cnn,
    resnet18,
    resnet20,
    resnet20_option_a,
    resnet32_option_a,
    resnet34,
    vgg16,
)
from qvm_verify.networks.blocks import POOLINGS
from qvm_verify.networks.checkpoint import load, save, uncalibrated

__all__ = [
    "POOLINGS",
    "Architecture",
    "architecture_of",
    "build",
    "digits_cnn",
    "load",
    "mnist_cnn",
    "resnet18",
    "resnet20",
    "resnet20_option_a",
    "resnet32_option_a",
    "resnet34",
    "save",
    "uncalibrated",
    "vgg16",
]
