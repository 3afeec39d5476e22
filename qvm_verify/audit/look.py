"""One batch in progress: what both networks do at their sites, counted."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from qvm_verify.audit.ahead import Ahead
from qvm_verify.audit.certification import SiteCertificate
from qvm_verify.audit.counterexamples import diverging_images, find_counterexamples
from qvm_verify.audit.margins import Margins
from qvm_verify.audit.one_pass import Binned, SiteTable, same_images
from qvm_verify.audit.reference_check import ReferenceCheck
from qvm_verify.audit.setting import (
    NUMPY_DTYPES,
    Setting,
    decode_counts,
    decode_levels,
    repeat_steps,
    scaled_rates,
)
from qvm_verify.audit.sites import Call, Pair
from qvm_verify.audit.statistics import Observation, entries_of, site_statistics
from qvm_verify.audit.tally import Tally
from qvm_verify.exits import InputError
from qvm_verify.report.model import Mode


@dataclass(frozen=True, kw_only=True)
class Site:
    """A pair and all that is known of it before the first image counts."""

    pair: Pair
    setting: Setting
    neuron: nn.Module  # a fresh copy, for the shadow run and to replay counterexamples on
    margins: Margins
    certificate: SiteCertificate
    table: SiteTable | None

    @property
    def name(self) -> str:
        """The name under which the report has it."""
        return self.pair.name


class Look:
    """Takes what hooks see of one batch and fills a tally."""

    def __init__(
        self,
        by_ann: dict[Call, Site],
        by_snn: dict[Call, Site],
        reference: ReferenceCheck,
        inputs: Sequence[int],
        earlier: Tally,
    ) -> None:
        self.tally = Tally()
        self.ahead: Ahead | None = None  # the ANN's pass, where it takes turns with the spiking network's
        self.calls: dict[str, set[Call]] = {"ANN": set(), "SNN": set()}
        self._by_ann, self._by_snn, self._reference = by_ann, by_snn, reference
        self._inputs, self._earlier = inputs, earlier
        self._seen: dict[str, Observation | Binned] = {}
        self._diverged: frozenset[int] = frozenset()

    def on_activation(self, call: Call, x: Tensor, output: Tensor) -> None:
        """Note what the ANN does at a site, feed its own input to a fresh copy of the neuron, and pause."""
        self.calls["ANN"].add(call)
        site = self._by_ann.get(call)
        if site is not None:
            self._shadow(site, x, output)
            if self.ahead is not None:
                self.ahead.pause()

    def _shadow(self, site: Site, x: Tensor, output: Tensor) -> None:
        binned = None if site.table is None else site.table.look(x, output)
        if binned is not None:
            self._seen[site.name] = binned
            self._count(site, "shadow", binned, binned.usual, x, lambda share: site.neuron(share(x)))
            return
        ann = self._seen[site.name] = self._observe(site, x, output)
        current = repeat_steps(x, site.setting)
        self.tally.reach[site.name] = site.certificate.reach(x)
        spikes = copy.deepcopy(site.neuron)(current)
        self._record(site, "shadow", self._with_neuron(site, ann, current, spikes))

    def on_neuron(self, call: Call, x: Tensor, output: Tensor) -> None:
        """Compare what the spiking network does at a site with what the ANN did there."""
        self.calls["SNN"].add(call)
        site = self._by_snn.get(call)
        if site is None:
            return
        while site.name not in self._seen and self.ahead is not None and self.ahead.go_on():
            pass
        ann = self._seen.pop(site.name, None)
        if ann is None:
            return
        if isinstance(ann, Binned):
            if x.shape == ann.x.shape and x.dtype == ann.x.dtype:
                usual = ann.usual & same_images(x, ann.x)
                self._count(site, "end-to-end", ann, usual, x, lambda share: share(output))
                return
            ann = self._observe(site, ann.x, site.pair.activation(ann.x))
        self._record(site, "end-to-end", self._with_neuron(site, ann, x, output))

    def _count(
        self,
        site: Site,
        mode: Mode,
        ann: Binned,
        usual: Tensor,
        current: Tensor,
        output: Callable[[Callable[[Tensor], Tensor]], Tensor],
    ) -> None:
        """Count the `usual` images by the site's table, the others and a sample for the reference as ever.

        `output` returns what the neuron made of the share of `current` that its argument takes.
        """
        assert site.table is not None

        def observed(share: Callable[[Tensor], Tensor]) -> Observation:
            x = share(ann.x)
            seen = self._observe(site, x, site.pair.activation(x))
            return self._with_neuron(site, seen, share(current), output(share))

        found = Tally()
        if usual.any():
            found.sites(mode)[site.name] = site.table.statistics(ann, usual, mode)
            if mode == "shadow":
                found.reach[site.name] = site.table.reach(ann, usual)
        self.tally.merge(found)
        picked = self._reference.pick(current.numel())
        sample = observed(lambda x: entries_of(x, picked))
        self._reference.neurons(self._title(site, mode), sample, site.setting)
        rest = (~usual).nonzero().flatten()
        if len(rest):
            seen = observed(lambda x: x[rest])
            if mode == "shadow":
                self.tally.merge(Tally(reach={site.name: site.certificate.reach(seen.activation_current)}))
            self._add(site, mode, seen, [self._inputs[image] for image in rest.tolist()])

    def _record(self, site: Site, mode: Mode, seen: Observation) -> None:
        picked = self._reference.pick(seen.level.numel())
        self._reference.neurons(self._title(site, mode), seen.at(picked, site.setting), site.setting)
        self._add(site, mode, seen, self._inputs)

    def _add(self, site: Site, mode: Mode, seen: Observation, inputs: Sequence[int]) -> None:
        """Count the images with the numbers `inputs`, and keep their counterexamples."""
        found = find_counterexamples(
            site.pair,
            mode,
            site.setting,
            seen,
            site.neuron,
            inputs=inputs,
            room=self._earlier.room(site.name, mode, self._inputs[0]),
            diverged=self._diverged if mode == "end-to-end" else frozenset(),
        )
        tally = Tally(found=found)
        tally.sites(mode)[site.name] = site_statistics(seen, mode, site.setting, site.margins)
        self.tally.merge(tally)
        if mode == "end-to-end":
            self._diverged |= diverging_images(seen, site.setting, inputs)

    def _observe(self, site: Site, x: Tensor, output: Tensor) -> Observation:
        """Return what the ANN did; until the neuron is known, the activation stands in for it."""
        if output.dtype not in NUMPY_DTYPES:
            known = ", ".join(NUMPY_DTYPES.values())
            raise InputError(f"{site.name}: computes in {output.dtype}; the reference knows {known}")
        level, off_grid = decode_levels(output, site.setting)
        self._count_off_grid(site, "activation", off_grid)
        return Observation(x, level, output, x, level, output)

    def _with_neuron(self, site: Site, ann: Observation, current: Tensor, output: Tensor) -> Observation:
        spike_count, off_grid = decode_counts(output, site.setting)
        self._count_off_grid(site, "neuron", off_grid)
        if spike_count.shape != ann.level.shape:
            shapes = f"{list(spike_count.shape)} spike counts for {list(ann.level.shape)} levels"
            raise InputError(f"{site.name}: the spiking network has {shapes}, so the sites do not correspond")
        rate = scaled_rates(output, spike_count, site.setting)
        return ann._replace(current=current, spike_count=spike_count, scaled_rate=rate)

    def _count_off_grid(self, site: Site, which: str, off_grid: int) -> None:
        if off_grid:
            self.tally.merge(Tally(off_grid=((site.name, which),)))

    @staticmethod
    def _title(site: Site, mode: Mode) -> str:
        return f"{site.name} ({mode})"
