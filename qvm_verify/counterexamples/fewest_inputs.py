"""The fewest inputs of a neuron on which its spike count and its level still disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
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

    def fails(chosen: Sequence[int]) -> bool:
        return _fails_on(case, [terms[place] for place in chosen], bias, wanted)

    def telling(place: int) -> tuple[Fraction, Fraction]:
        term = terms[place]
        difference = sum(abs(term.at(t) - term.own) for t in range(case.time_steps))
        return abs(term.weight) * difference, abs(term.weight * term.own)

    order = sorted(range(len(terms)), key=telling, reverse=True)
    counts = [*range(min(len(order), LONGEST_SEARCH)), len(order)]
    count = next((count for count in counts if fails(order[:count])), None)
    if count is None:
        return None
    chosen = order[:count]
    for place in list(reversed(chosen)) if count <= LONGEST_SEARCH else ():
        fewer = [other for other in chosen if other != place]
        if fails(fewer):
            chosen = fewer
    return tuple(sorted(chosen))


def _fails_on(case: Case, terms: Sequence[Term], bias: Fraction, wanted: tuple[str, ...] | None) -> bool:
    """Tell whether a case fails, for the causes that are wanted, on the exact sum of these terms alone."""
    own = sum((term.weight * term.own for term in terms), bias)
    currents = [sum((term.weight * term.at(t) for term in terms), bias) for t in range(case.time_steps)]
    alone = replace(experiment_of(case), x=_nearest(own, case.dtype), currents=tuple(currents))
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
        bias = Fraction(float.fromhex(found.bias))
        if not _fails_on(case, [terms[place] for place in found.fewest], bias, causes(experiment_of(case))):
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
