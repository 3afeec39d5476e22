"""A counterexample under the settings of a network as it is now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qvm_verify.exits import InputError
from qvm_verify.verdict import Case, Counterexample

if TYPE_CHECKING:
    from torch import nn


class ConvertedNetwork:
    """A checkpoint and its conversion by Algorithm 1, site by site."""

    def __init__(self, path: Path) -> None:
        from qvm_verify import networks, snn

        self._path = path
        ann = networks.load(path)
        self._activations: dict[str, nn.Module] = dict(ann.named_modules())
        self._neurons: dict[str, nn.Module] = dict(snn.convert(ann).named_modules())

    def case(self, c: Counterexample) -> Case:
        """Return a counterexample under the settings that its site has here, on the ANN's own current.

        That is the current which the conversion by Algorithm 1 delivers as long as no earlier site differs;
        what an earlier site of the network that was audited sent on belongs to that network. Raises
        InputError where the site is none here.
        """
        from qvm_verify.snn import IFNeuron, QuantizedActivation

        name = c.site.partition("#")[0]
        activation, neuron = self._activations.get(name), self._neurons.get(name)
        if not (isinstance(activation, QuantizedActivation) and isinstance(neuron, IFNeuron)):
            raise InputError(f"{self._path}: has no site {name!r}, of which {c.id} speaks")
        return replace(
            c,
            quantizer=activation.quantizer,
            levels=activation.levels,
            activation_threshold=float(activation.threshold.detach()).hex(),
            threshold=float(neuron.threshold.detach()).hex(),
            v_init=float(neuron.v_init.detach()).hex(),
            time_steps=neuron.time_steps,
            firing=neuron.firing,
            reset=neuron.reset,
            currents=(c.activation_current,) * neuron.time_steps,
        )
