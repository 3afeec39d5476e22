"""6.1: Table 1, ImageNet-1k."""

from __future__ import annotations

from qvm_verify.reproduce.paper.agreement import (
    Finding,
    best_at,
    decided,
    difference,
    higher,
    setting,
    unchecked,
    value,
)
from qvm_verify.reproduce.paper.consistency import ahead
from qvm_verify.reproduce.paper.tables import Row, row, rows


def findings() -> dict[str, list[Finding]]:
    """Return the findings by the ids of the sentences."""
    return _vgg16() | _resnet34() | {"cifar100-outperforms": [_outperforms()], "table1-tau": _tau()}


def _vgg16() -> dict[str, list[Finding]]:
    own, srp, cos, qcfs, ftbc, adafire = _network("VGG-16")
    return {
        "vgg-settings": [
            setting("L of VGG-16", 8, own.levels, own.where),
            setting("L of VGG-16", 8, 16, "the next sentence (T=L=16)"),
            unchecked("Table 1 names no quantizer."),
        ],
        "vgg-best": [
            value("74.39", own.ann_cell),
            value("74.30", own.at(16)),
            best_at(own, 16),
            setting("L of VGG-16", 16, own.levels, own.where),
        ],
        "vgg-8": [
            value("73.77", own.at(8)),
            value("73.53", adafire.at(8)),
            higher(own.at(8), adafire.at(8)),
            value("73.82", cos.at(8)),
            _total(cos, 8, 16),
            value("19.12", qcfs.at(8)),
            higher(own.at(8), qcfs.at(8)),
            value("64.20", ftbc.at(8)),
            higher(own.at(8), ftbc.at(8)),
            unchecked(
                "'Slightly', 'comparable' and 'far' have no number; the differences are "
                f"{_gap(own, adafire)} to AdaFire, {_gap(own, cos)} to COS, {_gap(own, qcfs)} to QCFS, "
                f"{_gap(own, ftbc)} to FTBC."
            ),
        ],
        "vgg-4": [
            value("71.20", own.at(4)),
            difference("20.07", own.at(4), ftbc.at(4)),
            value("51.13", ftbc.at(4)),
            difference("4.73", own.at(4), srp.at(4)),
            value("66.47", srp.at(4)),
            _total(srp, 4, 18),
        ],
    }


def _resnet34() -> dict[str, list[Finding]]:
    own, srp, cos, qcfs, ftbc, adafire = _network("ResNet-34")
    at_8 = [cell for t, cell in ahead(own) if t == 8]
    later = [cell for _, cell in ahead(own) if cell.value > own.accuracy[8]]
    return {
        "resnet34-settings": [
            setting("L of ResNet-34", 8, own.levels, own.where),
            value("74.32", own.ann_cell),
        ],
        "resnet34-best": [
            value("74.74", own.at(8)),
            best_at(own, 8),
            value("74.17", cos.at(8)),
            _total(cos, 8, 16),
            value("72.96", adafire.at(8)),
            decided(
                not at_8,
                "No other method of Table 1 is above it at T = 8"
                + "".join(f" (over all T, {cell.where} has {cell.value})" for cell in later)
                + ".",
            ),
        ],
        "resnet34-4": [
            value("67.28", own.at(4)),
            difference("53.58", own.at(4), ftbc.at(4)),
            value("13.70", ftbc.at(4)),
            value("66.71", srp.at(4)),
            _total(srp, 4, 12),
            difference("0.57", own.at(4), srp.at(4)),
        ],
        "resnet34-16": [
            value("72.98", own.at(16)),
            value("68.02", srp.at(16)),
            higher(own.at(16), srp.at(16)),
            value("59.35", qcfs.at(16)),
            higher(own.at(16), qcfs.at(16)),
        ],
        "resnet34-8": [
            difference("39.68", own.at(8), qcfs.at(8)),
            value("35.06", qcfs.at(8)),
            value("74.74", own.at(8)),
            difference("1.78", own.at(8), adafire.at(8)),
            value("74.17", cos.at(8)),
            _total(cos, 8, 16),
            difference("0.57", own.at(8), cos.at(8)),
        ],
    }


def _network(name: str) -> list[Row]:
    methods = ("QVM", "SRP", "COS", "QCFS", "FTBC", "AdaFire")
    return [row("table1", network=name, method=method) for method in methods]


def _gap(own: Row, other: Row) -> str:
    return f"{own.accuracy[8] - other.accuracy[8]:+}"


def _total(one: Row, time_steps: int, claimed: int) -> Finding:
    assert one.tau is not None, one.where
    said = f"the sum {time_steps} + {one.tau} with the τ of the table's note"
    return setting(f"T + τ of {one.method} on {one.network}", claimed, time_steps + one.tau, said)


def _outperforms() -> Finding:
    own = [one for one in rows("table2") if one.matched]
    cells = sum(len(one.accuracy) for one in own)
    behind = {one.network: {t for t, _ in ahead(one)} for one in own}
    alike = sum(len({t for t, _ in ahead(one, without=("SRP", "COS", "FTBC"))}) for one in own)
    listed = "; ".join(
        f"{network} at T = {', '.join(map(str, sorted(at)))}" for network, at in behind.items()
    )
    return decided(
        not any(behind.values()),
        f"In {sum(map(len, behind.values()))} of the {cells} cells of QVM in Table 2 a previous method is "
        f"more accurate at the same T: {listed}. Without SRP and COS, which take τ time-steps more, and "
        f"FTBC, whose ResNet-20 is no standard one, it is {alike} of {cells}.",
    )


def _tau() -> list[Finding]:
    _, srp_vgg, cos_vgg, *_ = _network("VGG-16")
    _, srp_resnet, cos_resnet, *_ = _network("ResNet-34")
    return [
        _total(srp_vgg, 4, 18),
        _total(srp_resnet, 4, 12),
        _total(cos_vgg, 8, 16),
        _total(cos_resnet, 8, 16),
    ]
