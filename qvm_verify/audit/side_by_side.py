"""The audit: both networks side by side, site by site, in two modes.

*Shadow*: every neuron is fed exactly what the ANN's activation received, so each site is judged alone.
*End to end*: the spiking network runs on the image by itself, so errors propagate.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify.audit.certification import Certify, SiteCertificate
from qvm_verify.audit.conclude import conclude
from qvm_verify.audit.correspondence import correspond
from qvm_verify.audit.counterexamples import diverging_images, find_counterexamples, sliced
from qvm_verify.audit.margins import Margins
from qvm_verify.audit.output import output_statistics
from qvm_verify.audit.reference_check import ReferenceCheck
from qvm_verify.audit.setting import NUMPY_DTYPES, decode_counts, decode_levels, repeat_steps, scaled_rates
from qvm_verify.audit.sites import Call, Pair, find_sites, is_activation, is_neuron, run_observed
from qvm_verify.audit.slices import Slicer
from qvm_verify.audit.statistics import Observation, site_statistics
from qvm_verify.audit.tally import Tally
from qvm_verify.certificate import compose
from qvm_verify.exits import InputError
from qvm_verify.report.model import Mode, Report

Batch = Tensor | tuple[Tensor, Tensor] | list[Tensor]


@torch.no_grad()
def verify(
    ann: nn.Module,
    snn: nn.Module,
    batches: Iterable[Batch],
    *,
    seed: int = 0,
    certify: Certify = "boundary",
    model: dict[str, Any] | None = None,
) -> Report:
    """Return the report on whether `snn` does on every neuron what `ann` does, for these batches.

    `batches` holds images [batch, ...] or (images, labels) pairs; a label of -1 is no label. Both modules
    are copied first and run in the mode they are in. Any pair of modules will do whose sites correspond
    (`qvm_verify.audit.sites` says what a site is). `seed` picks the neurons that are held against the
    reference; `model` is copied into the report. `certify` says how each site is decided for every number,
    beyond these batches (`qvm.certify`).

    Raises InputError where there is no image, the images do not fit a network, the dtype is not float16,
    float32 or float64, or a site describes itself in numbers that mean nothing.
    """
    audit: SideBySide | None = None
    tally, images_seen = Tally(), 0
    for batch in batches:
        images, labels = (batch, None) if isinstance(batch, Tensor) else (batch[0], batch[1])
        if len(images) == 0:
            continue
        if audit is None:
            audit = SideBySide(ann, snn, images, seed=seed, certify=certify)
            number = 0
        tally.merge(audit.look(number, images_seen, images, labels, tally))
        number += 1
        images_seen += len(images)
    if audit is None:
        raise InputError("the data holds no image")
    return audit.report(tally, model or {})


class SideBySide:
    """Both networks, ready to look at batches in any order; what is seen goes into tallies, not in here."""

    def __init__(
        self,
        ann: nn.Module,
        snn: nn.Module,
        images: Tensor,
        *,
        seed: int,
        certify: Certify,
        on_inputs: Callable[[str, int], None] = lambda site, inputs: None,
        on_certificate: Callable[[SiteCertificate], None] = lambda certificate: None,
    ) -> None:
        """Find the corresponding sites by running copies on `images`, and certify each.

        `on_inputs` is called with a site and how many numbers are certified so far, `on_certificate` when a
        site is done with.
        """
        if images.dtype not in NUMPY_DTYPES:
            known = ", ".join(NUMPY_DTYPES.values())
            raise InputError(f"images are {images.dtype}; the reference knows {known}")
        self._seed, self._dtype, self._device = seed, images.dtype, images.device
        self._image_shape = images.shape[1:]
        self._ann, self._snn = copy.deepcopy(ann), copy.deepcopy(snn)
        pairs, self._settings, self._findings, self._calls = correspond(self._ann, self._snn, images)
        # Counterexamples replay on the activation while its site is observed: on a copy, which is not.
        pairs = [replace(pair, activation=copy.deepcopy(pair.activation)) for pair in pairs]
        self._by_ann = {pair.ann: pair for pair in pairs}
        self._by_snn = {pair.snn: pair for pair in pairs}
        self._fresh = {pair.name: copy.deepcopy(pair.neuron) for pair in pairs}
        self._margins = {
            name: Margins(setting, self._dtype, self._device) for name, setting in self._settings.items()
        }
        self._certificates: dict[str, SiteCertificate] = {}
        for pair in pairs:
            setting, told = self._settings[pair.name], partial(on_inputs, pair.name)
            certificate = SiteCertificate(pair, setting, self._dtype, self._device, certify, told)
            self._certificates[pair.name] = certificate
            on_certificate(certificate)
        self._slicer = Slicer(self._ann, self._snn, {pair.name: pair for pair in pairs})
        left_behind = ("unconverted-activation", "site-without-partner")
        self._unconverted = any(finding.kind in left_behind for finding in self._findings)
        self._streaming = any(setting.streaming for setting in self._settings.values())

    def look(
        self, number: int, first_input: int, images: Tensor, labels: Tensor | None, earlier: Tally
    ) -> Tally:
        """Return what batch `number`, whose first image has the number `first_input`, shows.

        `earlier` only tells which counterexamples are known, so that no more are looked for than are kept.
        """
        if images.shape[1:] != self._image_shape:
            shapes = f"{list(self._image_shape)} and later {list(images.shape[1:])}"
            raise InputError(f"images must have one shape, and have {shapes}")
        look = _Look(self, number, first_input, earlier)
        with look.reference.watch_sums(self._ann, "ANN"):
            sites = find_sites(self._ann, is_activation)
            scores = run_observed(self._ann, sites, images, look.on_activation)
        with look.reference.watch_sums(self._snn, "SNN"):
            sites = find_sites(self._snn, is_neuron)
            spiking_scores = run_observed(self._snn, sites, images, look.on_neuron)
        for network, calls in look.calls.items():
            if irregular := calls ^ self._calls[network]:
                look.tally.merge(Tally(irregular=tuple((str(call), network) for call in irregular)))
        look.tally.found = sliced(
            look.tally.found,
            self._slicer,
            images,
            first_input,
            self._settings,
            known=earlier.known(first_input),
            unconverted=self._unconverted,
        )
        look.tally.output = output_statistics(scores, spiking_scores, labels, streaming=self._streaming)
        look.tally.reference = look.reference.statistics
        return look.tally

    def report(self, tally: Tally, model: dict[str, Any]) -> Report:
        """Conclude from everything that was seen."""
        certificates = list(self._certificates.values())
        found = {c.site: c.certificate for c in certificates if c.certificate is not None}
        return conclude(
            tally=tally,
            certificates=certificates,
            composition=compose(self._ann, self._snn, found),
            model=model,
            settings=self._settings,
            findings=self._findings,
            unconverted=self._unconverted,
            dtype=NUMPY_DTYPES[self._dtype],
            device=self._device.type,
            seed=self._seed,
        )


class _Look:
    """One batch in progress."""

    def __init__(self, audit: SideBySide, number: int, first_input: int, earlier: Tally) -> None:
        self.tally = Tally()
        self.reference = ReferenceCheck(audit._seed, number)
        self._audit, self._first_input, self._earlier = audit, first_input, earlier
        self._seen_by_ann: dict[str, Observation] = {}
        self._diverged: frozenset[int] = frozenset()
        self.calls: dict[str, set[Call]] = {"ANN": set(), "SNN": set()}

    def on_activation(self, call: Call, x: Tensor, output: Tensor) -> None:
        """Note what the ANN does at a site, and feed its own input to a fresh copy of the neuron."""
        self.calls["ANN"].add(call)
        pair = self._audit._by_ann.get(call)
        if pair is None:
            return
        setting = self._audit._settings[pair.name]
        level, off_grid = decode_levels(output, setting)
        self._count_off_grid(pair.name, "activation", off_grid)
        # Until the neuron is known, the activation stands in for it.
        ann = self._seen_by_ann[pair.name] = Observation(x, level, output, x, level, output)
        current = repeat_steps(x, setting)
        self.tally.reach[pair.name] = self._audit._certificates[pair.name].reach(x)
        spikes = copy.deepcopy(self._audit._fresh[pair.name])(current)
        self._record(pair, "shadow", self._with_neuron(pair, ann, current, spikes))

    def on_neuron(self, call: Call, x: Tensor, output: Tensor) -> None:
        """Compare what the spiking network does at a site with what the ANN did there."""
        self.calls["SNN"].add(call)
        pair = self._audit._by_snn.get(call)
        ann = None if pair is None else self._seen_by_ann.pop(pair.name, None)
        if pair is not None and ann is not None:
            self._record(pair, "end-to-end", self._with_neuron(pair, ann, x, output))

    def _with_neuron(self, pair: Pair, ann: Observation, current: Tensor, output: Tensor) -> Observation:
        setting = self._audit._settings[pair.name]
        spike_count, off_grid = decode_counts(output, setting)
        self._count_off_grid(pair.name, "neuron", off_grid)
        if spike_count.shape != ann.level.shape:
            shapes = f"{list(spike_count.shape)} spike counts for {list(ann.level.shape)} levels"
            raise InputError(f"{pair.name}: the spiking network has {shapes}, so the sites do not correspond")
        rate = scaled_rates(output, spike_count, setting)
        return ann._replace(current=current, spike_count=spike_count, scaled_rate=rate)

    def _count_off_grid(self, name: str, which: str, off_grid: int) -> None:
        if off_grid:
            self.tally.merge(Tally(off_grid=((name, which),)))

    def _record(self, pair: Pair, mode: Mode, seen: Observation) -> None:
        audit, setting = self._audit, self._audit._settings[pair.name]
        self.tally.sites(mode)[pair.name] = site_statistics(seen, mode, setting, audit._margins[pair.name])
        self.reference.neurons(f"{pair.name} ({mode})", seen, setting)
        room = self._earlier.room(pair.name, mode, self._first_input)
        found = find_counterexamples(
            pair,
            mode,
            setting,
            seen,
            audit._fresh[pair.name],
            first_input=self._first_input,
            room=room,
            diverged=self._diverged,
        )
        self.tally.merge(Tally(found=found))
        if mode == "end-to-end":
            self._diverged |= diverging_images(seen, setting, self._first_input)
