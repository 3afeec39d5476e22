"""Activations and neurons that the certificate's tests share."""

import random
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify.certificate import Certificate, certify
from qvm_verify.snn import IFNeuron, QuantizedActivation, convert
from qvm_verify.snn.ordinals import ordinal, to_floats

LEVELS = (2, 3, 4, 6, 8, 16)


def pair(
    levels: int, quantizer: Any, threshold: float, dtype: torch.dtype = torch.float32
) -> tuple[QuantizedActivation, IFNeuron]:
    """Return an activation and the neuron that Algorithm 1 makes of it."""
    activation = QuantizedActivation(levels, quantizer, threshold).requires_grad_(False).to(dtype)
    neuron = convert(activation)
    assert isinstance(neuron, IFNeuron)
    return activation, neuron


def decide(
    activation: Any, neuron: Any, site: QuantizedActivation, method: Any, **options: Any
) -> Certificate:
    """Certify with the numbers of `site`, which `activation` and `neuron` may or may not come from."""
    settings = {
        "threshold": site.threshold.item(),
        "levels": site.levels,
        "time_steps": site.levels,
        "dtype": site.threshold.dtype,
        "method": method,
    }
    return certify(activation, neuron, **{**settings, **options})


def random_thresholds(dtype: torch.dtype, count: int, seed: int) -> list[float]:
    """Return thresholds of every magnitude that the theorem allows, as likely each."""
    info = torch.finfo(dtype)
    draw = random.Random(seed)
    places = [
        draw.randint(ordinal(info.smallest_normal, dtype), ordinal(info.max / 2, dtype)) for _ in range(count)
    ]
    return [float(x) for x in to_floats(torch.tensor(places), dtype)]


def without_method(certificate: Certificate) -> Certificate:
    """Return what a certificate says of the numbers, without how it came to say so."""
    classes = {name: found for name, found in certificate.classes.items() if name != "NaN"}
    return replace(certificate, method="boundary", rests_on="", classes=classes)


def site_certificates(ann: nn.Module, snn: nn.Module, method: Any = "boundary") -> dict[str, Certificate]:
    """Return the certificate of every site that both networks have under one name."""
    return {
        name: decide(activation, snn.get_submodule(name), activation, method)
        for name, activation in ann.named_modules()
        if isinstance(activation, QuantizedActivation)
    }


def next_up(x: Tensor) -> Tensor:
    """Return the next larger float."""
    return torch.nextafter(x, torch.full_like(x, torch.inf))
