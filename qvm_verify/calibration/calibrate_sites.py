"""One pass of the data through the ReLU network, and a threshold for every site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from qvm_verify.calibration.histogram import CurrentHistogram
from qvm_verify.calibration.squared_error import least_squares_threshold
from qvm_verify.exits import InputError
from qvm_verify.snn import QuantizedActivation

Method = Literal["max", "percentile", "mse"]
METHODS: tuple[Method, ...] = get_args(Method)

Batch = Tensor | tuple[Tensor, Tensor] | list[Tensor]


@torch.no_grad()
def calibrate(
    network: nn.Module,
    batches: Iterable[Batch],
    *,
    method: Method = "max",
    percentile: float = 99.9,
) -> dict[str, float]:
    """Set the threshold γ of every `QuantizedActivation` from data, in place; return them by site.

    The network runs once over `batches` of images (or of (images, labels)) in evaluation mode, with every
    activation a ReLU: all sites are measured on the float network, none behind a quantized one.

    - "max": γ = max x, so that nothing is clipped;
    - "percentile": γ such that `percentile` % of the positive currents do not exceed it, to within 2^-10;
    - "mse": γ that minimizes E[(relu(x) - a_γ(x))²] for the site's own levels and quantizer.

    The order of the images does not matter. Raises InputError for an unknown method or a percentile outside
    (0, 100], where the network has no `QuantizedActivation` or the data no image, and, naming the site, for
    one whose currents are not finite or never positive; the thresholds are then as they were.
    """
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}; one of {', '.join(METHODS)}")
    if not 0 < percentile <= 100:
        raise InputError(f"percentile must be above 0 and at most 100, got {percentile!r}")
    sites = {
        name or "(network)": module
        for name, module in network.named_modules()
        if isinstance(module, QuantizedActivation)
    }
    if not sites:
        raise InputError(f"{type(network).__name__} has no QuantizedActivation to calibrate")
    histograms, images = _measure(network, sites, batches)
    thresholds = {}
    for name, histogram in histograms.items():
        if histogram.maximum <= 0:
            raise InputError(
                f"site {name!r} saw no positive current in {images} images, so no threshold fits it"
            )
        thresholds[name] = _threshold(histogram, sites[name], method, percentile)
    for name, threshold in thresholds.items():
        sites[name].threshold.fill_(threshold)
    return {name: site.threshold.item() for name, site in sites.items()}


def _threshold(
    histogram: CurrentHistogram, site: QuantizedActivation, method: Method, percentile: float
) -> float:
    if method == "max":
        return histogram.maximum
    if method == "percentile":
        return histogram.percentile(percentile)
    return least_squares_threshold(histogram, site.levels, site.quantizer)


def _measure(
    network: nn.Module, sites: dict[str, QuantizedActivation], batches: Iterable[Batch]
) -> tuple[dict[str, CurrentHistogram], int]:
    """Return the currents of every site of the ReLU network, and the number of images."""
    histograms = {name: CurrentHistogram() for name in sites}
    images = 0
    with _evaluated(network), ExitStack() as stack:
        for name, site in sites.items():
            hook = _relu_that_counts(name, histograms[name])
            stack.callback(site.register_forward_hook(hook).remove)
        for batch in batches:
            x = batch if isinstance(batch, Tensor) else batch[0]
            if len(x):
                network(x)
                images += len(x)
    if not images:
        raise InputError("the data holds no image to calibrate on")
    return histograms, images


def _relu_that_counts(name: str, histogram: CurrentHistogram) -> Callable[..., Tensor]:
    """Return a forward hook that counts the currents of a site and puts ReLU's output in place of its own."""

    def hook(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        (x,) = inputs
        if not torch.isfinite(x).all():
            raise InputError(f"site {name!r} received a current that is not finite")
        histogram.add(x)
        return torch.relu(x)

    return hook


@contextmanager
def _evaluated(network: nn.Module) -> Iterator[None]:
    """Put every module into evaluation mode, and back into its own at the end."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
