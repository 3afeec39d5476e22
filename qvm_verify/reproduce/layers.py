"""Figure 3: the unevenness error of every site, with streaming and with constant currents."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

from qvm_verify import networks
from qvm_verify.audit.currents import compare_currents
from qvm_verify.calibration import calibrate
from qvm_verify.exits import InputError
from qvm_verify.report.model import CurrentsComparison
from qvm_verify.reproduce.curves import Subject, batches_of, subjects
from qvm_verify.reproduce.outcome import Facts, Outcome
from qvm_verify.reproduce.settings import Settings

LEVELS, PIXELS, IMAGES = 8, 32, 2
NETWORKS, PERCENTILE = ("vgg16", "resnet34"), 99.9


class Compared(NamedTuple):
    """A network under both kinds of currents."""

    subject: Subject
    comparison: CurrentsComparison
    wrong: list[str]  # the sites that err under the constant current
    wrong_in_double: int  # how many of them still do in double precision


Comparisons = list[Compared]


def run(settings: Settings) -> Outcome:
    """Return Figure 3 for VGG-16 and ResNet-34 with weights as initialized, or for one's own checkpoints.

    Without QVM: the same network, streaming spikes from layer to layer. With it: the expected current of
    Eq. 9. Both have T = L, θ = γ and the matched V0. Raises InputError for a network that cannot be compared.
    """
    images = torch.cat([images for images, _ in batches_of(settings)])[: IMAGES * LEVELS]
    untrained = not settings.models
    if untrained and images.shape[-1] < PIXELS:
        images = F.interpolate(images, size=(PIXELS, PIXELS), mode="nearest")
    chosen = _untrained(images, settings.seed) if untrained else subjects(settings, [])
    compared: Comparisons = []
    for done, subject in enumerate(chosen):
        settings.on_progress(f"currents of {subject.name}", done, len(chosen))
        compared.append(compare(subject, images))
    facts = Facts()
    return Outcome(
        name="fig3",
        title="Figure 3: unevenness error of every site, without and with QVM",
        columns=(
            *("network", "site", "images", "θ", "mean error, streaming", "largest error, streaming"),
            *("mean error, constant", "largest error, constant"),
            *("mean error / θ, streaming", "mean error / θ, constant"),
        ),
        rows=_rows(compared),
        facts=facts,
        paragraph=_paragraph(compared, settings.data if untrained else None, facts),
        figure=_figure(compared),
    )


def compare(subject: Subject, images: Tensor) -> Compared:
    """Return the errors of every site; where the constant current has one, see whether rounding is to blame.

    Raises InputError for a network that cannot be compared.
    """
    comparison = compare_currents(subject.network.eval(), images)
    if comparison is None:
        raise InputError(f"{subject.name} does not run on streams of spikes, or its sites differ in L")
    wrong = _wrong(comparison)
    in_double = []
    if wrong:
        again = compare_currents(copy.deepcopy(subject.network).double(), images.double())
        assert again is not None  # it ran in single precision
        in_double = _wrong(again)
    return Compared(subject, comparison, wrong, len(in_double))


def _wrong(comparison: CurrentsComparison) -> list[str]:
    return [site.site for site in comparison.sites if site.constant.max > 0]


def _untrained(images: Tensor, seed: int) -> list[Subject]:
    """Return both networks of the paper with initial weights and thresholds calibrated on the images."""
    torch.manual_seed(seed)
    found: list[Subject] = []
    for name in NETWORKS:
        build = getattr(networks, name)
        network: nn.Module = build(
            levels=LEVELS, quantizer="round", classes=10, variant="cifar", channels=images.shape[1]
        )
        calibrate(network, [images], method="percentile", percentile=PERCENTILE)
        found.append(Subject(name, network, LEVELS, "round"))
    return found


def _rows(compared: Comparisons) -> list[tuple[object, ...]]:
    return [
        (
            *(subject.name, site.site, comparison.images, threshold),
            *(site.streaming.mean, site.streaming.max, site.constant.mean, site.constant.max),
            *(site.streaming.mean / threshold, site.constant.mean / threshold),
        )
        for subject, comparison, *_ in compared
        for site, threshold in zip(comparison.sites, _thresholds(subject, comparison), strict=True)
    ]


def _thresholds(subject: Subject, comparison: CurrentsComparison) -> list[float]:
    """Return θ of every site; the k-th call of a site, NAME#k, has the threshold of the first."""
    sites = dict(subject.network.named_modules())
    return [float(sites[one.site.split("#")[0]].threshold.detach()) for one in comparison.sites]


