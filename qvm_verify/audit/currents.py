"""Constant against streaming currents on the same ANN: what the expected current of Eq. 9 is good for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qvm_verify import snn
from qvm_verify.audit.sites import Call, find_sites, is_activation, is_neuron, run_observed
from qvm_verify.exits import mishap
from qvm_verify.report.model import CurrentsComparison, ErrorStatistics, SiteComparison
from qvm_verify.snn import IFNeuron, QuantizedActivation


@torch.no_grad()
def compare_currents(ann: nn.Module, images: Tensor) -> CurrentsComparison | None:
    """Return the unevenness error of every site under both kinds of currents (Eq. 5, Figure 3).

    Both conversions are those of Algorithm 1, whatever is being audited: T = L, θ = γ, V0 matched. Of
    `images`, the first len(images) / T are looked at, so that streaming, which holds all time-steps at once,
    needs no more memory than the audit of the whole batch. None where a site is no `QuantizedActivation`, a
    threshold is not positive, the sites differ in L, or the network does not run on streams.
    """
    activations = find_sites(ann, is_activation)
    own = {name: site for name, site in activations.items() if type(site) is QuantizedActivation}
    thresholds = {name: float(site.threshold) for name, site in own.items()}
    steps = {site.levels for site in own.values()}
    if len(own) != len(activations) or len(steps) != 1 or min(thresholds.values()) <= 0:
        return None
    time_steps = steps.pop()
    few = images[: max(1, len(images) // time_steps)]
    levels: list[tuple[str, Tensor]] = []

    def on_activation(call: Call, x: Tensor, output: Tensor) -> None:
        levels.append((str(call), _whole(output, thresholds[call.name], time_steps)))

    try:
        run_observed(ann, activations, few, on_activation)
        errors = [_errors(ann, few, currents, levels, time_steps) for currents in snn.CURRENTS]
    except (RuntimeError, ValueError, IndexError) as error:
        if mishap(error):
            raise  # at another time there is a comparison, and the report would be another
        return None  # somebody's network that does not bear a batch T times as long
    return CurrentsComparison(
        images=len(few),
        sites=tuple(
            SiteComparison(site=name, **dict(zip(snn.CURRENTS, both, strict=True)))
            for (name, _), *both in zip(levels, *errors, strict=True)
        ),
    )


def _errors(
    ann: nn.Module, images: Tensor, currents: snn.Currents, levels: list[tuple[str, Tensor]], time_steps: int
) -> list[ErrorStatistics]:
    spiking = snn.convert(ann, currents=currents)
    neurons = find_sites(spiking, is_neuron)
    expected = iter([level for _, level in levels])  # a conversion calls its sites in the ANN's order
    errors: list[ErrorStatistics] = []

    def on_neuron(call: Call, x: Tensor, output: Tensor) -> None:
        neuron = neurons[call.name]
        assert isinstance(neuron, IFNeuron)
        rate = output
        if currents == "streaming":
            rate = output.reshape(time_steps, -1, *output.shape[1:]).sum(0) / time_steps
        level = next(expected, None)
        if level is None:
            raise ValueError(f"{call} is called more often than in the ANN")
        difference = (_whole(rate, float(neuron.threshold), time_steps) - level).abs()
        unit = float(neuron.threshold) / time_steps
        # Whole numbers are summed, so that the mean is the same on every machine.
        total = int(difference.long().sum())
        errors.append(
            ErrorStatistics(mean=unit * total / difference.numel(), max=unit * int(difference.max()))
        )

    run_observed(spiking, neurons, images, on_neuron)
    if len(errors) != len(levels):
        raise ValueError("the spiking network calls fewer sites than the ANN")
    return errors


def _whole(output: Tensor, threshold: float, steps: int) -> Tensor:
    """Return M or N as read off a = (θ / T) M; what is no number counts as 0 on both sides."""
    return (output.double() * steps / threshold).round().nan_to_num(0.0)
