"""The networks by name, and what it takes to build one again from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from qvm_verify.networks.digits import DigitsCNN
from qvm_verify.snn import Quantizer


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Which network, with which quantized activations."""

    name: str
    levels: int
    quantizer: Quantizer
    classes: int


BUILDERS: dict[str, Callable[..., nn.Module]] = {"digits_cnn": DigitsCNN}
"""Every network: a class that takes `levels`, `quantizer` and `classes`."""


def build(architecture: Architecture) -> nn.Module:
    """Return a freshly initialized network that remembers its architecture.

    Raises ValueError on an unknown name or values that no activation can have.
    """
    if architecture.name not in BUILDERS:
        raise ValueError(f"unknown architecture {architecture.name!r}; one of {', '.join(sorted(BUILDERS))}")
    network = BUILDERS[architecture.name](
        levels=architecture.levels, quantizer=architecture.quantizer, classes=architecture.classes
    )
    network.architecture = architecture  # type: ignore[assignment]  # nn.Module types attributes as tensors
    return network


def architecture_of(network: nn.Module) -> Architecture | None:
    """Return what `build` made `network` from, None for a network of another origin."""
    architecture = getattr(network, "architecture", None)
    return architecture if isinstance(architecture, Architecture) else None


def digits_cnn(*, levels: int = 8, quantizer: Quantizer = "round", classes: int = 10) -> nn.Module:
    """Return the small residual network for 8x8 digits, untrained."""
    return build(Architecture(name="digits_cnn", levels=levels, quantizer=quantizer, classes=classes))
