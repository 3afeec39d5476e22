"""The certificates of an audit: what is decided for every number, and what of it the data reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from qvm_verify.audit.mergeable import Count, Mergeable, Smallest
from qvm_verify.audit.setting import Setting
from qvm_verify.audit.sites import Pair
from qvm_verify.certificate import Certificate, certify, find_repair
from qvm_verify.exits import InputError
from qvm_verify.report.model import CertificateResult
from qvm_verify.snn import IFNeuron, QuantizedActivation
from qvm_verify.snn.ordinals import ordinal, to_ordinals
from qvm_verify.verdict import Verdict

Certify = Literal["boundary", "exhaustive", "off"]


@dataclass
class Reach(Mergeable):
    """Which of a site's failing inputs the data hit."""

    hits: Count = 0
    nearest: Smallest = None  # how near the other inputs came, in ulp


class SiteCertificate:
    """The certificate of one site."""

    def __init__(
        self,
        pair: Pair,
        setting: Setting,
        dtype: torch.dtype,
        device: torch.device,
        method: Certify,
        on_inputs: Callable[[int], None] = lambda inputs: None,
    ) -> None:
        self.site = pair.name
        self.certificate: Certificate | None = None
        self.repair: dict[str, Any] | None = None
        self.reason = ""
        self.failing = torch.empty((0, 2), dtype=torch.int64, device=device)  # first and last ordinals
        try:
            self.certificate = _certify(pair, setting, dtype, device, method, on_inputs)
        except InputError as error:
            self.reason = str(error)
            return
        self.failing = torch.tensor(
            [
                [ordinal(float.fromhex(end), dtype) for end in (interval.first, interval.last)]
                for interval in self.certificate.intervals
            ],
            dtype=torch.int64,
            device=device,
        ).reshape(-1, 2)
        if self.certificate.mismatches:
            found = find_repair(pair.activation, pair.neuron, method=self.certificate.method)  # type: ignore[arg-type]  # _certify saw to it
            self.repair = None if found is None else {"change": str(found[1]), **_plain(found[1])}

    def reach(self, currents: Tensor) -> Reach:
        """Return how many of the ANN's inputs fail, and how near the others came."""
        if self.certificate is None or not self.certificate.mismatches:
            return Reach()
        places = to_ordinals(currents).flatten().clamp(min=-(1 << 60))
        first, last = self.failing[:, 0].clamp(min=-(1 << 60)), self.failing[:, 1]
        after = torch.searchsorted(first, places, right=True)
        before = (after - 1).clamp(min=0)
        inside = (after > 0) & (places <= last[before]) & ~torch.isnan(currents.flatten())
        distance = torch.minimum(
            torch.where(after > 0, places - last[before], 1 << 61),
            torch.where(after < len(first), first[after.clamp(max=len(first) - 1)] - places, 1 << 61),
        )
        outside = distance[~inside]
        return Reach(hits=int(inside.sum()), nearest=int(outside.min()) if len(outside) else None)

    @property
    def complete(self) -> bool:
        """Whether every failing interval is listed, so that a reach counts all of them."""
        certificate = self.certificate
        return certificate is not None and certificate.mismatches == sum(
            interval.inputs for interval in certificate.intervals
        )

    def result(self, reach: Reach) -> CertificateResult:
        """Return the entry of the report."""
        if self.certificate is None:
            return CertificateResult(site=self.site, verdict=Verdict.UNKNOWN.name, detail=self.reason)
        certificate = self.certificate
        return CertificateResult(
            site=self.site,
            verdict=certificate.evidence.verdict.name,
            detail=certificate.evidence.detail,
            method=certificate.method,
            rests_on=certificate.rests_on,
            dtype=certificate.dtype,
            threshold=certificate.threshold,
            inputs_checked=certificate.inputs_checked,
            mismatching_inputs=certificate.mismatches,
            mismatches=certificate.intervals,
            share_of_range=certificate.share_of_range,
            level_steps=certificate.level_steps,
            count_steps=certificate.count_steps,
            monotone=certificate.monotone,
            classes=certificate.classes,
            reached=reach.hits,
            nearest_ulps=reach.nearest,
            repair=self.repair,
        )


def _plain(repair: Any) -> dict[str, Any]:
    return {key: value for key, value in asdict(repair).items() if key != "certificate"}


def _certify(
    pair: Pair,
    setting: Setting,
    dtype: torch.dtype,
    device: torch.device,
    method: Certify,
    on_inputs: Callable[[int], None],
) -> Certificate:
    if method == "off":
        raise InputError("not asked for")
    if setting.streaming:
        raise InputError("under streaming currents the count is no function of one number")
    if type(pair.activation) is not QuantizedActivation or type(pair.neuron) is not IFNeuron:
        raise InputError("the audit certifies this project's own modules; call qvm.certify for others")
    return certify(
        pair.activation,
        pair.neuron,
        threshold=setting.threshold,
        levels=setting.levels,
        time_steps=setting.time_steps,
        dtype=dtype,
        method=method,
        device=device,
        on_inputs=on_inputs,
    )
