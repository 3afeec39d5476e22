"""PyTorch's values against the NumPy reference, on a random sample.

Activations and neurons are compared bit for bit: each of their operations is rounded the same way on both
sides. A convolution or linear layer sums in an order of its own, so its output is compared with the exact
sum of the same products, within a bound that holds for every order, with or without fused multiply-add:
|error| <= γ_n Σ |w x| + n η, with γ_n = n u / (1 - n u), n terms, unit roundoff u and the smallest normal
number η (kernels may flush what is below it). Half precision is summed in float32 and rounded to half
twice at most, for the sum and for the bias: γ_n of float32 plus 2 u of the half dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qvm_verify import reference
from qvm_verify.audit.mergeable import Count, LargestFloat, Mergeable, Names, Sentences
from qvm_verify.audit.setting import NUMPY_DTYPES, Setting, per_step
from qvm_verify.audit.statistics import Observation
from qvm_verify.report.model import ReferenceAgreement

NEURONS_PER_BATCH = 64
SUMS_PER_LAYER = 4


@dataclass
class ReferenceStatistics(Mergeable):
    """How much was held against the reference, and where it computes something else."""

    neurons: Count = 0
    neuron_mismatches: Count = 0
    sums: Count = 0
    sums_outside: Count = 0
    worst: LargestFloat = 0.0
    unchecked: Names = ()
    disagreements: Sentences = ()

    def result(self) -> ReferenceAgreement:
        """Return the counts for the report."""
        return ReferenceAgreement(
            neurons_checked=self.neurons,
            neuron_mismatches=self.neuron_mismatches,
            sums_checked=self.sums,
            sums_outside_bound=self.sums_outside,
            worst_share_of_bound=self.worst,
            unchecked=self.unchecked,
        )


class ReferenceCheck:
    """Samples what PyTorch computes in one batch; `seed` and the number of the batch decide the sample."""

    def __init__(self, seed: int, batch: int) -> None:
        self._random = np.random.default_rng([seed, batch])
        self._first = batch == 0
        self.statistics = ReferenceStatistics()

    def pick(self, entries: int) -> Tensor:
        """Return which of a site's entries are held against the reference."""
        return torch.from_numpy(self._random.choice(entries, min(entries, NEURONS_PER_BATCH), replace=False))

    def neurons(self, name: str, seen: Observation, setting: Setting) -> None:
        """Compare activations and neurons of one site bit for bit, on entries that were picked [k]."""
        dtype = NUMPY_DTYPES[seen.level.dtype]

        def sample(x: Tensor) -> np.ndarray[Any, Any]:
            return _array(x)

        number = np.dtype(dtype).type
        with np.errstate(over="ignore", invalid="ignore"):
            activation = reference.activation(
                sample(seen.activation_current),
                threshold=number(setting.activation_threshold),
                levels=setting.levels,
                quantizer=setting.quantizer,
            )
            currents = np.stack([sample(current) for current in per_step(seen.current, setting)])
            run = reference.simulate(
                currents,
                v_init=number(setting.v_init),
                parameters=reference.IFParameters(number(setting.threshold), setting.firing, setting.reset),
            )
            rate = reference.scaled_rate(
                run.spike_count, threshold=number(setting.threshold), time_steps=setting.time_steps
            )
        different = _bits_differ(sample(seen.activation), activation)
        different |= sample(seen.spike_count) != run.spike_count
        if not setting.streaming:
            different |= _bits_differ(sample(seen.scaled_rate), rate)
        mismatches = int(different.sum())
        sentence = f"{name}: {mismatches} of {len(different)} sampled neurons differ from the reference"
        self.statistics.merge(
            ReferenceStatistics(
                neurons=len(different),
                neuron_mismatches=mismatches,
                disagreements=(sentence,) if mismatches else (),
            )
        )

    def watch_sums(self, network: nn.Module, label: str) -> ExitStack:
        """Check a sample of the outputs of every convolution and linear layer while the stack is open.

        The exact sums are slow, so only the first batch of an audit is looked at.
        """
        stack = ExitStack()
        for name, module in network.named_modules() if self._first else ():
            if isinstance(module, nn.Linear | nn.modules.conv._ConvNd):
                hook = self._hook(f"{label} {name or '(network)'}")
                stack.callback(module.register_forward_hook(hook).remove)
        return stack

    def _hook(self, name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            self._sample_sums(name, module, inputs[0], output)

        return hook

    def _sample_sums(self, name: str, module: nn.Module, x: Tensor, output: Tensor) -> None:
        if not all(torch.isfinite(tensor).all() for tensor in (x, *module.parameters())):
            return  # an infinite sum has no error to bound; the sites count such values
        for _ in range(SUMS_PER_LAYER):
            index = tuple(int(self._random.integers(size)) for size in output.shape)
            terms = _terms(module, x, index)
            if terms is None:
                self.statistics.merge(ReferenceStatistics(unchecked=(name,)))
                return
            share = _share_of_bound(float(output[index]), terms, output.dtype)
            sentence = f"{name}: output {list(index)} is {share:.3g} times its error bound off"
            self.statistics.merge(
                ReferenceStatistics(
                    sums=1,
                    sums_outside=int(share > 1),
                    worst=share,
                    disagreements=(sentence,) if share > 1 else (),
                )
            )


def _array(x: Tensor) -> np.ndarray[Any, Any]:
    """Return the same numbers in NumPy, which has no bfloat16: each of them is a float32, too."""
    return np.asarray(x.float().cpu() if x.dtype is torch.bfloat16 else x.cpu())


def _bits_differ(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return where two float arrays differ in bits, NaN with any payload being one value."""
    same = (a == b) & (np.signbit(a) == np.signbit(b)) & (a.dtype == b.dtype)
    return np.asarray(~(same | (np.isnan(a) & np.isnan(b))))


Products = list[tuple[Fraction, Fraction]]


def _terms(module: nn.Module, x: Tensor, index: tuple[int, ...]) -> Products | None:
    """Return the (weight, input) pairs whose products one output sums; None for a layer not modelled."""
    if isinstance(module, nn.Linear):
        inputs, weight = x[index[:-1]], module.weight[index[-1]]
        channel = index[-1]
    elif (
        isinstance(module, nn.Conv2d)
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
    ):
        batch, channel, row, column = index
        per_group = module.out_channels // module.groups
        first = channel // per_group * (module.in_channels // module.groups)
        channels = _array(x[batch, first : first + module.in_channels // module.groups])
        image = reference.pad_images(channels[None], module.padding)  # type: ignore[arg-type]
        windows = reference.sliding_windows(image, module.kernel_size, module.stride, module.dilation)  # type: ignore[arg-type]
        inputs, weight = torch.tensor(windows[0, :, row, column]), module.weight[channel]
    else:
        return None
    pairs = zip(weight.flatten().tolist(), inputs.flatten().tolist(), strict=True)
    terms = [(Fraction(w), Fraction(value)) for w, value in pairs]
    if module.bias is not None:
        terms.append((Fraction(float(module.bias[channel])), Fraction(1)))
    return terms


def _share_of_bound(value: float, terms: Products, dtype: torch.dtype) -> float:
    """Return |value - exact sum| as a share of its bound; infinite for a value that is not finite."""
    if not abs(value) < float("inf"):
        return float("inf")
    products = [w * x for w, x in terms]
    error = abs(Fraction(value) - sum(products))
    return float(error / _summation_bound(products, dtype))


def _summation_bound(products: list[Fraction], dtype: torch.dtype) -> Fraction:
    n = len(products)
    half = torch.finfo(dtype).bits == 16
    unit = Fraction(torch.finfo(torch.float32 if half else dtype).eps) / 2
    relative = n * unit / (1 - n * unit)
    if half:
        relative += Fraction(torch.finfo(dtype).eps)
    return relative * sum(map(abs, products)) + n * Fraction(torch.finfo(dtype).smallest_normal)
