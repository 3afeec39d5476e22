"""Counterexamples, collected where M and N disagree and replayed before anybody sees them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from qvm_verify.audit.setting import NUMPY_DTYPES, Setting, decode_counts, decode_levels, per_step
from qvm_verify.audit.sites import Pair
from qvm_verify.audit.slices import Slicer
from qvm_verify.audit.statistics import Observation
from qvm_verify.counterexamples import diagnose, minimize, run_on_reference, trace
from qvm_verify.report.model import Mode
from qvm_verify.verdict import Counterexample

PER_SITE = 8
"""How many are kept for each site and mode, the first by image and neuron; the rest is counted only."""


class Found(NamedTuple):
    """A counterexample as it was found, without number and explanation."""

    counterexample: Counterexample
    replayed: bool  # whether fresh modules, alone, did the same again
    at_fault: bool  # whether no earlier site differs on its image, so that nothing was propagated from one


def find_counterexamples(
    pair: Pair,
    mode: Mode,
    setting: Setting,
    seen: Observation,
    neuron: nn.Module,
    *,
    inputs: Sequence[int],
    room: int,
    diverged: frozenset[int],
) -> tuple[Found, ...]:
    """Return the first `room` counterexamples of images with the numbers `inputs`.

    `neuron` is a fresh copy of the neuron, on which each is replayed alone; `diverged` are the images on
    which an earlier site differs, end to end.
    """
    found = []
    for place in seen.mismatches(setting).nonzero()[: max(0, room)]:
        index = tuple(int(i) for i in place)
        replayed = _replays_on_torch(pair.activation, neuron, setting, seen, index)
        counterexample = _counterexample(pair, mode, setting, seen, index, inputs[index[0]])
        found.append(Found(counterexample, replayed, counterexample.input not in diverged))
    return tuple(found)


def diverging_images(seen: Observation, setting: Setting, inputs: Sequence[int]) -> frozenset[int]:
    """Return which of the images with the numbers `inputs` a site differs on."""
    images = seen.mismatches(setting).flatten(1).any(1).nonzero().flatten().tolist()
    return frozenset(inputs[image] for image in images)


def sliced(
    found: Iterable[Found],
    slicer: Slicer,
    images: Tensor,
    first_input: int,
    settings: dict[str, Setting],
    *,
    known: set[tuple[str, str]],
    unconverted: bool,
) -> tuple[Found, ...]:
    """Return the counterexamples of a batch with the first of each site and mode cut out of the network.

    Sites and modes that are `known` have an earlier one, in another batch.
    """
    done = set(known)
    whole: list[Found] = []
    for one in first_of(found):
        c = one.counterexample
        if (c.site, c.mode) not in done:
            done.add((c.site, c.mode))
            caused = diagnose(c, unconverted=unconverted and one.at_fault)  # a slice must fail likewise
            image = images[c.input - first_input :][:1]
            one = one._replace(counterexample=slicer.cut(caused, image, settings[c.site]))
        whole.append(one)
    return tuple(whole)


def explained(found: Iterable[Found], unconverted: bool) -> list[Found]:
    """Return all counterexamples of an audit with traces and causes.

    The first of each site and mode keeps its slice; the first of a site with the same causes is also made
    minimal. Where a batch lies among the others must not show, so all else is dropped.
    """
    first: set[tuple[str, str]] = set()
    minimized: set[tuple[str, str, tuple[str, ...]]] = set()
    whole: list[Found] = []
    for one in found:
        c = diagnose(one.counterexample, unconverted=unconverted and one.at_fault)
        c = replace(c, trace=trace(c))
        if (c.site, c.mode) in first:
            c = replace(c, slice=None, slice_detail="")
        first.add((c.site, c.mode))
        if (c.site, c.mode, c.causes) not in minimized:
            minimized.add((c.site, c.mode, c.causes))
            c = replace(c, minimal=minimize(c))
        whole.append(one._replace(counterexample=c))
    return whole


def first_of(found: Iterable[Found]) -> tuple[Found, ...]:
    """Return those that are kept: the first of every site and mode, by image and neuron."""
    kept: list[Found] = []
    counts: dict[tuple[str, str], int] = {}
    for one in sorted(found, key=lambda one: (one.counterexample.input, one.counterexample.neuron)):
        key = one.counterexample.site, one.counterexample.mode
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= PER_SITE:
            kept.append(one)
    return tuple(kept)


def _counterexample(
    pair: Pair,
    mode: Mode,
    setting: Setting,
    seen: Observation,
    index: tuple[int, ...],
    number: int,
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
        id="",  # numbered when all are known
        mode=mode,
        site=pair.name,
        input=number,
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
    """Tell whether both modules, alone with this one image, give the same M and N again at `index`.

    The image stays whole, since a module may treat its channels or columns differently.
    """
    image, place = index[0], (0, *index[1:])

    def alone(x: Tensor) -> Tensor:
        return x[image : image + 1]

    currents = torch.cat([alone(step) for step in per_step(seen.current, setting)])
    level, _ = decode_levels(activation(alone(seen.activation_current)), setting)
    count, _ = decode_counts(copy.deepcopy(neuron)(currents if setting.streaming else currents[:1]), setting)
    found = torch.stack([level[place], count[place]])
    said = torch.stack([seen.level[index], seen.spike_count[index]])
    return torch.equal(found.nan_to_num(-1.0), said.nan_to_num(-1.0))
