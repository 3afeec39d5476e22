"""The audit: both networks side by side, site by site, in two modes.

*Shadow*: every neuron is fed exactly what the ANN's activation received, so each site is judged alone.
*End to end*: the spiking network runs on the image by itself, so errors propagate.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify.audit.ahead import Ahead
from qvm_verify.audit.certification import Certify, SiteCertificate
from qvm_verify.audit.conclude import conclude
from qvm_verify.audit.correspondence import correspond
from qvm_verify.audit.counterexamples import sliced
from qvm_verify.audit.look import Look, Site
from qvm_verify.audit.margins import Margins
from qvm_verify.audit.one_pass import table_of
from qvm_verify.audit.output import output_statistics
from qvm_verify.audit.reference_check import ReferenceCheck
from qvm_verify.audit.setting import NUMPY_DTYPES, Setting
from qvm_verify.audit.sites import Pair, find_sites, is_activation, is_neuron, run_observed, working_copy
from qvm_verify.audit.slices import Slicer
from qvm_verify.audit.tally import Tally
from qvm_verify.certificate import compose
from qvm_verify.exits import InputError
from qvm_verify.report.model import Report

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
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ANN")
        self._image_shape = images.shape[1:]
        self._ann, self._snn = working_copy(ann), working_copy(snn)
        pairs, settings, self._findings, self._calls = correspond(self._ann, self._snn, images)
        self._sites: dict[str, Site] = {}
        for pair in pairs:
            told = partial(on_inputs, pair.name)
            site = self._sites[pair.name] = self._site(pair, settings[pair.name], certify, told)
            on_certificate(site.certificate)
        self._settings = settings
        self._by_ann = {site.pair.ann: site for site in self._sites.values()}
        self._by_snn = {site.pair.snn: site for site in self._sites.values()}
        self._slicer = Slicer(self._ann, self._snn, {site.name: site.pair for site in self._sites.values()})
        left_behind = ("unconverted-activation", "site-without-partner")
        self._unconverted = any(finding.kind in left_behind for finding in self._findings)
        self._streaming = any(setting.streaming for setting in self._settings.values())

    def _site(self, pair: Pair, setting: Setting, certify: Certify, told: Callable[[int], None]) -> Site:
        # Counterexamples replay on the activation while its site is observed: on a copy, which is not.
        pair = replace(pair, activation=copy.deepcopy(pair.activation))
        where = self._dtype, self._device
        margins = Margins(setting, *where)
        certificate = SiteCertificate(pair, setting, *where, certify, told)
        return Site(
            pair=pair,
            setting=setting,
            neuron=copy.deepcopy(pair.neuron),
            margins=margins,
            certificate=certificate,
            table=table_of(pair, setting, *where, margins, certificate),
        )

    def look(
        self, number: int, first_input: int, images: Tensor, labels: Tensor | None, earlier: Tally
    ) -> Tally:
        """Return what batch `number`, whose first image has the number `first_input`, shows.

        `earlier` only tells which counterexamples are known, so that no more are looked for than are kept.
        """
        if images.shape[1:] != self._image_shape:
            shapes = f"{list(self._image_shape)} and later {list(images.shape[1:])}"
            raise InputError(f"images must have one shape, and have {shapes}")
        reference = ReferenceCheck(self._seed, number)
        inputs = range(first_input, first_input + len(images))
        look = Look(self._by_ann, self._by_snn, reference, inputs, earlier)

        def run_ann() -> Tensor:
            with reference.watch_sums(self._ann, "ANN"):
                sites = find_sites(self._ann, is_activation)
                return run_observed(self._ann, sites, images, look.on_activation)

        with (
            Ahead(run_ann, self._thread) as look.ahead,
            reference.watch_sums(self._snn, "SNN"),
            self._spiking_by_tables(),
        ):
            sites = find_sites(self._snn, is_neuron)
            spiking_scores = run_observed(self._snn, sites, images, look.on_neuron)
            scores = look.ahead.result()
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
        look.tally.reference = reference.statistics
        return look.tally

    def _spiking_by_tables(self) -> ExitStack:
        stack = ExitStack()
        by_neuron = {site.pair.neuron: site.table for site in self._sites.values()}  # calls may share one
        for neuron, table in by_neuron.items():
            if table is not None:
                stack.enter_context(table.spiking(neuron))
        return stack

    def report(self, tally: Tally, model: dict[str, Any]) -> Report:
        """Conclude from everything that was seen."""
        certificates = [site.certificate for site in self._sites.values()]
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
