"""The audit: both networks side by side, site by site, in two modes.

*Shadow*: every neuron is fed exactly what the ANN's activation received, so each site is judged alone.
*End to end*: the spiking network runs on the image by itself, so errors propagate.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify.audit.certification import Certify, SiteCertificate
from qvm_verify.audit.conclude import conclude
from qvm_verify.audit.correspondence import correspond
from qvm_verify.audit.counterexamples import Collector
from qvm_verify.audit.margins import Margins
from qvm_verify.audit.output import OutputStatistics
from qvm_verify.audit.reference_check import ReferenceCheck
from qvm_verify.audit.setting import NUMPY_DTYPES, decode_counts, decode_levels, repeat_steps, scaled_rates
from qvm_verify.audit.sites import Call, Pair, find_sites, is_activation, is_neuron, run_observed
from qvm_verify.audit.statistics import Observation, SiteStatistics
from qvm_verify.certificate import compose
from qvm_verify.exits import InputError
from qvm_verify.report.model import MODES, Finding, Mode, Report

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
    on_inputs: Callable[[str, int], None] = lambda site, inputs: None,
    on_batch: Callable[[int], None] = lambda images: None,
) -> Report:
    """Return the report on whether `snn` does on every neuron what `ann` does, for these batches.

    `batches` holds images [batch, ...] or (images, labels) pairs; a label of -1 is no label. Both modules
    are copied first and run in the mode they are in. Any pair of modules will do whose sites correspond
    (`qvm_verify.audit.sites` says what a site is). `seed` picks the neurons that are held against the
    reference; `model` is copied into the report; `on_batch` is called with the number of images done.
    `certify` says how each site is decided for every number, beyond these batches (`qvm.certify`), and
    `on_inputs` is called with a site and the numbers done.

    Raises InputError where there is no image, the images do not fit a network, the dtype is not float16,
    float32 or float64, or a site describes itself in numbers that mean nothing.
    """
    audit = None
    for batch in batches:
        images, labels = (batch, None) if isinstance(batch, Tensor) else (batch[0], batch[1])
        if len(images) == 0:
            continue
        if audit is None:
            audit = _Audit(ann, snn, images, seed, certify, on_inputs)
        audit.add(images, labels)
        on_batch(audit.samples)
    if audit is None:
        raise InputError("the data holds no image")
    return audit.report(model or {})


class _Audit:
    """One audit in progress."""

    def __init__(
        self,
        ann: nn.Module,
        snn: nn.Module,
        images: Tensor,
        seed: int,
        certify: Certify,
        on_inputs: Callable[[str, int], None],
    ) -> None:
        if images.dtype not in NUMPY_DTYPES:
            known = ", ".join(NUMPY_DTYPES.values())
            raise InputError(f"images are {images.dtype}; the reference knows {known}")
        self.samples = 0
        self._seed, self._dtype, self._device = seed, images.dtype, images.device
        self._image_shape = images.shape[1:]
        self._ann, self._snn = copy.deepcopy(ann), copy.deepcopy(snn)
        pairs, self._settings, self._findings = correspond(self._ann, self._snn, images)
        self._by_ann = {pair.ann: pair for pair in pairs}
        self._by_snn = {pair.snn: pair for pair in pairs}
        self._fresh = {pair.name: copy.deepcopy(pair.neuron) for pair in pairs}
        margins = {
            name: Margins(setting, self._dtype, self._device) for name, setting in self._settings.items()
        }
        self._statistics = {
            (pair.name, mode): SiteStatistics(pair.name, mode, self._settings[pair.name], margins[pair.name])
            for mode in MODES
            for pair in pairs
        }
        self._certificates = {
            pair.name: SiteCertificate(
                pair,
                self._settings[pair.name],
                self._dtype,
                self._device,
                certify,
                partial(on_inputs, pair.name),
            )
            for pair in pairs
        }
        self._output = OutputStatistics(any(setting.streaming for setting in self._settings.values()))
        self._reference = ReferenceCheck(seed)
        self._counterexamples = Collector()

    def add(self, images: Tensor, labels: Tensor | None) -> None:
        """Run both networks on one batch and compare them."""
        if images.shape[1:] != self._image_shape:
            shapes = f"{list(self._image_shape)} and later {list(images.shape[1:])}"
            raise InputError(f"images must have one shape, and have {shapes}")
        seen_by_ann: dict[str, Observation] = {}

        def on_activation(call: Call, x: Tensor, output: Tensor) -> None:
            if call in self._by_ann:
                pair = self._by_ann[call]
                seen_by_ann[pair.name] = self._observe_ann(pair, x, output)
                self._shadow(pair, seen_by_ann[pair.name])

        def on_neuron(call: Call, x: Tensor, output: Tensor) -> None:
            if call in self._by_snn:
                pair = self._by_snn[call]
                ann = seen_by_ann.pop(pair.name)
                self._record(pair, "end-to-end", self._with_neuron(pair, ann, x, output))

        with self._reference.watch_sums(self._ann, "ANN", first=self.samples == 0):
            sites = find_sites(self._ann, is_activation)
            scores = run_observed(self._ann, sites, images, on_activation)
        with self._reference.watch_sums(self._snn, "SNN", first=self.samples == 0):
            sites = find_sites(self._snn, is_neuron)
            spiking_scores = run_observed(self._snn, sites, images, on_neuron)
        self._output.add(scores, spiking_scores, labels)
        self.samples += len(images)

    def _observe_ann(self, pair: Pair, x: Tensor, output: Tensor) -> Observation:
        """Return an observation whose neuron still is the activation itself."""
        level, off_grid = decode_levels(output, self._settings[pair.name])
        self._count_off_grid(pair.name, "activation", off_grid)
        return Observation(x, level, output, x, level, output)

    def _shadow(self, pair: Pair, ann: Observation) -> None:
        """Feed the ANN's own input to a fresh copy of the neuron."""
        current = repeat_steps(ann.activation_current, self._settings[pair.name])
        output = copy.deepcopy(self._fresh[pair.name])(current)
        self._certificates[pair.name].add(ann.activation_current)
        self._record(pair, "shadow", self._with_neuron(pair, ann, current, output))

    def _with_neuron(self, pair: Pair, ann: Observation, current: Tensor, output: Tensor) -> Observation:
        setting = self._settings[pair.name]
        spike_count, off_grid = decode_counts(output, setting)
        self._count_off_grid(pair.name, "neuron", off_grid)
        if spike_count.shape != ann.level.shape:
            shapes = f"{list(spike_count.shape)} spike counts for {list(ann.level.shape)} levels"
            raise InputError(f"{pair.name}: the spiking network has {shapes}, so the sites do not correspond")
        rate = scaled_rates(output, spike_count, setting)
        return ann._replace(current=current, spike_count=spike_count, scaled_rate=rate)

    def _count_off_grid(self, name: str, which: str, off_grid: int) -> None:
        sentence = f"has an {which} that returns values off the grid of threshold / steps"
        finding = Finding(kind="off-grid", site=name, sentence=sentence)
        if off_grid and finding not in self._findings:
            self._findings.append(finding)

    def _record(self, pair: Pair, mode: Mode, seen: Observation) -> None:
        setting = self._settings[pair.name]
        self._statistics[pair.name, mode].add(seen)
        self._reference.neurons(f"{pair.name} ({mode})", seen, setting)
        self._counterexamples.add(pair, mode, setting, seen, self._fresh[pair.name], self.samples)

    def report(self, model: dict[str, Any]) -> Report:
        """Conclude."""
        certificates = list(self._certificates.values())
        found = {c.site: c.certificate for c in certificates if c.certificate is not None}
        return conclude(
            certificates=certificates,
            composition=compose(self._ann, self._snn, found),
            model=model,
            settings=self._settings,
            layers=[statistics.result() for statistics in self._statistics.values()],
            output=self._output.result(),
            reference_check=self._reference,
            findings=self._findings,
            collector=self._counterexamples,
            dtype=NUMPY_DTYPES[self._dtype],
            device=str(self._device),
            seed=self._seed,
        )
