"""How a printed number stands to what the tables give for it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from qvm_verify.reproduce.paper.tables import Cell, Row


class Agreement(StrEnum):
    """What a check found, in the order in which one finding of a sentence outweighs another."""

    CONTRADICTS = "contradicts"
    ROUNDING = "rounding only"
    AGREES = "agrees"
    UNCHECKED = "not checkable"  # a sentence is it only where none of its parts is checked


class Finding(NamedTuple):
    """What one check found, and a plain sentence with its numbers."""

    agreement: Agreement
    says: str


def value(claimed: str, cell: Cell) -> Finding:
    """Compare a number of the text with the cell it repeats; half a unit of its last digit is rounding."""
    number = Decimal(claimed)
    said = f"The text has {claimed}, {cell.where} has {cell.value}"
    if number == cell.value:
        return Finding(Agreement.AGREES, f"{said}.")
    if abs(number - cell.value) <= _unit(number) / 2:
        return Finding(Agreement.ROUNDING, f"{said}, which rounds to it.")
    return Finding(Agreement.CONTRADICTS, f"{said}: {number - cell.value:+} apart.")


def difference(claimed: str, higher: Cell, lower: Cell) -> Finding:
    """Recompute `higher` - `lower`, in percentage points.

    What was computed before rounding may be off by half a unit of the claim and of either cell: 1.5 units.
    """
    number, found = Decimal(claimed), higher.value - lower.value
    said = (
        f"The text has a difference of {claimed}; {higher.value} ({higher.where}) less {lower.value} "
        f"({lower.where}) is {found}"
    )
    if number == found:
        return Finding(Agreement.AGREES, f"{said}.")
    slack = (_unit(number) + _unit(higher.value) + _unit(lower.value)) / 2
    if abs(number - found) <= slack:
        return Finding(Agreement.ROUNDING, f"{said}, within the rounding of the three.")
    return Finding(Agreement.CONTRADICTS, f"{said}, not {claimed}.")


def higher(cell: Cell, than: Cell) -> Finding:
    """Check that one accuracy is above another."""
    above = cell.value > than.value
    return Finding(
        Agreement.AGREES if above else Agreement.CONTRADICTS,
        f"{cell.where} has {cell.value}, {'above' if above else 'not above'} {than.value} "
        f"of {than.where} ({cell.value - than.value:+}).",
    )


def best_at(row: Row, time_steps: int) -> Finding:
    """Check that no T of a line has a higher accuracy; another T may have the same."""
    top = max(row.accuracy.values())
    said = f"{row.where} has its highest accuracy, {top}, at T = {_listed(row.best)}"
    if time_steps not in row.best:
        return Finding(Agreement.CONTRADICTS, f"{said}, and {row.accuracy[time_steps]} at T = {time_steps}.")
    return Finding(Agreement.AGREES, f"{said}.")


def setting(name: str, claimed: object, found: object, where: str) -> Finding:
    """Compare a setting that two places give."""
    if claimed == found:
        return Finding(Agreement.AGREES, f"{name}: {claimed} as in {where}.")
    return Finding(Agreement.CONTRADICTS, f"{name}: the text has {claimed}, {where} has {found}.")


def decided(agrees: bool, says: str) -> Finding:
    """Return the finding of a check that is a yes or a no."""
    return Finding(Agreement.AGREES if agrees else Agreement.CONTRADICTS, says)


def unchecked(reason: str) -> Finding:
    """Return the finding that the tables cannot decide it, and why."""
    return Finding(Agreement.UNCHECKED, reason)


def together(findings: list[Finding]) -> Agreement:
    """Return the agreement of a sentence: that of its findings that outweighs the others."""
    return min((one.agreement for one in findings), key=list(Agreement).index)


def _unit(number: Decimal) -> Decimal:
    """Return one unit of the last printed digit."""
    return Decimal(1).scaleb(int(number.as_tuple().exponent))


def _listed(numbers: list[int]) -> str:
    return " and ".join(map(str, numbers))
