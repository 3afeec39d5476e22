"""The networks by name, and what it takes to build one again from a checkpoint."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from torch import nn

from qvm_verify.networks.blocks import Pooling, Variant
from qvm_verify.networks.digits import DigitsCNN
from qvm_verify.networks.mnist import MnistCNN
from qvm_verify.networks.resnet import ResNet
from qvm_verify.networks.vgg import VGG16
from qvm_verify.snn import Quantizer


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Which network, with which quantized activations; None is what the network does by default."""

    name: str
    levels: int
    quantizer: Quantizer
    classes: int
    variant: Variant | None = None  # of stem and head: for images of CIFAR's size, or of ImageNet's
    pooling: Pooling | None = None  # that changes the size; the last one, over all pixels, is an average
    channels: int | None = None  # of the images

    def header(self) -> dict[str, Any]:
        """Return what there is to be said, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "digits_cnn": DigitsCNN,
    "mnist_cnn": MnistCNN,
    "resnet18": partial(ResNet, blocks=(2, 2, 2, 2)),
    "resnet20": partial(ResNet, blocks=(3, 3, 3), width=16),
    "resnet20_option_a": partial(ResNet, blocks=(3, 3, 3), width=16, padded=True),
    "resnet32_option_a": partial(ResNet, blocks=(5, 5, 5), width=16, padded=True),
    "resnet34": partial(ResNet, blocks=(3, 4, 6, 3)),
    "vgg16": VGG16,
}
"""Every network: a class that takes `levels`, `quantizer` and `classes`, and what of the rest it can."""


def choices_of(name: str) -> frozenset[str]:
    """Return what can be chosen about a network: "variant", "pooling", ... by the names of its arguments."""
    return frozenset(inspect.signature(BUILDERS[name]).parameters)


def build(architecture: Architecture) -> nn.Module:
    """Return a freshly initialized network that remembers its architecture.

    Raises ValueError on an unknown name or values that no activation can have, TypeError on a choice that
    the network does not offer.
    """
    if architecture.name not in BUILDERS:
        raise ValueError(f"unknown architecture {architecture.name!r}; one of {', '.join(sorted(BUILDERS))}")
    choices = architecture.header()
    network = BUILDERS[choices.pop("name")](**choices)
    network.architecture = architecture  # type: ignore[assignment]  # nn.Module types attributes as tensors
    return network


def architecture_of(network: nn.Module) -> Architecture | None:
    """Return what `build` made `network` from, None for a network of another origin."""
    architecture = getattr(network, "architecture", None)
    return architecture if isinstance(architecture, Architecture) else None


def digits_cnn(*, levels: int = 8, quantizer: Quantizer = "round", classes: int = 10) -> nn.Module:
    """Return the small residual network for 8x8 digits, untrained: 5 sites."""
    return build(Architecture(name="digits_cnn", levels=levels, quantizer=quantizer, classes=classes))


def mnist_cnn(*, levels: int = 8, quantizer: Quantizer = "round", classes: int = 10) -> nn.Module:
    """Return the network of sinabs' MNIST weights, without biases or batch-norm, untrained: 4 sites."""
    return build(Architecture(name="mnist_cnn", levels=levels, quantizer=quantizer, classes=classes))


def vgg16(
    *,
    levels: int = 8,
    quantizer: Quantizer = "round",
    classes: int = 100,
    variant: Variant = "cifar",
    pooling: Pooling = "average",
    channels: int = 3,
) -> nn.Module:
    """Return VGG-16 with batch-norm, untrained: 15 sites.

    `variant="imagenet"` has linear layers for 7x7 pixels. Raises ValueError on values it cannot have.
    """
    return _image_network("vgg16", levels, quantizer, classes, variant, pooling, channels)


def resnet18(
    *,
    levels: int = 8,
    quantizer: Quantizer = "round",
    classes: int = 100,
    variant: Variant = "cifar",
    pooling: Pooling = "average",
    channels: int = 3,
) -> nn.Module:
    """Return ResNet-18, untrained: 17 sites; with `channels=2` for frames of events, on and off.

    `variant="imagenet"` has a 7x7 stem of stride 2 and pools it. Raises ValueError on values it cannot have.
    """
    return _image_network("resnet18", levels, quantizer, classes, variant, pooling, channels)


def resnet34(
    *,
    levels: int = 8,
    quantizer: Quantizer = "round",
    classes: int = 1000,
    variant: Variant = "imagenet",
    pooling: Pooling = "average",
    channels: int = 3,
) -> nn.Module:
    """Return ResNet-34, untrained: 33 sites.

    `variant="imagenet"` has a 7x7 stem of stride 2 and pools it. Raises ValueError on values it cannot have.
    """
    return _image_network("resnet34", levels, quantizer, classes, variant, pooling, channels)


def resnet20(
    *,
    levels: int = 8,
    quantizer: Quantizer = "round",
    classes: int = 100,
    variant: Variant = "cifar",
    pooling: Pooling = "average",
    channels: int = 3,
) -> nn.Module:
    """Return ResNet-20 of widths 16, 32, 64 with 1x1 convolutions as shortcuts, untrained: 19 sites.

    `variant="imagenet"` has a 7x7 stem of stride 2 and pools it. Raises ValueError on values it cannot have.
    """
    return _image_network("resnet20", levels, quantizer, classes, variant, pooling, channels)


def resnet20_option_a(*, levels: int = 8, quantizer: Quantizer = "round", classes: int = 10) -> nn.Module:
    """Return ResNet-20 with shortcuts without parameters (He et al., option A), untrained: 19 sites."""
    return build(Architecture(name="resnet20_option_a", levels=levels, quantizer=quantizer, classes=classes))


def resnet32_option_a(*, levels: int = 8, quantizer: Quantizer = "round", classes: int = 10) -> nn.Module:
    """Return ResNet-32 with shortcuts without parameters (He et al., option A), untrained: 31 sites."""
    return build(Architecture(name="resnet32_option_a", levels=levels, quantizer=quantizer, classes=classes))


def _image_network(
    name: str,
    levels: int,
    quantizer: Quantizer,
    classes: int,
    variant: Variant,
    pooling: Pooling,
    channels: int,
) -> nn.Module:
    return build(
        Architecture(
            name=name,
            levels=levels,
            quantizer=quantizer,
            classes=classes,
            variant=variant,
            pooling=pooling,
            channels=channels,
        )
    )
