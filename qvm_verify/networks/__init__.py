"""The networks, and their checkpoints."""

from qvm_verify.networks.architectures import (
    Architecture,
    architecture_of,
    build,
    digits_cnn,
    resnet18,
    resnet20,
    resnet20_option_a,
    resnet32_option_a,
    resnet34,
    vgg16,
)
from qvm_verify.networks.checkpoint import load, save

__all__ = [
    "Architecture",
    "architecture_of",
    "build",
    "digits_cnn",
    "load",
    "resnet18",
    "resnet20",
    "resnet20_option_a",
    "resnet32_option_a",
    "resnet34",
    "save",
    "vgg16",
]
