"""The networks, and their checkpoints."""

from qvm_verify.networks.architectures import Architecture, architecture_of, build, digits_cnn
from qvm_verify.networks.checkpoint import load, save

__all__ = ["Architecture", "architecture_of", "build", "digits_cnn", "load", "save"]
