"""A.4: datasets and training."""

from __future__ import annotations

from qvm_verify.reproduce.paper.agreement import Finding, decided, setting, unchecked
from qvm_verify.reproduce.paper.consistency import possible
from qvm_verify.reproduce.paper.tables import row, rows

NOWHERE_ELSE = "No second place in the paper gives these settings of the training."


def findings() -> dict[str, list[Finding]]:
    """Return the findings by the ids of the sentences."""
    return {
        "cifar100-training": [
            _networks("table2", {"ResNet-18", "ResNet-20", "VGG-16"}),
            unchecked(NOWHERE_ELSE),
        ],
        "imagenet-training": [_networks("table1", {"ResNet-34", "VGG-16"}), unchecked(NOWHERE_ELSE)],
        "cifar10dvs-data": [possible(row("table3", dataset="CIFAR10-DVS", method="QVM"), 4)],
        "gesture-data": [
            setting("training and test samples", 1_342, 1_208 + 134, "the sum 1,208 + 134"),
            possible(row("table3", dataset="DVS-Gesture", method="QVM"), 4),
            _fits(288),
            unchecked("No second place in the paper gives the gestures, the participants or the duration."),
        ],
    }


def _networks(table: str, claimed: set[str]) -> Finding:
    found = {one.network for one in rows(table)}
    return decided(found == claimed, f"{rows(table)[0].table} has {', '.join(sorted(found))}.")


def _fits(samples: int) -> Finding:
    """Say how many of the accuracies on DVS-Gesture a test set of another size makes."""
    cells = [one.at(t) for one in rows("table3") if one.dataset == "DVS-Gesture" for t in one.accuracy]
    counts = [round(float(cell.value) * samples / 100) for cell in cells]
    fit = [
        f"{cell.value} = {count}/{samples}"
        for cell, count in zip(cells, counts, strict=True)
        if f"{100 * count / samples:.2f}" == str(cell.value)
    ]
    return unchecked(
        f"A test set of {samples} samples, which the paper does not mention, would make {len(fit)} of the "
        f"{len(cells)} accuracies on DVS-Gesture in Table 3: {', '.join(fit)}."
    )
