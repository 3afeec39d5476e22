"""Beyond the paper: how far the order of correct input spikes can drive the layers of a trained network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure

from qvm_verify import reference
from qvm_verify.exits import InputError
from qvm_verify.reference import IFParameters
from qvm_verify.reproduce.affine_sites import AffineSite, Array, affine_sites
from qvm_verify.reproduce.curves import batches_of, subjects
from qvm_verify.reproduce.outcome import Facts, Outcome
from qvm_verify.reproduce.settings import Settings
from qvm_verify.reproduce.worst_case import envelope, extreme_trains
from qvm_verify.snn import MATCHED_V_INIT

NEURONS, IMAGES, LEVELS = 100, 16, 8
ROUNDING = 1e-9  # of all that a neuron receives: far above what double precision loses


@dataclass(frozen=True, kw_only=True)
class SiteEnvelope:
    """One site's neurons on all images; arrays are [images, neurons], counts are integers."""

    name: str
    threshold: float
    time_steps: int
    inputs: int  # that the sample hears
    level: Array
    smallest: Array
    largest: Array
    random: Array  # N under one random order
    uniform: Array  # N under evenly spaced spikes
    expected: Array  # N under the expected current
    undecided: int  # neurons whose extremes rounding might have moved
    replayed: int  # extremes on the first image that the reference neuron gives when run in that order

    @property
    def unit(self) -> float:
        """θ / T, the error of one spike."""
        return self.threshold / self.time_steps

    @property
    def worst(self) -> Array:
        """Largest |M - N| over all orders."""
        return np.asarray(np.maximum(abs(self.smallest - self.level), abs(self.largest - self.level)))

    @property
    def settled(self) -> float:
        """Share of the neurons that every order gives N = M."""
        return float((self.worst == 0).mean())

    def error(self, spike_count: Array) -> float:
        """Mean unevenness error, in the units of the activation (Eq. 5)."""
        return self.unit * float(abs(spike_count - self.level).mean())


def site_envelope(site: AffineSite, time_steps: int, rng: np.random.Generator) -> SiteEnvelope:
    """Return the extremes of N over all orders, given that every input has its correct count N = M."""
    extremes, trains, undecided = [], [], 0
    parameters = IFParameters(threshold=site.threshold)
    for counts, bias in zip(site.counts, site.bias, strict=True):
        received = np.abs(site.weight) @ counts + time_steps * np.abs(bias) + site.threshold
        # N is monotone in V0: the exact extremes lie between those of V0 a little lower and higher.
        low, middle, high = (
            envelope(
                site.weight,
                counts,
                threshold=site.threshold,
                v_init=site.v_init + shift * received,
                time_steps=time_steps,
                bias=bias,
            )
            for shift in (-ROUNDING, 0, ROUNDING)
        )
        undecided += int(((low.smallest != high.smallest) | (low.largest != high.largest)).sum())
        extremes.append((middle.smallest, middle.largest))
        # The last is no train of spikes but their mean, the expected current of Eq. 9.
        orders = (
            reference.random_spikes(counts, time_steps, rng),
            reference.uniform_spikes(counts, time_steps),
            reference.constant_currents(counts / time_steps, time_steps),
        )
        trains.append(
            [
                reference.simulate(
                    spikes @ site.weight.T + bias, v_init=site.v_init, parameters=parameters
                ).spike_count
                for spikes in orders
            ]
        )
    smallest, largest = np.stack(extremes, axis=1)
    random, uniform, expected = np.stack(trains, axis=1)
    return SiteEnvelope(
        name=site.name,
        threshold=site.threshold,
        time_steps=time_steps,
        inputs=site.weight.shape[1],
        level=site.level,
        smallest=smallest,
        largest=largest,
        random=random,
        uniform=uniform,
        expected=expected,
        undecided=undecided,
        replayed=_replayed(site, smallest[0], largest[0], time_steps),
    )


def _replayed(site: AffineSite, smallest: Array, largest: Array, time_steps: int) -> int:
    """Return how many of the extremes on the first image the orders that should give them do give."""
    parameters = IFParameters(threshold=site.threshold)
    confirmed = 0
    for neuron, weight in enumerate(site.weight):
        for is_largest, expected in ((False, smallest[neuron]), (True, largest[neuron])):
            trains = extreme_trains(weight, site.counts[0], time_steps, largest=is_largest)
            currents = trains @ weight + site.bias[0, neuron]
            found = reference.simulate(currents, v_init=site.v_init, parameters=parameters).spike_count
            confirmed += int(found == expected)
    return confirmed


