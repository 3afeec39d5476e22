"""Whether two modules, or two tensors, are the same to a kernel; and whether a certificate is of a site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify.certificate.boundary import why_not_monotone
from qvm_verify.certificate.decide import Certificate, certify
from qvm_verify.exits import InputError
from qvm_verify.snn import IFNeuron, QuantizedActivation
from qvm_verify.snn.ordinals import ordinal_range

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
NN_MODULE_STATE = frozenset(vars(nn.Module()))
"""What every module carries; the rest of its attributes is its configuration."""


def configuration_complaints(a: nn.Module, b: nn.Module, same: Callable[[Any, Any], bool]) -> Iterator[str]:
    """Yield how two modules of one type differ, `same` comparing what is no tensor."""
    for label, module in (("ANN", a), ("SNN", b)):
        if isinstance(module, (*BATCH_NORMS, nn.Dropout)) and module.training:
            yield f"is in training mode in the {label}"
        if isinstance(module, BATCH_NORMS) and module.running_mean is None:
            yield f"normalizes by the batch in the {label}"
    mine, theirs = ({k: v for k, v in vars(m).items() if k not in NN_MODULE_STATE} for m in (a, b))
    for key in sorted(mine.keys() | theirs.keys()):
        if key not in mine or key not in theirs or not same(mine[key], theirs[key]):
            yield f"has another {key} in the SNN: {theirs.get(key)!r}, not {mine.get(key)!r}"
    mine, theirs = _tensors(a), _tensors(b)
    for key in sorted(mine.keys() ^ theirs.keys()):
        yield f"has a {key} in one network only"
    for key in sorted(mine.keys() & theirs.keys()):
        yield from tensor_complaints(f"its {key}", mine[key], theirs[key])


def site_complaints(
    activation: nn.Module, neuron: nn.Module, certificate: Certificate | None, dtype: torch.dtype | None
) -> Iterator[str]:
    """Yield why a pair is not certified to return one and the same float."""
    if type(activation) is not QuantizedActivation or type(neuron) is not IFNeuron:
        yield (
            f"pairs {type(activation).__name__} with {type(neuron).__name__}; "
            "the theorem speaks of QuantizedActivation and IFNeuron"
        )
        return
    if neuron.time_steps != activation.levels:
        yield f"runs T = {neuron.time_steps} time-steps for L = {activation.levels} levels"
    gamma, theta = activation.threshold, neuron.threshold
    yield from tensor_complaints("its threshold", gamma, theta)
    if gamma.dim() or theta.dim() or neuron.v_init.dim():
        yield "has a threshold or V0 that is not one number"
    elif certificate is None:
        yield "has no certificate"
    elif dtype is not None:
        yield from _certificate_complaints(activation, neuron, certificate, dtype)


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's own parameters and buffers."""
    return {
        **dict(module.named_parameters(recurse=False, remove_duplicate=False)),
        **dict(module.named_buffers(recurse=False, remove_duplicate=False)),
    }


def tensor_complaints(what: str, a: Tensor, b: Tensor) -> Iterator[str]:
    """Yield how two tensors differ to a kernel, or are none that this check knows."""
    for tensor in (a, b):
        if type(tensor) not in (Tensor, nn.Parameter) or tensor.layout is not torch.strided:
            yield f"{what} is no plain tensor"
            return
    for aspect in ("dtype", "device", "shape"):
        mine, theirs = getattr(a, aspect), getattr(b, aspect)
        if mine != theirs:
            yield f"{what} has another {aspect} in the SNN: {theirs}, not {mine}"
            return
    if a.stride() != b.stride():
        yield f"{what} lies in another order in memory in the SNN, where kernels may sum in another order"
    if not torch.equal(_bits(a), _bits(b)):
        yield f"{what} differs in {int((_bits(a) != _bits(b)).any(-1).sum())} of {a.numel()} values"


def _bits(tensor: Tensor) -> Tensor:
    """Return the bytes of every value, [values, bytes]."""
    # Flat first: a 1x1 convolution's weight, channels last, is contiguous by more than one set of strides.
    values = tensor.detach().contiguous().flatten()
    return values.view(torch.uint8).reshape(len(values), tensor.element_size())


def _certificate_complaints(
    activation: QuantizedActivation, neuron: IFNeuron, certificate: Certificate, dtype: torch.dtype
) -> Iterator[str]:
    """Yield why a certificate does not say that N = M at this site.

    A certificate names neither quantizer nor V0. So the site is decided once more, by bisection where that
    is proved complete, and the certificate is of this site only if it has the same steps.
    """
    lowest, highest = ordinal_range(dtype)
    facts: dict[str, tuple[object, object]] = {
        "dtype": (certificate.dtype, str(dtype).removeprefix("torch.")),
        "threshold": (certificate.threshold, float(neuron.threshold.item()).hex()),
        "levels": (certificate.levels, activation.levels),
        "time_steps": (certificate.time_steps, neuron.time_steps),
        "inputs_checked": (certificate.inputs_checked, highest - lowest + 1),
    }
    for name, (certified, here) in facts.items():
        if certified != here:
            yield f"its certificate has {name} = {certified}, not {here}"
            return
    if certificate.mismatches:
        first = certificate.intervals[0].first
        yield f"N differs from M on {certificate.mismatches} {certificate.dtype} inputs, first at {first}"
        return
    proved = not (why_not_monotone(activation.level) or why_not_monotone(neuron.spike_count))
    try:
        again = certify(
            activation,
            neuron,
            threshold=neuron.threshold.item(),
            levels=activation.levels,
            time_steps=neuron.time_steps,
            dtype=dtype,
            method="boundary" if proved else certificate.method,
            device=neuron.threshold.device,
        )
    except InputError as error:
        yield f"its certificate cannot be tied to it: {error}"
        return
    steps = (certificate.level_steps, certificate.count_steps)
    if again.mismatches or (again.level_steps, again.count_steps) != steps:
        yield "its certificate is of another activation or neuron: the steps lie elsewhere"
