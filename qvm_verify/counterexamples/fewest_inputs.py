"""The fewest inputs of a neuron on which its spike count and its level still disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

import numpy as np

from qvm_verify.counterexamples.diagnosis import causes
from qvm_verify.counterexamples.experiment import experiment_of
from qvm_verify.verdict import Case, NeuronSlice

LONGEST_SEARCH = 256
"""How many inputs are added one by one before all are taken."""


class Term(NamedTuple):
    """One input: its weight, its value in the ANN, and its values in the spiking network."""

    weight: Fraction
    own: Fraction
    inputs: tuple[Fraction, ...]  # one a time-step, or a single constant one

    def at(self, step: int) -> Fraction:
        """Return what arrives in the spiking network at one time-step."""
        return self.inputs[step if len(self.inputs) > 1 else 0]


def fewest_terms(case: Case, terms: Sequence[Term], bias: Fraction) -> tuple[int, ...] | None:
    """Return the places of the fewest terms found that make `case` fail for its causes.

    None where even all of them do not. All other inputs are 0. Terms are added from the most telling one
    on until the case fails, and then each that is not needed is left out again.
    """
    wanted = causes(experiment_of(case))
    sums, shares = _parts(terms, bias, case.time_steps)

    def telling(place: int) -> tuple[Fraction, Fraction]:
        own, *others = shares[place]
        return sum((abs(other - own) for other in others), Fraction(0)), abs(own)

    chosen: list[int] = []
    for place in sorted(range(len(terms)), key=telling, reverse=True):
        if len(chosen) < LONGEST_SEARCH and _fails_on(case, sums, wanted):
            break
        chosen.append(place)
        sums = _added(sums, shares[place])
    else:
        if not _fails_on(case, sums, wanted):
            return None
    for place in list(reversed(chosen)) if len(chosen) <= LONGEST_SEARCH else ():
        fewer = _added(sums, [-share for share in shares[place]])
        if _fails_on(case, fewer, wanted):
            chosen.remove(place)
            sums = fewer
    return tuple(sorted(chosen))


def _parts(
    terms: Sequence[Term], bias: Fraction, time_steps: int
) -> tuple[list[Fraction], list[list[Fraction]]]:
    """Return the currents without any term, of the ANN and of each time-step, and what each term adds.

    One time-step stands for all where every input is constant.
    """
    steps = range(time_steps if any(len(term.inputs) > 1 for term in terms) else 1)
    shares = [[term.weight * term.own, *(term.weight * term.at(step) for step in steps)] for term in terms]
    return [bias, *(bias for _ in steps)], shares


def _added(sums: Sequence[Fraction], share: Sequence[Fraction]) -> list[Fraction]:
    return [total + part for total, part in zip(sums, share, strict=True)]


def _fails_on(case: Case, sums: Sequence[Fraction], wanted: tuple[str, ...] | None) -> bool:
    """Tell whether a case fails, for the causes that are wanted, on these exact currents.

    The first is the ANN's; the others are those of every time-step, or a single constant one.
    """
    own, *currents = sums
    alone = replace(
        experiment_of(case),
        x=_nearest(own, case.dtype),
        currents=tuple(currents if len(currents) > 1 else currents * case.time_steps),
    )
    return not alone.run().lossless and causes(alone) == wanted


def sums_of(found: NeuronSlice) -> tuple[Fraction, list[Fraction]]:
    """Return the exact currents of a slice, rounding included: of the ANN, and of each time-step."""
    read = float.fromhex
    terms = _terms_of(found)
    bias = Fraction(read(found.bias))
    own = sum((term.weight * term.own for term in terms), bias + Fraction(read(found.activation_rounding)))
    currents = [
        sum((term.weight * term.at(t) for term in terms), bias + Fraction(read(rounding)))
        for t, rounding in enumerate(found.rounding)
    ]
    return own, currents


def _terms_of(found: NeuronSlice) -> list[Term]:
    def exact(text: str) -> Fraction:
        return Fraction(float.fromhex(text))

    return [
        Term(exact(s.weight), exact(s.activation_input), tuple(map(exact, s.inputs))) for s in found.synapses
    ]


def slice_agrees(case: Case, found: NeuronSlice) -> bool:
    """Tell whether a slice sums, to the last bit, to the currents of its case, and its fewest inputs fail."""
    if found.fewest is not None:
        terms = _terms_of(found)
        if any(place >= len(terms) for place in found.fewest):
            return False
        chosen = [terms[place] for place in found.fewest]
        nothing, shares = _parts(chosen, Fraction(float.fromhex(found.bias)), case.time_steps)
        if not _fails_on(case, reduce(_added, shares, nothing), causes(experiment_of(case))):
            return False
    own, currents = sums_of(found)
    if len(currents) == 1:
        currents *= case.time_steps
    sums = [float(_nearest(value, case.dtype)).hex() for value in (own, *currents)]
    recorded = [float.fromhex(text).hex() for text in (case.activation_current, *case.currents)]
    return sums == recorded


def rounding_ulps(value: float, rounding: Fraction, dtype: str) -> int:
    """Return a rounding in representable numbers at `value`, rounded up."""
    spacing = Fraction(float(np.spacing(np.dtype(dtype).type(abs(value)))))
    return int(-(-abs(rounding) // spacing))


def _nearest(value: Fraction, dtype: str) -> Fraction:
    return Fraction(float(np.dtype(dtype).type(float(value))))