def run(settings: Settings) -> Outcome:
    """Return the envelope of every site of a network with T = L: the small one for digits, or one's own."""
    subject = subjects(settings, [("digits_cnn", "round", LEVELS)])[0]
    images = torch.cat([images for images, _ in batches_of(settings)])[:IMAGES]
    v_init = float(MATCHED_V_INIT[subject.quantizer])
    sites = affine_sites(subject.network, images, neurons=NEURONS, v_init=v_init, seed=settings.seed)
    rng = np.random.default_rng(settings.seed)
    found = []
    for done, site in enumerate(sites):
        settings.on_progress(f"orders of {site.name}", done, len(sites))
        found.append(site_envelope(site, subject.levels, rng))
    if not any(one.inputs for one in found):
        raise InputError(f"no site of {subject.name} receives spikes, so there is no order to choose")
    facts = Facts()
    return Outcome(
        name="worst-case",
        title="Smallest and largest spike count over all orders of the input spikes",
        columns=(
            *("site", "θ", "neurons x images", "inputs heard", "share with N = M in every order"),
            *("mean smallest N - M", "mean largest N - M", "largest |M - N|"),
            *("mean error, worst order", "mean error, random order", "mean error, uniform order"),
            *("mean error, expected current", "neurons within rounding"),
        ),
        rows=[_row(one) for one in found],
        facts=facts,
        paragraph=_paragraph(subject.name, found, len(images), facts),
        figure=_figure(found),
    )


def _row(one: SiteEnvelope) -> tuple[object, ...]:
    return (
        *(one.name, one.threshold, one.level.size, one.inputs, one.settled),
        *(float((one.smallest - one.level).mean()), float((one.largest - one.level).mean())),
        int(one.worst.max()),
        one.unit * float(one.worst.mean()),
        *(one.error(one.random), one.error(one.uniform), one.error(one.expected)),
        one.undecided,
    )


def _paragraph(name: str, found: list[SiteEnvelope], images: int, facts: Facts) -> str:
    fed = [one for one in found if one.inputs]
    steps = found[0].time_steps

    def mean(values: list[float]) -> float:
        return float(np.mean(values))

    return (
        f"{name}, {facts('images', images)} images, at most {facts('neurons of a site', NEURONS)} neurons of "
        f"each of {facts('sites', len(found))} sites, T = L = {facts('T', steps)}; every input has its "
        "correct count, only the order of its spikes is free. Over all orders the spike count may be wrong "
        f"by up to {facts('largest |M - N|', max(int(one.worst.max()) for one in fed))}; every order gives N "
        f"= M for a share of {facts('least share settled', min(one.settled for one in fed))} to "
        f"{facts('greatest share settled', max(one.settled for one in fed))} of the neurons behind the first "
        "site. The mean error of these sites is "
        f"{facts('worst order', mean([one.unit * float(one.worst.mean()) for one in fed]))} in each neuron's "
        f"worst order, {facts('random order', mean([one.error(one.random) for one in fed]))} in a random "
        f"one, {facts('uniform order', mean([one.error(one.uniform) for one in fed]))} with evenly spaced "
        f"spikes, and {facts('expected current', mean([one.error(one.expected) for one in fed]))} with the "
        "expected current. So a pipelined or event-driven deployment, which passes spikes on as they come, "
        "is not held to the level M by correct counts alone; the envelope is what it can rely on. It is "
        "exact for each neuron alone; two neurons may need different orders of the same spikes for their "
        "worst, and spikes that come from real neurons may not take every order. The first site receives "
        "the image itself at every time-step, where nothing can be reordered. Rounding could have moved "
        f"{facts('neurons within rounding', sum(one.undecided for one in found))} of the extremes; of "
        f"{facts('extremes run again', 2 * sum(one.level.shape[1] for one in found))} run again, the "
        f"reference neuron gives {facts('extremes confirmed', sum(one.replayed for one in found))} the same "
        "count."
    )


def _figure(found: list[SiteEnvelope]) -> Figure:
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    places = np.arange(len(found))
    names = [one.name for one in found]
    kinds = (
        ("worst order of each neuron", [one.unit * float(one.worst.mean()) for one in found]),
        ("random order", [one.error(one.random) for one in found]),
        ("uniform order", [one.error(one.uniform) for one in found]),
    )
    for shift, (label, values) in zip((-0.27, 0, 0.27), kinds, strict=True):
        left.bar(places + shift, values, width=0.25, label=label)
    left.set_ylabel("mean unevenness error (units of a)")
    left.set_yscale("log")  # zero has no bar
    low = [float((one.smallest - one.level).mean()) for one in found]
    high = [float((one.largest - one.level).mean()) for one in found]
    right.bar(
        places, np.subtract(high, low), bottom=low, width=0.5, color="C4", label="mean over the neurons"
    )
    least = [int((one.smallest - one.level).min()) for one in found]
    most = [int((one.largest - one.level).max()) for one in found]
    right.scatter([*places, *places], [*least, *most], marker="_", s=400, color="black", label="extremes")
    right.axhline(0, color="grey", linewidth=0.8)
    right.set_ylabel("N - M over all orders (spikes)")
    for axis in (left, right):
        axis.set_xticks(places, names, rotation=20)
        axis.set_xlabel("site")
        axis.legend(fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    return figure
