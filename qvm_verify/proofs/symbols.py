"""The reference's arithmetic on solver terms.

Beside `smtlib`, which prints them, this is the only module that knows z3's terms. Claims and reference code
run on them unchanged, through `RealOps` (the reals; every term has sort Real, integers too) and `FloatOps`
(IEEE 754, round to nearest even). Nothing here asks a solver anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import z3

from qvm_verify.claims.claim import Arithmetic, Kind
from qvm_verify.proofs.obligation import SORTS as SORTS
from qvm_verify.proofs.obligation import Expect, Obligation, Sort
from qvm_verify.proofs.smtlib import smtlib

RNE = z3.RNE()


def is_concrete(condition: Any) -> bool:
    """Tell whether a condition is already true or false, with no symbol in it."""
    return not isinstance(condition, z3.ExprRef)


class RealOps:
    """The real numbers as z3 terms of sort Real."""

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        """Return If(condition, yes, no) of two numbers or two conditions."""
        if is_concrete(condition):
            return yes if condition else no
        if isinstance(yes, bool | z3.BoolRef):
            return z3.If(condition, boolean(yes), boolean(no))
        return z3.If(condition, real(yes), real(no))

    def floor(self, x: Any) -> Any:
        """Return ⌊x⌋."""
        return z3.ToReal(z3.ToInt(real(x)))

    def ceil(self, x: Any) -> Any:
        """Return ⌈x⌉ = -⌊-x⌋."""
        return -self.floor(-x)

    def cast(self, value: Any, like: Any) -> Any:
        """Return `value` as a term of sort Real."""
        return real(value)


def real(value: Any) -> Any:
    """Return an integer, a `Fraction` or a term as a term of sort Real."""
    if isinstance(value, int | Fraction):
        return z3.RealVal(str(value))
    return z3.ToReal(value) if z3.is_int(value) else value


def boolean(value: Any) -> Any:
    """Return a condition as a term of sort Bool."""
    return z3.BoolVal(bool(value)) if is_concrete(value) else value


@dataclass(frozen=True, eq=False)
class Float:
    """A floating-point term whose operators mean what they mean in IEEE 754.

    z3's own `==` on such terms compares bit patterns (NaN equals NaN, -0.0 differs from 0.0), hence this
    wrapper. Integers and `Fraction`s on the other side are rounded to the nearest float first.
    """

    term: z3.FPRef

    def _lift(self, other: Any) -> z3.FPRef:
        return other.term if isinstance(other, Float) else float_value(other, self.term.sort())

    def __add__(self, other: Any) -> Float:
        return Float(z3.fpAdd(RNE, self.term, self._lift(other)))

    def __radd__(self, other: Any) -> Float:
        return Float(z3.fpAdd(RNE, self._lift(other), self.term))

    def __sub__(self, other: Any) -> Float:
        return Float(z3.fpSub(RNE, self.term, self._lift(other)))

    def __rsub__(self, other: Any) -> Float:
        return Float(z3.fpSub(RNE, self._lift(other), self.term))

    def __mul__(self, other: Any) -> Float:
        return Float(z3.fpMul(RNE, self.term, self._lift(other)))

    def __rmul__(self, other: Any) -> Float:
        return Float(z3.fpMul(RNE, self._lift(other), self.term))

    def __truediv__(self, other: Any) -> Float:
        return Float(z3.fpDiv(RNE, self.term, self._lift(other)))

    def __rtruediv__(self, other: Any) -> Float:
        return Float(z3.fpDiv(RNE, self._lift(other), self.term))

    def __neg__(self) -> Float:
        return Float(z3.fpNeg(self.term))

    def __lt__(self, other: Any) -> Any:
        return z3.fpLT(self.term, self._lift(other))

    def __le__(self, other: Any) -> Any:
        return z3.fpLEQ(self.term, self._lift(other))

    def __gt__(self, other: Any) -> Any:
        return z3.fpGT(self.term, self._lift(other))

    def __ge__(self, other: Any) -> Any:
        return z3.fpGEQ(self.term, self._lift(other))

    def __eq__(self, other: object) -> Any:
        return z3.fpEQ(self.term, self._lift(other))

    def __ne__(self, other: object) -> Any:
        return z3.Not(z3.fpEQ(self.term, self._lift(other)))


@dataclass(frozen=True)
class FloatOps:
    """IEEE 754 numbers of one format as `Float` terms."""

    arithmetic: Arithmetic

    @property
    def sort(self) -> Any:
        """The z3 sort of the format."""
        return z3.FPSort(*SORTS[self.arithmetic])

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        """Return If(condition, yes, no) of two numbers or two conditions."""
        if is_concrete(condition):
            return yes if condition else no
        if isinstance(yes, bool | z3.BoolRef):
            return z3.If(condition, boolean(yes), boolean(no))
        return Float(z3.If(condition, self._term(yes), self._term(no)))

    def floor(self, x: Any) -> Any:
        """Return x rounded to an integer toward -infinity."""
        return Float(z3.fpRoundToIntegral(z3.RTN(), self._term(x)))

    def ceil(self, x: Any) -> Any:
        """Return x rounded to an integer toward +infinity."""
        return Float(z3.fpRoundToIntegral(z3.RTP(), self._term(x)))

    def cast(self, value: Any, like: Any) -> Any:
        """Return `value` rounded to the nearest float of the format."""
        return Float(self._term(value))

    def _term(self, value: Any) -> Any:
        return value.term if isinstance(value, Float) else float_value(value, self.sort)


def float_value(value: Any, sort: Any) -> Any:
    """Return the float of `sort` that is nearest to an integer, a `Fraction` or a Python float."""
    if isinstance(value, float):
        return (
            z3.FPVal(value, sort)
            if sort == z3.Float64()
            else z3.simplify(z3.fpToFP(RNE, z3.FPVal(value, z3.Float64()), sort))
        )
    if not isinstance(value, int | Fraction):
        raise TypeError(f"no float for {value!r}")
    return z3.simplify(z3.fpRealToFP(RNE, z3.RealVal(str(value)), sort))


def ops_for(arithmetic: Arithmetic) -> RealOps | FloatOps:
    """Return the namespace that runs the reference in `arithmetic` on symbols."""
    return RealOps() if arithmetic == "real" else FloatOps(arithmetic)


class Symbols:
    """Makes the variables of one obligation and remembers them in their order."""

    def __init__(self, arithmetic: Arithmetic) -> None:
        self.arithmetic: Arithmetic = arithmetic
        self.ops = ops_for(arithmetic)
        self.variables: list[tuple[str, Sort]] = []
        self.facts: list[Any] = []  # what holds of the variables by their making: a count is >= 0

    def number(self, name: str) -> Any:
        """Make a real number, or any value of the float format, NaN and infinities included."""
        if self.arithmetic == "real":
            self.variables.append((name, "Real"))
            return z3.Real(name)
        self.variables.append((name, self.arithmetic))
        return Float(z3.FP(name, z3.FPSort(*SORTS[self.arithmetic])))

    def integer(self, name: str) -> Any:
        """Make an integer of any sign, as a term of sort Real; only for the reals."""
        if self.arithmetic != "real":
            raise ValueError(f"{name}: an integer variable has no meaning in {self.arithmetic}")
        self.variables.append((name, "Int"))
        return z3.ToReal(z3.Int(name))

    def count(self, name: str) -> Any:
        """Make an integer of at least 0, as a term of sort Real; only for the reals."""
        term = self.integer(name)
        self.facts.append(term >= 0)
        return term

    def make(self, name: str, kind: Kind) -> Any:
        """Make the variable that a claim asks for."""
        return {"number": self.number, "integer": self.integer, "count": self.count}[kind](name)

    def obligation(
        self,
        *,
        claim: str,
        name: str,
        assumptions: Sequence[Any],
        goal: Any,
        expect: Expect = "unsat",
        of_claim: bool = False,
        sizes: Mapping[str, int] | None = None,
    ) -> Obligation:
        """Ask for values under which every assumption holds and `goal` does not."""
        return Obligation(
            claim=claim,
            name=name,
            arithmetic=self.arithmetic,
            smtlib=self._script([*assumptions, z3.Not(boolean(goal))]),
            expect=expect,
            variables=tuple(self.variables),
            of_claim=of_claim,
            sizes=tuple((sizes or {}).items()),
        )

    def satisfiable(self, *, claim: str, name: str, assumptions: Sequence[Any]) -> Obligation:
        """Ask whether the assumptions can be met at all: a proof from none that can would be empty."""
        return Obligation(
            claim=claim,
            name=f"assumptions of {name}",
            arithmetic=self.arithmetic,
            smtlib=self._script(assumptions),
            expect="sat",
            variables=tuple(self.variables),
            vacuity=True,
        )

    def _script(self, terms: Sequence[Any]) -> str:
        return smtlib([*self.facts, *map(boolean, terms)], self.variables)


def generalize(term: Any, products: Sequence[tuple[Any, Any]]) -> Any:
    """Return `term` with every occurrence of a product replaced by the symbol that stands for it.

    What holds for every value of the symbol holds for the product, too; it keeps questions linear.
    """
    return term if is_concrete(term) else z3.substitute(term, *products)
