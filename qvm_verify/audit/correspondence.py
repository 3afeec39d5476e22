"""Before the first image counts: which sites correspond, and what forbids a verdict of `lossless`."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from qvm_verify.audit.setting import Setting, setting_of
from qvm_verify.audit.sites import (
    Call,
    Pair,
    find_sites,
    is_activation,
    is_neuron,
    pair_calls,
    run_observed,
    working_copy,
)
from qvm_verify.audit.unconverted import BRANCHING, unconverted_activations
from qvm_verify.exits import InputError
from qvm_verify.report.model import Finding


class Correspondence(NamedTuple):
    """The pairs that can be compared, in the order in which the ANN calls them, and the findings."""

    pairs: list[Pair]
    settings: dict[str, Setting]  # by the pair's name
    findings: list[Finding]
    calls: dict[str, frozenset[Call]]  # of all sites, by network: "ANN", "SNN"


def correspond(ann: nn.Module, snn: nn.Module, images: Tensor) -> Correspondence:
    """Return which sites of `ann` and `snn` correspond, learned by running copies on two of the images.

    Raises InputError where the images do not fit a network or a site describes itself in numbers that
    mean nothing.
    """
    images = images[:2]  # not one, of which a batch-norm in training mode makes nothing
    ann_calls, ann_findings = _observed_calls(ann, "ANN", images)
    snn_calls, snn_findings = _observed_calls(snn, "SNN", images)
    findings = ann_findings + snn_findings
    pairs, alone = pair_calls(
        find_sites(ann, is_activation), ann_calls, find_sites(snn, is_neuron), snn_calls
    )
    findings += [
        Finding(
            kind="site-without-partner",
            site=str(call),
            sentence="has no counterpart in the other network",
        )
        for call in alone
    ]
    findings += _unconverted(snn, images)
    settings = {pair.name: setting_of(pair) for pair in pairs}
    for name, setting in settings.items():
        findings += _threshold_findings(name, setting)
    valid = [pair for pair in pairs if settings[pair.name].valid]
    calls = {"ANN": frozenset(ann_calls), "SNN": frozenset(snn_calls)}
    return Correspondence(valid, {pair.name: settings[pair.name] for pair in valid}, findings, calls)


def _observed_calls(network: nn.Module, label: str, images: Tensor) -> tuple[list[Call], list[Finding]]:
    """Return the calls of one network's sites in a forward pass, and what is wrong with them."""
    wanted, kind = (
        (is_activation, "quantized activation") if label == "ANN" else (is_neuron, "spiking neuron")
    )
    trial = working_copy(network)
    sites = find_sites(trial, wanted)
    calls: list[Call] = []
    try:
        run_observed(trial, sites, images, lambda call, x, out: calls.append(call))
    except (RuntimeError, ValueError) as error:
        shape, reason = list(images.shape[1:]), str(error).splitlines()[0]
        raise InputError(f"images of shape {shape} do not run through the {label}: {reason}") from error
    findings = [
        Finding(
            kind="site-not-called", site=f"{label} {name}", sentence="is never called, so nobody looked at it"
        )
        for name in sorted(sites.keys() - {call.name for call in calls})
    ]
    if not calls:
        sentence = f"has no {kind} that runs, so there is nothing to compare"
        findings.append(Finding(kind="no-site", site=label, sentence=sentence))
    if any(module.training for module in network.modules()):
        sentence = "is in training mode, where batch-norm depends on the batch; call .eval()"
        findings.append(Finding(kind="training-mode", site=label, sentence=sentence))
    return calls, findings


def _unconverted(snn: nn.Module, images: Tensor) -> list[Finding]:
    trial = working_copy(snn)
    found = unconverted_activations(trial, find_sites(trial, is_neuron), images)
    branches = {name: [op for op in operations if op in BRANCHING] for name, operations in found.items()}
    return [
        Finding(
            kind="control-flow",
            site=name,
            sentence=f"decides by what it computes ({', '.join(operations)}), so other images may run other "
            "sites, or none",
        )
        for name, operations in branches.items()
        if operations
    ] + [
        Finding(
            kind="unconverted-activation",
            site=name,
            sentence=f"computes {', '.join(operations)}: no neuron, no pooling, and not known to be linear",
        )
        for name, operations in found.items()
    ]


def _threshold_findings(name: str, setting: Setting) -> list[Finding]:
    gamma, theta = setting.activation_threshold, setting.threshold
    if not setting.valid:
        both = f"activation threshold {gamma:.6g} and neuron threshold {theta:.6g}"
        sentence = f"has {both}; both must be positive and finite"
        return [Finding(kind="threshold-not-positive", site=name, sentence=sentence)]
    if gamma != theta:
        sentence = (
            f"fires at {theta:.9g} ({theta.hex()}) but its activation clips at {gamma:.9g} ({gamma.hex()})"
        )
        return [Finding(kind="threshold-mismatch", site=name, sentence=sentence)]
    return []
