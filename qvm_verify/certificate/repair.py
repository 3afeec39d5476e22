"""Repairs: the smallest change after which N = M for every number.

Four things may move: V0 and the threshold by a few ulp of the threshold, the firing rule from U >= θ to
U > θ, and the order in which the activation computes z = x L / γ. A count that never falls equals the level
everywhere if it does so on both sides of every decision boundary, so a candidate is thrown out after 2 L
evaluations; what survives gets a certificate of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

import torch
from torch import Tensor, nn

from qvm_verify import snn
from qvm_verify.certificate.boundary import ORDERS, Order, OrderedLevel, level_steps, why_not_monotone
from qvm_verify.certificate.decide import Certificate, Method, certify
from qvm_verify.exits import InputError
from qvm_verify.snn import Firing, IFNeuron, QuantizedActivation
from qvm_verify.snn.ordinals import to_floats

V_INIT_ULPS = 32
THRESHOLD_ULPS = 4


class Candidate(NamedTuple):
    """One way to change a pair; candidates are tried in the order of their size."""

    v_init_ulps: int
    threshold_ulps: int
    firing: Firing


@dataclass(frozen=True, kw_only=True)
class Repair:
    """A change that makes a site lossless for every number, and the certificate that says so.

    A moved threshold also moves the scaled rate θ / T · N, so then N = M while φ differs from a by the same
    few ulp. Another order is a change of the ANN: its level then differs from today's on the inputs that
    fail today, and on no other.
    """

    v_init: str
    threshold: str
    firing: Firing
    order: Order
    v_init_ulps: int  # in ulp of the threshold
    threshold_ulps: int
    certificate: Certificate

    def __str__(self) -> str:
        changes = [
            f"z computed as {self.order}" if self.order != ORDERS[0] else "",
            f"V0 moved by {self.v_init_ulps:+d} ulp of θ" if self.v_init_ulps else "",
            f"θ moved by {self.threshold_ulps:+d} ulp" if self.threshold_ulps else "",
            "firing on U > θ" if self.firing == ">" else "",
        ]
        return ", ".join(change for change in changes if change)


def find_repair(
    activation: QuantizedActivation,
    neuron: IFNeuron,
    *,
    orders: tuple[Order, ...] = ORDERS,
    method: Method = "boundary",
) -> tuple[IFNeuron, Repair] | None:
    """Return the repaired neuron and its repair, None where none of the candidates is lossless.

    With "boundary" only candidates are tried whose count is proved monotone; "exhaustive" also tries the
    firing rule U > θ, of which that is not proved, and sweeps over every number. `orders` limits how z may
    be computed. Raises InputError on an unknown method.
    """
    if method not in get_args(Method):
        raise InputError(f"unknown method {method!r}; one of {', '.join(get_args(Method))}")
    with torch.no_grad():  # in the body: what a decorator wraps, mutation testing does not reach
        around = {order: _around_boundaries(activation, order) for order in orders}
        for candidate in _candidates(neuron):
            changed = _changed(neuron, candidate)
            proved_monotone = why_not_monotone(changed.spike_count) is None
            if not proved_monotone and method == "boundary":
                continue
            for order, (currents, levels) in around.items():
                if not torch.equal(changed.spike_count(currents), levels):
                    continue
                certificate = certify(
                    OrderedLevel(activation, order),
                    changed,
                    threshold=float(changed.threshold),
                    levels=activation.levels,
                    time_steps=changed.time_steps,
                    dtype=changed.threshold.dtype,
                    method="boundary" if proved_monotone else "exhaustive",
                    device=changed.threshold.device,
                )
                if certificate.mismatches == 0:
                    return changed, _repair(changed, candidate, order, certificate)
    return None


def _repair(changed: IFNeuron, candidate: Candidate, order: Order, certificate: Certificate) -> Repair:
    return Repair(
        v_init=float(changed.v_init).hex(),
        threshold=float(changed.threshold).hex(),
        firing=changed.firing,
        order=order,
        v_init_ulps=candidate.v_init_ulps,
        threshold_ulps=candidate.threshold_ulps,
        certificate=certificate,
    )


def _candidates(neuron: IFNeuron) -> Iterator[Candidate]:
    """Yield the changes from the smallest on: V0 alone, then the firing rule, then the threshold."""
    moves = sorted(range(-V_INIT_ULPS, V_INIT_ULPS + 1), key=lambda ulps: (abs(ulps), -ulps))
    firings: tuple[Firing, ...] = (neuron.firing, ">" if neuron.firing == ">=" else ">=")
    for threshold_ulps in sorted(range(-THRESHOLD_ULPS, THRESHOLD_ULPS + 1), key=abs):
        for firing in firings:
            for v_init_ulps in moves:
                yield Candidate(v_init_ulps, threshold_ulps, firing)


def _changed(neuron: IFNeuron, candidate: Candidate) -> IFNeuron:
    theta = neuron.threshold
    ulp = torch.nextafter(theta, torch.full_like(theta, torch.inf)) - theta
    return IFNeuron(
        theta + candidate.threshold_ulps * ulp,
        neuron.v_init + candidate.v_init_ulps * ulp,
        neuron.settings._replace(firing=candidate.firing),
    )


def _around_boundaries(activation: QuantizedActivation, order: Order) -> tuple[Tensor, Tensor]:
    """Return the floats on both sides of every decision boundary, and their levels."""
    level = OrderedLevel(activation, order)
    threshold = activation.threshold.detach()
    on = torch.tensor(level_steps(level, activation.levels, threshold.dtype, threshold.device))
    currents = to_floats(torch.cat([on, on - 1]).to(threshold.device), threshold.dtype)
    return currents, level(currents)


def convert(ann: nn.Module, *, repair: bool = False, **options: Any) -> nn.Module:
    """Return a spiking copy of `ann` (Algorithm 1); `qvm_verify.snn.convert` lists the options.

    With `repair`, every neuron that does not count to its activation's level for every number is replaced
    by a repaired one where there is one (`find_repair`, exhaustively, the ANN left as it is); the others
    stay, and an audit names their failing inputs. Only constant currents can be repaired: what streams is
    returned as converted.
    """
    converted = snn.convert(ann, **options)
    if not repair or isinstance(converted, snn.StreamingNetwork):
        return converted
    repaired: dict[nn.Module, nn.Module] = {}  # one that sits under two names stays shared
    for name, activation in ann.named_modules(remove_duplicate=False):
        if not isinstance(activation, QuantizedActivation):
            continue
        if activation not in repaired:
            neuron: Any = converted.get_submodule(name)
            found = find_repair(activation, neuron, orders=ORDERS[:1], method="exhaustive")
            repaired[activation] = neuron if found is None else found[0].eval()
        if not name:  # the network is one activation
            return repaired[activation]
        parent, _, child = name.rpartition(".")
        setattr(converted.get_submodule(parent), child, repaired[activation])
    return converted
