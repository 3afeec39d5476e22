"""Tables 1 to 4 as the paper prints them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import NamedTuple

TABLES = ("table1", "table2", "table3", "table4")
MATCHED = {"floor": "0", "round": "θ/2", "ceil": "θ"}
"""The initial potential that Eq. 8 gives each quantizer."""


class Cell(NamedTuple):
    """A printed accuracy in percent, and where it stands."""

    where: str
    value: Decimal


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """A line of a table: a method on a network, its accuracies in percent as they are printed.

    `levels` is L and `tau` the time-steps before inference, None where the table gives none. Table 4 names a
    quantizer and V0, the others a method; Table 3 prints no network and no accuracy of an ANN.
    """

    table: str
    dataset: str
    network: str
    method: str
    levels: int | None
    tau: int | None
    quantizer: str
    v_init: str
    ann: Decimal | None
    accuracy: dict[int, Decimal]  # by the number of time-steps T, ascending

    @property
    def where(self) -> str:
        """Name the table and the line."""
        if self.quantizer:
            return f"{self.table}, {self.quantizer}, V0 = {self.v_init}"
        return f"{self.table}, {self.network or self.dataset}, {self.method}"

    @property
    def matched(self) -> bool:
        """Whether this is the paper's own method: V0 as Eq. 8 has it."""
        return self.v_init == MATCHED[self.quantizer] if self.quantizer else self.method == "QVM"

    @property
    def ann_cell(self) -> Cell:
        """The accuracy of the ANN."""
        assert self.ann is not None, self.where
        return Cell(f"{self.where}, ANN", self.ann)

    @property
    def at_levels(self) -> Cell:
        """The accuracy at T = L."""
        assert self.levels is not None, self.where
        return self.at(self.levels)

    @property
    def best(self) -> list[int]:
        """Every T with the highest accuracy of the line."""
        return [t for t, value in self.accuracy.items() if value == max(self.accuracy.values())]

    def at(self, time_steps: int) -> Cell:
        """Return the accuracy at one T."""
        return Cell(f"{self.where}, T = {time_steps}", self.accuracy[time_steps])


@cache
def rows(table: str) -> Sequence[Row]:
    """Return the lines of `table`, one of `TABLES`, from top to bottom."""
    text = (files(__package__) / f"{table}.csv").read_text(encoding="utf-8")
    return tuple(_row(table, line) for line in csv.DictReader(text.splitlines()))


def row(table: str, **wanted: str) -> Row:
    """Return the only line of a table whose attributes are as `wanted`."""
    (found,) = (
        one for one in rows(table) if all(getattr(one, name) == value for name, value in wanted.items())
    )
    return found


def own_rows() -> list[Row]:
    """Return the lines of the paper's own method in all tables: L is given and V0 matches the quantizer."""
    return [one for table in TABLES for one in rows(table) if one.matched]


def _row(table: str, line: dict[str, str]) -> Row:
    def whole(name: str) -> int | None:
        return int(line[name]) if line.get(name) else None

    return Row(
        table=f"Table {table[-1]}",
        dataset=line["dataset"],
        network=line.get("network", ""),
        method=line.get("method", ""),
        levels=whole("L"),
        tau=whole("tau"),
        quantizer=line.get("quantizer", ""),
        v_init=line.get("V0", ""),
        ann=Decimal(line["ANN"]) if line.get("ANN") else None,
        accuracy={
            int(name[2:]): Decimal(value) for name, value in line.items() if name.startswith("T=") and value
        },
    )
