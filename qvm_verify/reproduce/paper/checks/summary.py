"""Abstract, introduction (1) and the discussion of previous works (A.8)."""

from __future__ import annotations

from qvm_verify.reproduce.paper.agreement import Finding, decided, setting, unchecked, value
from qvm_verify.reproduce.paper.checks.ablation import highest
from qvm_verify.reproduce.paper.consistency import ahead, falls, lossless_count
from qvm_verify.reproduce.paper.tables import MATCHED, own_rows, row, rows

THEORETICALLY = "'Theoretically' does not say where the printed difference comes from."


def findings() -> dict[str, list[Finding]]:
    """Return the findings by the ids of the sentences."""
    return {
        "abstract-exact": [_exact()],
        "abstract-optimum": [_more_is_not_always_better(), _optimum()],
        "abstract-74.74": _headline(),
        "introduction-matching": [highest(quantizer) for quantizer in MATCHED],
        "introduction-optimum": [_optimum()],
        "introduction-74.74": [*_headline()[:2], _resnet34_exact()],
        "discussion-exact": [_exact(), unchecked(THEORETICALLY)],
    }


def _exact() -> Finding:
    equal, lines = lossless_count()
    return decided(
        equal == lines,
        f"Exact correspondence gives the SNN at T = L the ANN's accuracy; so it is in {equal} of the "
        f"{lines} lines of Tables 1, 2 and 4 that print both.",
    )


def _resnet34_exact() -> Finding:
    own = row("table1", network="ResNet-34", method="QVM")
    return decided(
        own.ann == own.accuracy[8],
        f"Error-free conversion gives the ANN's accuracy; {own.ann_cell.where} has {own.ann}, "
        f"the SNN {own.accuracy[8]}. {THEORETICALLY}",
    )


def _headline() -> list[Finding]:
    own = row("table1", network="ResNet-34", method="QVM")
    overall = max(
        (one.at(t) for one in rows("table1") if one.network == "ResNet-34" for t in one.accuracy),
        key=lambda cell: cell.value,
    )
    others = [cell for t, cell in ahead(own) if t == 8]
    return [
        value("74.74", own.at(8)),
        setting("T = L", 8, own.levels, own.where),
        decided(
            not others,
            f"At T = 8 no method of Table 1 is above it for ResNet-34 (over all T, {overall.where} has "
            f"{overall.value}).",
        ),
    ]


def _more_is_not_always_better() -> Finding:
    falling = [own for own in own_rows() if falls(own)]
    lines = sum(len(own.accuracy) > 1 for own in own_rows())
    return decided(
        bool(falling),
        f"More time-steps are not always better: the accuracy falls at some larger T in {len(falling)} of "
        f"{lines} lines of the paper's own method.",
    )


def _optimum() -> Finding:
    lines = [own for own in own_rows() if len(own.accuracy) > 1]
    best = sum(own.levels in own.best for own in lines)
    return unchecked(
        "What the optimum weighs against accuracy is not stated. By accuracy alone, T = L is the best "
        f"printed T in {best} of {len(lines)} lines of the paper's own method."
    )
