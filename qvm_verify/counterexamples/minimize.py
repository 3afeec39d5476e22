"""The smallest case that fails for the same causes: fewest time-steps, then the simplest numbers.

Every setting that is not among the causes is put right first, so that nothing wrong is left in the case but
its causes. Then T grows from 1 (and L with it, unless T != L is a cause), and the currents from the simplest
fractions of the threshold up to their floating-point neighbours; the first case that fails, and whose causes
are found by running it again to be the same, is the answer. It is the smallest of those that were tried.
Where none fails, the case itself is kept and its numbers are rounded to as few bits as they bear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np

from qvm_verify.counterexamples.diagnosis import causes, diagnose, repaired
from qvm_verify.counterexamples.experiment import Experiment, experiment_of
from qvm_verify.counterexamples.reference_run import trace
from qvm_verify.verdict import Case

TRIES = 4000
"""Cases tried, most of them in well under a millisecond."""
NEIGHBOURS = 2
"""How many representable numbers above and below a simple fraction are tried too."""
SPIKES = tuple(Fraction(value) for value in (0, 1, 2, -1))
"""Currents of an uneven train that are tried at each time-step, in thresholds."""
UNEVEN_STEPS = 4
"""The most time-steps for which all uneven trains are tried."""


def minimize(case: Case) -> Case | None:
    """Return the smallest case found with the causes of `case`, diagnosed and traced.

    None where the causes of `case` cannot be shown on the reference (a module that does something else,
    a number that is none, an unknown cause).
    """
    try:
        experiment = experiment_of(case)
    except (ValueError, ArithmeticError):
        return None
    wanted = causes(experiment)
    if not wanted:
        return None

    def fails(candidate: Experiment) -> bool:
        return not candidate.run().lossless and causes(candidate, len(wanted)) == wanted

    found = _first_that_fails(_candidates(experiment, wanted), fails) or _shortened(experiment, fails)
    smallest = diagnose(found.case())
    return replace(smallest, trace=trace(smallest))


def _first_that_fails(
    candidates: Iterator[Experiment], fails: Callable[[Experiment], bool]
) -> Experiment | None:
    for _, candidate in zip(range(TRIES), candidates, strict=False):
        if fails(candidate):
            return candidate
    return None


def _candidates(experiment: Experiment, wanted: tuple[str, ...]) -> Iterator[Experiment]:
    others = tuple(name for name in _SETTINGS if name not in wanted)
    right = repaired(experiment, others)
    for levels, steps in _sizes(experiment, wanted):
        for gamma in dict.fromkeys((Fraction(1), experiment.gamma)):
            theta = gamma * (right.theta / right.gamma)
            plain = replace(right, levels=levels, gamma=gamma, theta=theta)
            yield from _with_currents(plain, steps, wanted)


_SETTINGS = ("v-init", "threshold", "firing", "reset", "quantizer-tie", "integer-z")


def _sizes(experiment: Experiment, wanted: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yield (L, T) from the smallest up: equal, unless T != L is a cause."""
    if "time-steps" not in wanted:
        yield from ((steps, steps) for steps in range(1, experiment.levels + 1))
        return
    more = experiment.time_steps > experiment.levels
    sizes = product(range(1, experiment.levels + 1), range(1, experiment.time_steps + 1))
    yield from sorted(((ls, ts) for ls, ts in sizes if ls != ts and (ts > ls) == more), key=sum)


def _with_currents(e: Experiment, steps: int, wanted: tuple[str, ...]) -> Iterator[Experiment]:
    currents = list(_simple_currents(e, e.levels, "float-accumulation" in wanted))
    if "uneven-spikes" in wanted:
        trains = sorted(product(SPIKES, repeat=steps), key=_complexity) if steps <= UNEVEN_STEPS else []
        for train in trains:
            uneven = replace(e, currents=tuple(e.theta * spike for spike in train))
            own = currents if "propagated-error" in wanted else [uneven.mean_current]
            yield from (replace(uneven, x=x) for x in own)
    elif "propagated-error" in wanted:
        for x, current in product(currents, currents):
            yield replace(e, x=x, currents=(current,) * steps)
    else:
        yield from (replace(e, x=x, currents=(x,) * steps) for x in currents)


def _complexity(train: tuple[Fraction, ...]) -> tuple[Fraction, int]:
    """Order trains by how much arrives in all, then by how many entries are not 0."""
    return sum(map(abs, train), Fraction(0)), sum(value != 0 for value in train)


def _simple_currents(e: Experiment, levels: int, with_neighbours: bool) -> Iterator[Fraction]:
    """Yield multiples of γ / 2L from the simplest fraction up, then the floats beside them."""
    multiples = sorted(
        (Fraction(k, 2 * levels) for k in range(-1, 2 * levels + 2)),
        key=lambda share: (share.denominator, abs(share.numerator), share < 0),
    )
    centres = [e.gamma * share for share in multiples]
    yield from dict.fromkeys(_as_float(centre, e.dtype) for centre in centres)
    for distance in range(1, NEIGHBOURS + 1) if with_neighbours else ():
        for centre in centres:
            for towards in (-np.inf, np.inf):
                yield _neighbour(centre, distance, towards, e.dtype)


def _as_float(value: Fraction, dtype: str) -> Fraction:
    return Fraction(float(np.dtype(dtype).type(float(value))))


def _neighbour(value: Fraction, distance: int, towards: float, dtype: str) -> Fraction:
    number = np.dtype(dtype).type
    current = number(float(value))
    for _ in range(distance):
        current = np.nextafter(current, number(towards))
    return Fraction(float(current))


def _shortened(experiment: Experiment, fails: Callable[[Experiment], bool]) -> Experiment:
    """Round the thresholds and currents of a case to as few bits as they bear, one number after another."""
    even = len(set(experiment.currents)) == 1
    own = even and experiment.currents[0] == experiment.x

    def with_current(e: Experiment, place: int, value: Fraction) -> Experiment:
        currents = list(e.currents)
        currents[:] = [value] * len(currents) if even else [*currents[:place], value, *currents[place + 1 :]]
        return replace(e, currents=tuple(currents), x=value if own else e.x)

    for place in range(1 if even else experiment.time_steps):
        for value in _rounder(experiment.currents[place]):
            candidate = with_current(experiment, place, value)
            if fails(candidate):
                experiment = candidate
                break
    for value in () if own else _rounder(experiment.x):
        if fails(candidate := replace(experiment, x=value)):
            return candidate
    return experiment


def _rounder(value: Fraction) -> Iterator[Fraction]:
    """Yield 0, then `value` rounded to 1 significant bit, to 2, and so on."""
    yield Fraction(0)
    if value == 0:
        return
    exponent = abs(value).numerator.bit_length() - abs(value).denominator.bit_length()
    for bits in range(1, 24):
        unit = Fraction(2) ** (exponent - bits + 1)
        yield round(value / unit) * unit
