"""Each implementation beside itself: as a module that is activation and neuron at once, and as a callable."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qvm_verify import reference
from qvm_verify.audit import verify
from qvm_verify.certificate import certify
from qvm_verify.snn import LoopNeuron, QuantizedActivation, StepNeuron, convert
from tests.mutants.subjects import (
    around_boundaries,
    digits_floor,
    ladder_floor,
    ladder_round,
    tiny_floor,
    tiny_round,
)
from tests.small_networks import TinyNetwork, as_reference, dyadic_images

THRESHOLD, LEVELS = 1.5, 4


@dataclass(frozen=True)
class Compared:
    """What came of an implementation beside itself."""

    inputs: int
    lossless: bool
    how: str


class BothAtOnce(nn.Module):
    """A site that presents itself as an activation and as a neuron: it can be audited against itself."""

    def __init__(self, compute: Callable[[Tensor], Tensor], quantizer: str) -> None:
        super().__init__()
        self.compute, self.quantizer = compute, quantizer
        self.levels = self.time_steps = LEVELS
        self.threshold = THRESHOLD
        self.v_init = THRESHOLD * float(reference.MATCHED_V_INIT[quantizer])

    def forward(self, x: Tensor) -> Tensor:
        return self.compute(x)


def _activation(quantizer: str) -> QuantizedActivation:
    return QuantizedActivation(LEVELS, quantizer, THRESHOLD).requires_grad_(False)


def _neuron(quantizer: str, **otherwise: Any) -> Any:
    return convert(_activation(quantizer), **otherwise)


def _reference_activation(x: Tensor, *, quantizer: str) -> Tensor:
    number = x.numpy().dtype.type
    found = reference.activation(
        x.numpy(),
        threshold=number(THRESHOLD),
        levels=LEVELS,
        quantizer=quantizer,
    )
    return torch.from_numpy(np.asarray(found))


def _reference_neuron(x: Tensor, *, quantizer: str) -> Tensor:
    number = x.numpy().dtype.type
    run = reference.simulate(
        reference.constant_currents(x.numpy(), LEVELS),
        v_init=number(THRESHOLD * float(reference.MATCHED_V_INIT[quantizer])),
        parameters=reference.IFParameters(number(THRESHOLD)),
    )
    rate = reference.scaled_rate(run.spike_count, threshold=number(THRESHOLD), time_steps=LEVELS)
    return torch.from_numpy(np.asarray(rate, x.numpy().dtype))


def _by_audit(compute: Callable[[Tensor], Tensor], quantizer: str) -> Compared:
    """Audit a network with one such site against a copy of itself, on floats around every boundary."""
    x = around_boundaries(quantizer, LEVELS, THRESHOLD)
    with torch.no_grad():
        x = x[_activation(quantizer)(x) == _neuron(quantizer)(x)].unsqueeze(1)
    network = nn.Sequential(nn.Flatten(), BothAtOnce(compute, quantizer)).eval()
    report = verify(network, copy.deepcopy(network), [x])
    return Compared(len(x), report.verdict == "lossless", "audit")


def _by_certificate(counter: Callable[[Tensor], Tensor], method: str, dtype: torch.dtype) -> Compared:
    found = certify(
        counter,
        counter,
        threshold=THRESHOLD,
        levels=LEVELS,
        time_steps=LEVELS,
        dtype=dtype,
        method=method,
    )
    return Compared(found.inputs_checked, found.mismatches == 0, f"{method} certificate, {found.dtype}")


def _twice(subject: Any) -> Compared:
    """Audit a converted network twice: the reports must be the same, and certificates with them."""
    s = subject()
    reports = [verify(s.ann, s.spiking(s.ann), s.batches).to_json() for _ in range(2)]
    same = reports[0] == reports[1] and reports[0]["verdict"] == "lossless"
    return Compared(sum(map(len, s.batches)), same, "two audits, one report")


def _streaming(subject: Any) -> Compared:
    """Run a streaming network beside a copy of itself: its spikes have no activation to stand beside."""
    images = torch.cat(subject().batches)
    network = convert(subject().ann, currents="streaming")
    with torch.no_grad():
        same = torch.equal(network(images), copy.deepcopy(network)(images))
    return Compared(len(images), same, "bits of the scores")


def _reference_network(dtype: Any, run: Callable[[Any, Any], Any]) -> Compared:
    """Run a network of the reference on images, twice."""
    images = reference.as_dtype(dyadic_images(3).numpy(), dtype)
    first, again = (run(as_reference(TinyNetwork(), dtype), images) for _ in range(2))
    return Compared(len(images), bool(np.array_equal(first, again)), f"values in {np.dtype(dtype).name}")


def _spiking(layers: Any, images: Any) -> Any:
    return reference.run_layers(reference.convert(layers), images)


def _streamed(layers: Any, images: Any) -> Any:
    return reference.stream_layers(reference.convert(layers), images, LEVELS)


IDENTITIES: dict[str, Callable[[], Compared]] = {}
"""Every implementation beside itself, by what is compared."""

for quantizer in ("floor", "round", "round_half_even"):
    neuron = _neuron(quantizer)
    for name, compute in {
        "QuantizedActivation": _activation(quantizer).forward,
        "IFNeuron": neuron.forward,
        "StepNeuron": StepNeuron(neuron).forward,
        "LoopNeuron": LoopNeuron(neuron).forward,
        "reference activation": partial(_reference_activation, quantizer=quantizer),
        "reference neuron": partial(_reference_neuron, quantizer=quantizer),
    }.items():
        IDENTITIES[f"{name}, {quantizer}"] = partial(_by_audit, compute, quantizer)
    for name, counter in {
        "QuantizedActivation": _activation(quantizer).level,
        "IFNeuron": neuron.spike_count,
        "StepNeuron": StepNeuron(neuron).spike_count,
    }.items():
        IDENTITIES[f"boundary of {name}, {quantizer}"] = partial(
            _by_certificate, counter, "boundary", torch.float32
        )
    for name, compute in {
        "QuantizedActivation": _activation(quantizer).half().level,
        "IFNeuron": _neuron(quantizer).half().spike_count,
        "LoopNeuron": LoopNeuron(_neuron(quantizer).half()).spike_count,
    }.items():
        IDENTITIES[f"every float16 of {name}, {quantizer}"] = partial(
            _by_certificate, compute, "exhaustive", torch.float16
        )

for subject in (tiny_floor, tiny_round, digits_floor, ladder_floor, ladder_round):
    IDENTITIES[f"audit of {subject.__name__}"] = partial(_twice, subject)
for subject in (tiny_floor, digits_floor):
    IDENTITIES[f"streaming {subject.__name__}"] = partial(_streaming, subject)
for dtype in (np.float32, np.float64, object):
    IDENTITIES[f"reference network, {np.dtype(dtype).name}"] = partial(
        _reference_network, dtype, reference.run_layers
    )
    IDENTITIES[f"reference conversion, {np.dtype(dtype).name}"] = partial(_reference_network, dtype, _spiking)
    IDENTITIES[f"reference streaming, {np.dtype(dtype).name}"] = partial(_reference_network, dtype, _streamed)
