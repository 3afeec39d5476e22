"""Counterexamples, collected where M and N disagree and replayed before anybody sees them."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from qvm_verify.audit.setting import NUMPY_DTYPES, Setting, decode_counts, decode_levels, per_step
from qvm_verify.audit.sites import Pair
from qvm_verify.audit.statistics import Observation
from qvm_verify.replay import run_on_reference
from qvm_verify.report.model import Mode
from qvm_verify.verdict import Counterexample

PER_SITE = 8
"""How many are kept for each site and mode; the rest is counted only."""


class Collector:
    """Keeps the first counterexamples of every site and mode, in the order of the images."""

    def __init__(self) -> None:
        self.counterexamples: list[Counterexample] = []
        self.not_replayed: list[str] = []
        self._kept: dict[tuple[str, Mode], int] = {}

    def add(
        self, pair: Pair, mode: Mode, setting: Setting, seen: Observation, neuron: nn.Module, first_input: int
    ) -> None:
        """Replay and keep counterexamples of one batch whose first image has the number `first_input`.

        `neuron` is a fresh copy of the neuron. What does not replay is not kept, and is reported.
        """
        room = PER_SITE - self._kept.get((pair.name, mode), 0)
        for place in seen.mismatches(setting).nonzero()[: max(0, room)]:
            self._kept[pair.name, mode] = self._kept.get((pair.name, mode), 0) + 1
            index = tuple(int(i) for i in place)
            counterexample = self._build(pair, mode, setting, seen, index, first_input)
            if _replays_on_torch(pair.activation, neuron, setting, seen, index):
                self.counterexamples.append(counterexample)
            else:
                self.not_replayed.append(
                    f"{counterexample}: a fresh copy, on the same currents alone, decides otherwise"
                )

    def _build(
        self,
        pair: Pair,
        mode: Mode,
        setting: Setting,
        seen: Observation,
        index: tuple[int, ...],
        first_input: int,
    ) -> Counterexample:
        dtype = NUMPY_DTYPES[seen.level.dtype]
        current = float(seen.activation_current[index])
        currents = [float(step[index]) for step in per_step(seen.current, setting)]
        level, spike_count = run_on_reference(
            dtype=dtype,
            quantizer=setting.quantizer,
            levels=setting.levels,
            activation_threshold=setting.activation_threshold,
            activation_current=current,
            threshold=setting.threshold,
            v_init=setting.v_init,
            firing=setting.firing,
            reset=setting.reset,
            currents=currents,
        )
        m = float(seen.level[index])
        return Counterexample(
            id=f"C{len(self.counterexamples) + len(self.not_replayed) + 1}",
            mode=mode,
            site=pair.name,
            input=first_input + index[0],
            neuron=index[1:],
            dtype=dtype,
            quantizer=setting.quantizer,
            levels=setting.levels,
            activation_threshold=setting.activation_threshold.hex(),
            activation_current=current.hex(),
            threshold=setting.threshold.hex(),
            v_init=setting.v_init.hex(),
            time_steps=setting.time_steps,
            firing=setting.firing,
            reset=setting.reset,
            currents=tuple(value.hex() for value in currents),
            level=None if m != m else int(m),
            spike_count=int(seen.spike_count[index]),
            reference_level=level,
            reference_spike_count=spike_count,
        )


def _replays_on_torch(
    activation: nn.Module, neuron: nn.Module, setting: Setting, seen: Observation, index: tuple[int, ...]
) -> bool:
    """Tell whether both modules, alone with this one neuron's input, give the same M and N again."""

    def alone(x: Tensor) -> Tensor:
        """Return one entry with all axes kept, so that the module sees the rank that it is used to."""
        return x[tuple(slice(i, i + 1) for i in index)]

    currents = torch.cat([alone(step) for step in per_step(seen.current, setting)])
    level, _ = decode_levels(activation(alone(seen.activation_current)), setting)
    count, _ = decode_counts(copy.deepcopy(neuron)(currents if setting.streaming else currents[:1]), setting)
    same_level = torch.equal(level.nan_to_num(-1.0), alone(seen.level).nan_to_num(-1.0))
    return same_level and torch.equal(count, alone(seen.spike_count))
