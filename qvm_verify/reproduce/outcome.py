"""What an experiment hands over: numbers, a paragraph made from them, and a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure  # the backend is chosen first

from qvm_verify.whole_files import write_text, written_whole

matplotlib.rcParams["svg.hashsalt"] = "qvm-verify"  # the same figure, the same bytes


class Facts(dict[str, object]):
    """The numbers that a paragraph names, recorded as it names them."""

    def __call__(self, name: str, value: object) -> str:
        """Record a fact and return it as the paragraph and the CSV both write it."""
        self[name] = value
        return show(value)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """An experiment's result; every number of its paragraph is one of its `facts` or in its `rows`.

    `rows` are the numbers behind the picture, `columns` their names with units.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    facts: Facts
    paragraph: str
    figure: Figure

    def write(self, folder: Path) -> list[Path]:
        """Write NAME.csv, NAME-facts.csv, NAME.md, NAME.svg and NAME.png; return their paths.

        Raises InputError where the folder cannot be written.
        """
        paths = [folder / f"{self.name}{end}" for end in (".csv", "-facts.csv", ".md", ".svg", ".png")]
        write_text(paths[0], _csv(self.columns, self.rows))
        write_text(paths[1], _csv(("fact", "value"), list(self.facts.items())))
        write_text(paths[2], f"# {self.title}\n\n{self.paragraph}\n\n![{self.title}]({paths[3].name})\n")
        for path, options in ((paths[3], {"metadata": {"Date": None}}), (paths[4], {"dpi": 120})):
            with written_whole(path) as temporary:
                self.figure.savefig(temporary, format=path.suffix[1:], bbox_inches="tight", **options)
        return paths


def show(value: object) -> str:
    """Return a value as paragraph and CSV both write it: floats with four digits that count."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def percent(part: int, whole: int) -> str:
    """Return a share as a percentage with two decimals, without its sign."""
    return f"{100 * part / whole:.2f}"


def _csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([show(value) for value in row] for row in rows)
    return text.getvalue()
