"""Floats of which only the order is known: the arithmetic in which lemmas are put together.

A float is a number or NaN, and numbers are ordered. Here a value is a symbolic rank and a symbolic flag "is
a number"; the comparisons are those of IEEE 754 (false where NaN takes part), and the result of every
operation is a fresh value of which nothing is known but that the same operation on the same operands gives
it again. So whatever is proved here holds in every float format, overflow, -0.0 and NaN included, and may
rest on nothing but the lemmas that are assumed. Any finite set of floats can be ranked by its own values
(an infinity by something larger), which is why constants are ranked by what they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from qvm_verify.proofs.symbols import Symbols, boolean, real


@dataclass(frozen=True, eq=False)
class Ordered:
    """A float of which only the rank is known. `key` says how it was made."""

    order: Order
    key: str
    number: Any  # a condition: it is not NaN
    rank: Any

    def _compare(self, other: Any, holds: Any) -> Any:
        return self.number & other.number & holds

    def __add__(self, other: Any) -> Ordered:
        return self.order.opaque("+", self, other)

    def __radd__(self, other: Any) -> Ordered:
        return self.order.opaque("+", other, self)

    def __sub__(self, other: Any) -> Ordered:
        return self.order.opaque("-", self, other)

    def __mul__(self, other: Any) -> Ordered:
        return self.order.opaque("*", self, other)

    def __truediv__(self, other: Any) -> Ordered:
        return self.order.opaque("/", self, other)

    def __neg__(self) -> Ordered:
        return self.order.opaque("neg", self)

    def __lt__(self, other: Any) -> Any:
        other = self.order.lift(other)
        return self._compare(other, self.rank < other.rank)

    def __le__(self, other: Any) -> Any:
        other = self.order.lift(other)
        return self._compare(other, self.rank <= other.rank)

    def __gt__(self, other: Any) -> Any:
        return self.order.lift(other) < self

    def __ge__(self, other: Any) -> Any:
        return self.order.lift(other) <= self

    def __eq__(self, other: object) -> Any:
        right = self.order.lift(other)
        return self._compare(right, self.rank == right.rank)

    def __ne__(self, other: object) -> Any:
        return ~(self == other)


class Order:
    """`reference.Ops` on `Ordered` values, and the maker of such values."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self._made: dict[str, Ordered] = {}

    def value(self, name: str) -> Ordered:
        """Make a float that may be anything, NaN included."""
        return self._named(name, name)

    def opaque(self, operation: str, *operands: Any) -> Ordered:
        """Return the result of an operation of which nothing is known."""
        key = f"({operation} {' '.join(self.lift(operand).key for operand in operands)})"
        if key not in self._made:
            self._made[key] = self._named(key, f"r{len(self._made)}")
        return self._made[key]

    def _named(self, key: str, name: str) -> Ordered:
        flag = self.symbols.number(f"{name}_nan")  # NaN where it is positive: the sign stands for the flag
        return Ordered(self, key, flag <= 0, self.symbols.number(name))

    def lift(self, value: Any) -> Ordered:
        """Return an integer or a `Fraction` as the constant that it is; a value as itself."""
        if isinstance(value, Ordered):
            return value
        return Ordered(self, str(Fraction(value)), boolean(True), real(Fraction(value)))

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        """Return If(condition, yes, no) of two values, two counts or two conditions."""
        choose = self.symbols.ops.where
        if not isinstance(yes, Ordered) and not isinstance(no, Ordered):
            return choose(condition, yes, no)
        yes, no = self.lift(yes), self.lift(no)
        key = f"(if {condition} {yes.key} {no.key})"
        number = choose(condition, yes.number, no.number)
        return Ordered(self, key, number, choose(condition, yes.rank, no.rank))

    def floor(self, x: Any) -> Ordered:
        """Return something."""
        return self.opaque("floor", x)

    def ceil(self, x: Any) -> Ordered:
        """Return something."""
        return self.opaque("ceil", x)

    def cast(self, value: Any, like: Any) -> Ordered:
        """Return a constant."""
        return self.lift(value)
