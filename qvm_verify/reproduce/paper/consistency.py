"""What the tables say of themselves: T = L against the ANN, the best T, where accuracies fall."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from itertools import pairwise

from qvm_verify.reproduce.paper.agreement import Finding, best_at, decided, unchecked
from qvm_verify.reproduce.paper.tables import Cell, Row, own_rows, rows

SAMPLES = {"CIFAR-100": 10_000, "ImageNet-1k": 50_000, "CIFAR10-DVS": 1_000, "DVS-Gesture": 134}
"""Test samples of each dataset, as A.4 gives them."""


def lossless() -> list[Finding]:
    """Check ANN = SNN at T = L for every line of the paper's own method, as Theorem 3 demands."""
    return [_lossless(row) for row in own_rows()]


def _lossless(row: Row) -> Finding:
    spiking = row.at_levels
    if row.ann is None:
        return unchecked(f"{row.where} prints no accuracy of the ANN to compare {spiking.value} with.")
    said = f"{row.where}, L = {row.levels}: the ANN has {row.ann}, the SNN at T = L has {spiking.value}"
    gap = spiking.value - row.ann
    images = abs(gap) * SAMPLES[row.dataset] / 100
    if gap == 0:
        return decided(True, f"{said}.")
    return decided(False, f"{said}: {gap:+}, or about {images:.0f} of {SAMPLES[row.dataset]:,} images.")


def lossless_count() -> tuple[int, int]:
    """Return in how many lines of the paper's own method ANN = SNN at T = L, and how many print both."""
    both = [row for row in own_rows() if row.ann is not None]
    return sum(row.at_levels.value == row.ann for row in both), len(both)


def optimum() -> list[Finding]:
    """Check for every line of the paper's own method that no T beats T = L."""
    return [
        best_at(row, row.levels)
        if len(row.accuracy) > 1
        else unchecked(f"{row.where} prints T = {row.levels} alone.")
        for row in own_rows()
        if row.levels is not None
    ]


def falls(row: Row) -> list[tuple[Cell, Cell]]:
    """Return each printed step to a larger T at which the accuracy falls."""
    return [
        (row.at(t), row.at(later))
        for t, later in pairwise(row.accuracy)
        if row.accuracy[later] < row.accuracy[t]
    ]


def ahead(row: Row, without: Collection[str] = ()) -> list[tuple[int, Cell]]:
    """Return each T at which another method of the table is above `row` on the same network and dataset.

    `without` names methods to leave out.
    """
    return [
        (t, other.at(t))
        for t, value in row.accuracy.items()
        for other in rows(row.table.lower().replace(" ", ""))
        if other.method not in (row.method, *without)
        and (other.dataset, other.network) == (row.dataset, row.network)
        and other.accuracy.get(t, Decimal(0)) > value
    ]


def twice() -> list[Finding]:
    """Compare each line of Table 2 with the lines of Table 4 for the same network, dataset and L."""
    pairs = {
        one: [
            other
            for other in rows("table4")
            if other.matched
            and (other.network, other.dataset, other.levels) == (one.network, one.dataset, one.levels)
        ]
        for one in rows("table2")
        if one.matched
    }
    return [_same(one, others) for one, others in pairs.items() if others]


def _same(one: Row, others: list[Row]) -> Finding:
    same = [other for other in others if (other.ann, other.accuracy) == (one.ann, one.accuracy)]
    listed = "; ".join(_beside(one, other) for other in others)
    return decided(
        bool(same),
        f"{one.where} and Table 4 are both {one.network} on {one.dataset} with L = {one.levels}, and nothing "
        f"says that they are two trainings. {one.table} names no quantizer; its ANN has {one.ann}, its SNN "
        f"{one.at_levels.value} at T = L, and Table 4 has no such line: {listed}.",
    )


def _beside(one: Row, other: Row) -> str:
    differ = sum(one.accuracy[t] != other.accuracy[t] for t in one.accuracy)
    return (
        f"{other.quantizer} has {other.ann} and {other.at_levels.value} ({differ} of "
        f"{len(one.accuracy)} accuracies differ)"
    )


def possible(row: Row, time_steps: int) -> Finding:
    """Check that a number of test samples, out of those that A.4 gives, makes the printed accuracy."""
    cell, samples = row.at(time_steps), SAMPLES[row.dataset]
    right = int(cell.value * samples / 100)
    shares = [(100 * Decimal(count) / samples).quantize(Decimal("0.01")) for count in (right, right + 1)]
    said = f"{cell.where} has {cell.value}; of {samples:,} test samples (A.4),"
    if cell.value in shares:
        return decided(True, f"{said} {right + shares.index(cell.value)} make it.")
    return decided(
        False,
        f"{said} no whole number makes it: {right} make {shares[0]}, {right + 1} make {shares[1]}.",
    )
