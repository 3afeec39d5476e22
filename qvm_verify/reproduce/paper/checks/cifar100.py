"""A.5: Table 2, CIFAR-100."""

from __future__ import annotations

from decimal import Decimal

from qvm_verify.reproduce.paper.agreement import (
    Finding,
    decided,
    difference,
    higher,
    setting,
    unchecked,
    value,
)
from qvm_verify.reproduce.paper.tables import Row, row


def findings() -> dict[str, list[Finding]]:
    """Return the findings by the ids of the sentences."""
    own, srp = _row("VGG-16", "QVM"), _row("VGG-16", "SRP")
    return {
        "vgg-0.78": [
            setting("L of VGG-16", 8, own.levels, own.where),
            value("76.20", own.at(4)),
            difference("0.78", own.at(4), srp.at(4)),
        ],
        "srp-needs-8": _needs(),
        "vgg-77.00": _at_32(),
        "resnet20-4": _resnet20(),
        "resnet18-settings": _resnet18(),
        "table2-tau": [_total("SRP", 4, 8), _total("COS", 8, 12)],
    }


def _row(network: str, method: str) -> Row:
    return row("table2", network=network, method=method)


def _needs() -> list[Finding]:
    srp, cos = _row("VGG-16", "SRP"), _row("VGG-16", "COS")
    assert srp.tau is not None
    reached = next(t for t, accuracy in srp.accuracy.items() if accuracy >= Decimal("76.20"))
    return [
        decided(
            reached + srp.tau <= 8,
            f"With τ = {srp.tau}, 8 time-steps of SRP are T = {8 - srp.tau}, where Table 2 has "
            f"{srp.accuracy[8 - srp.tau]}, below 76.20; the first printed T that reaches 76.20 is T = "
            f"{reached} ({srp.accuracy[reached]}), {reached + srp.tau} time-steps.",
        ),
        value("76.52", cos.at(8)),
        _total("COS", 8, 12),
    ]


def _total(method: str, time_steps: int, claimed: int) -> Finding:
    tau = _row("VGG-16", method).tau
    assert tau is not None, method
    said = f"the sum {time_steps} + {tau} with the τ of the table's note"
    return setting(f"T + τ of {method}", claimed, time_steps + tau, said)


def _at_32() -> list[Finding]:
    own = _row("VGG-16", "QVM")
    others = [_row("VGG-16", method).at(32) for method in ("QCFS", "SlipReLU", "FTBC")]
    claimed = Decimal("77.00")
    above = [cell for cell in others if cell.value >= claimed]
    return [
        value("77.00", own.at(8)),
        decided(
            not above,
            "77.00 as the text has it is not above "
            + ", ".join(f"{cell.value} of {cell.where}" for cell in above)
            + f"; {own.accuracy[8]} as the table has it is.",
        ),
        *(higher(own.at(8), cell) for cell in others),
        unchecked("AdaFire is not in Table 2, nor anywhere else in the paper on CIFAR-100."),
    ]


def _resnet20() -> list[Finding]:
    own, ftbc = _row("ResNet-20", "QVM"), _row("ResNet-20", "FTBC")
    return [
        setting("L of ResNet-20", 8, own.levels, own.where),
        value("64.57", own.at(4)),
        value("58.08", ftbc.at(4)),
        higher(own.at(4), ftbc.at(4)),
        value("68.24", own.at(8)),
        unchecked(
            f"FTBC is no standard ResNet-20 (the table's note), its ANN has {ftbc.ann} against {own.ann}; at "
            f"T = 8 it has {ftbc.accuracy[8]}, above {own.accuracy[8]}, which the sentence leaves out."
        ),
    ]


def _resnet18() -> list[Finding]:
    own, slip, qcfs = (_row("ResNet-18", method) for method in ("QVM", "SlipReLU", "QCFS"))
    return [
        setting("L of ResNet-18", 4, own.levels, own.where),
        unchecked(
            f"Theorem 3 would fit L = 4 better: the ANN has {own.ann}, the SNN {own.accuracy[4]} at T = 4 "
            f"and {own.accuracy[8]} at T = 8."
        ),
        value("75.61", own.at(2)),
        value("73.91", slip.at(2)),
        higher(own.at(2), slip.at(2)),
        value("70.79", qcfs.at(2)),
        higher(own.at(2), qcfs.at(2)),
    ]
