"""Statistics that merge exactly, in any order and grouping.

Every field is an integer count, a largest or smallest value, or a sorted collection, so each merge is
associative and commutative to the last bit: an audit that was cut off, or split over processes, ends in the
same report as one that ran through. There is no floating-point sum among them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Annotated, Any, Self, get_type_hints

Triple = tuple[int, int, int]


def _smaller(a: int | None, b: int | None) -> int | None:
    return min((value for value in (a, b) if value is not None), default=None)


def _added(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(operator.add, a, b)) if a and b else a or b


def _added_triples(a: tuple[Triple, ...], b: tuple[Triple, ...]) -> tuple[Triple, ...]:
    counts: dict[tuple[int, int], int] = {}
    for x, y, number in (*a, *b):
        counts[x, y] = counts.get((x, y), 0) + number
    return tuple((x, y, number) for (x, y), number in sorted(counts.items()))


def _first_hundred(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*a, *b})[:100])


def _united(a: tuple[Any, ...], b: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted({*a, *b}))


# The type of a field says how it merges.
Count = Annotated[int, operator.add]
Largest = Annotated[int, max]
LargestFloat = Annotated[float, max]
Smallest = Annotated[int | None, _smaller]
Histogram = Annotated[tuple[int, ...], _added]
PairCounts = Annotated[tuple[Triple, ...], _added_triples]  # sorted (a, b, how often)
Sentences = Annotated[tuple[str, ...], _first_hundred]
Names = Annotated[tuple[Any, ...], _united]


class Mergeable:
    """A dataclass whose fields are of the types above, or `Annotated` with a function that merges two."""

    def merge(self, other: Self) -> None:
        """Take in what `other` has seen."""
        kind: Any = type(self)
        for name, merge in _merges(kind).items():
            setattr(self, name, merge(getattr(self, name), getattr(other, name)))

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them; floats survive it bit for bit."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]  # every subclass is a dataclass

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return what `to_json` wrote. Raises TypeError on anything else."""
        return cls(**{name: _tuples(value) for name, value in content.items()})


@cache
def _merges(kind: Any) -> dict[str, Callable[[Any, Any], Any]]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