def _relative(subject: Subject, comparison: CurrentsComparison) -> tuple[list[float], list[float]]:
    """Return the mean errors of all sites as shares of θ: with streaming and with constant currents."""
    pairs = list(zip(comparison.sites, _thresholds(subject, comparison), strict=True))
    return (
        [site.streaming.mean / threshold for site, threshold in pairs],
        [site.constant.mean / threshold for site, threshold in pairs],
    )


def _paragraph(compared: Comparisons, untrained_on: str | None, facts: Facts) -> str:
    weights = (
        "The weights are untrained, as initialized, and only the thresholds are fitted, to percentile "
        f"{facts('percentile', PERCENTILE)} of the currents on {untrained_on}, scaled to "
        f"{facts('pixels', PIXELS)} pixels a side where it is smaller; the size of the errors is therefore "
        "not the paper's, whose networks are trained on ImageNet. "
        if untrained_on
        else ""
    )
    return weights + " ".join(_compared(*one, facts) for one in compared)


def _compared(
    subject: Subject, comparison: CurrentsComparison, wrong: list[str], wrong_in_double: int, facts: Facts
) -> str:
    def fact(name: str, value: object) -> str:
        return facts(f"{subject.name}: {name}", value)

    streaming, constant = _relative(subject, comparison)
    sentence = (
        f"{subject.name}, {fact('images', comparison.images)} images, T = L = {fact('T', subject.levels)}: "
        "without QVM, spikes streaming, "
        f"{fact('sites with an error, streaming', sum(value > 0 for value in streaming))} of "
        f"{fact('sites', len(streaming))} sites have an unevenness error, its mean over a site's neurons "
        f"being at most {fact('greatest mean / θ, streaming', max(streaming))} θ; with QVM "
        f"{fact('sites with an error, constant', len(wrong))} sites have one, with a mean of at most "
        f"{fact('greatest mean / θ, constant', max(constant))} θ."
    )
    if wrong:
        sentence += (
            f" The first of them is {wrong[0]}, with a mean of "
            f"{fact('mean / θ of the first, constant', next(value for value in constant if value > 0))} θ; "
            f"in double precision {fact('sites with an error, constant, double precision', wrong_in_double)} "
            "have one."
        )
        if not wrong_in_double:
            sentence += " So they come from rounding in single precision, and grow from site to site."
    return sentence


def _figure(compared: Comparisons) -> Figure:
    figure = Figure(figsize=(12, 3.4 * len(compared)), layout="constrained")
    for axis, (subject, comparison, *_) in zip(
        figure.subplots(len(compared), 1, squeeze=False)[:, 0], compared, strict=True
    ):
        places = range(len(comparison.sites))
        streaming, constant = _relative(subject, comparison)
        axis.bar([k - 0.2 for k in places], streaming, width=0.4, color="C2", label="without QVM: streaming")
        axis.bar([k + 0.2 for k in places], constant, width=0.4, color="C1", label="with QVM: constant")
        for k, value in enumerate(constant):
            if value == 0:
                axis.text(k + 0.2, 0, "0", ha="center", va="bottom", fontsize="small", color="C1")
        axis.set_xticks(places, [site.site for site in comparison.sites], rotation=90, fontsize="small")
        axis.set_title(f"{subject.name}, T = L = {subject.levels}", fontsize="medium")
        axis.set_xlabel("site")
        axis.margins(x=0.01)
        axis.set_ylabel("mean |a - φ| / θ")
        axis.legend(fontsize="small")
    return figure
