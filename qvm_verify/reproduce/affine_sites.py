"""The current of a site as an affine function of the spikes of all sites before it.

Between two quantized activations a network with folded or evaluated batch-norm and average pooling is affine:
x_j = Σ_k J_jk a_k + b_j. A spike of site k's neuron adds J_jk θ_k to the current of one time-step.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qvm_verify.exits import InputError
from qvm_verify.snn import QuantizedActivation

Array = np.ndarray[Any, Any]
ROUNDING = 1e-9  # of the largest current: far above what double precision loses


@dataclass(frozen=True, kw_only=True)
class AffineSite:
    """A sample of the neurons of one site, on every image; in double precision.

    `weight` [neurons, inputs] is J θ, what one spike of an input adds; the inputs are those that any of the
    neurons hears. `counts` [images, inputs] are the inputs' levels M; `bias` [images, neurons] is b.
    """

    name: str
    threshold: float
    v_init: float
    weight: Array
    counts: Array
    bias: Array
    level: Array  # M of the neurons, [images, neurons]


def affine_sites(
    network: nn.Module, images: Tensor, *, neurons: int, v_init: float, seed: int
) -> list[AffineSite]:
    """Return every site, with `neurons` of its neurons drawn by `seed`, or all where there are fewer.

    `v_init` is a fraction of each threshold. Raises InputError where the network has no
    `QuantizedActivation`, calls one more than once, has a threshold that is not positive, or is not affine
    between its sites, which shows in a b that differs from image to image; and on fewer than two images.
    """
    network = copy.deepcopy(network).double().eval()
    sites = {n: m for n, m in network.named_modules() if isinstance(m, QuantizedActivation)}
    if not sites:
        raise InputError(f"{type(network).__name__} has no QuantizedActivation")
    for name, site in sites.items():
        if not site.threshold.item() > 0:
            raise InputError(f"{name}: the threshold must be positive, got {site.threshold.item():g}")
    if len(images) < 2:
        raise InputError("two images at least are needed, to see that a network is affine between its sites")
    currents, levels, leaves = _run_cut(network, sites, images.double())
    rng = np.random.default_rng(seed)
    found = []
    for index, (name, site) in enumerate((name, sites[name]) for name in currents):
        current = currents[name].flatten(1)
        chosen = np.sort(rng.permutation(current.shape[1])[:neurons])
        before = list(currents)[:index]
        weight = _weights(
            current, chosen, [leaves[n] for n in before], [sites[n].threshold.item() for n in before]
        )
        heard = np.flatnonzero(np.any(weight != 0, axis=0))
        counts = np.concatenate([np.zeros((len(images), 0), int), *(levels[n] for n in before)], axis=1)
        weight, counts = weight[:, heard], counts[:, heard]
        received = current[:, chosen].detach().numpy()
        bias = received - counts @ weight.T / site.levels
        if before and np.ptp(bias, axis=0).max() > ROUNDING * np.abs(received).max():
            raise InputError(f"the current of {name} is not an affine function of the activations before it")
        found.append(
            AffineSite(
                name=name,
                threshold=site.threshold.item(),
                v_init=v_init * site.threshold.item(),
                weight=weight,
                counts=counts,
                bias=bias,
                level=levels[name][:, chosen],
            )
        )
    return found


def _run_cut(
    network: nn.Module, sites: dict[str, QuantizedActivation], images: Tensor
) -> tuple[dict[str, Tensor], dict[str, Array], dict[str, Tensor]]:
    """Run the network with every activation's output cut off from what came before it.

    Return the currents, the levels [images, neurons] and the outputs, by site.
    """
    currents: dict[str, Tensor] = {}
    levels: dict[str, Array] = {}
    leaves: dict[str, Tensor] = {}

    def hook_for(name: str) -> Any:
        def hook(site: QuantizedActivation, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            if name in currents:
                raise InputError(f"{name} is called more than once")
            currents[name] = inputs[0]
            levels[name] = site.level(inputs[0]).detach().flatten(1).numpy().astype(int)
            leaves[name] = output.detach().requires_grad_()
            return leaves[name]

        return hook

    handles = [site.register_forward_hook(hook_for(name)) for name, site in sites.items()]
    try:
        network(images)
    finally:
        for handle in handles:
            handle.remove()
    return currents, levels, leaves


def _weights(current: Tensor, chosen: Array, leaves: list[Tensor], thresholds: list[float]) -> Array:
    """Return J θ of the chosen neurons; J is the same on every image, so the first one gives it."""
    if not leaves:
        return np.zeros((len(chosen), 0))
    rows = []
    for neuron in chosen:
        gradients = torch.autograd.grad(current[0, neuron], leaves, retain_graph=True, materialize_grads=True)
        rows.append(
            torch.cat(
                [g[0].flatten() * theta for g, theta in zip(gradients, thresholds, strict=True)]
            ).numpy()
        )
    return np.stack(rows)
