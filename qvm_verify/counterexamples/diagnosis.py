"""Why a case fails, found by counterfactuals: put a setting right, run the case again, see whether N = M.

Nothing is guessed. The causes are the fewest settings that, put right together, make N stand for M on the
NumPy reference. Where several sets are equally small the first in the order of `REPAIRS` is named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import TypeVar

from qvm_verify.counterexamples.experiment import EXACT, Experiment, experiment_of
from qvm_verify.verdict import Case

AnyCase = TypeVar("AnyCase", bound=Case)
Repair = Callable[[Experiment], Experiment]


def _match_v_init(e: Experiment) -> Experiment:
    return replace(e, v_fraction=e.matched_fraction)


def _match_time_steps(e: Experiment) -> Experiment:
    return replace(e, currents=tuple(e.currents[t % e.time_steps] for t in range(e.levels)))


def _match_threshold(e: Experiment) -> Experiment:
    return replace(e, theta=e.gamma)


def _fire_at_the_threshold(e: Experiment) -> Experiment:
    return replace(e, firing=">=") if e.quantizer != "ceil" else e


def _reset_by_subtraction(e: Experiment) -> Experiment:
    return replace(e, reset="reset_by_subtraction")


def _round_half_up(e: Experiment) -> Experiment:
    return replace(e, quantizer="round") if e.quantizer == "round_half_even" else e


def _compute_exactly(e: Experiment) -> Experiment:
    return replace(e, dtype=EXACT)


def _fire_above_the_threshold(e: Experiment) -> Experiment:
    return replace(e, firing=">") if e.quantizer == "ceil" else e


def _even_out(e: Experiment) -> Experiment:
    return replace(e, currents=(e.mean_current,) * e.time_steps)


def _shift_to_the_anns_current(e: Experiment) -> Experiment:
    """Make the mean current that of the ANN, and leave the shape of the spike train as it is."""
    shift: Fraction = e.x - e.mean_current
    return replace(e, currents=tuple(current + shift for current in e.currents))


REPAIRS: dict[str, tuple[Repair, str]] = {
    "v-init": (_match_v_init, "V0 matched to the quantizer"),
    "time-steps": (_match_time_steps, "T = L"),
    "threshold": (_match_threshold, "the neuron's threshold equal to the activation's"),
    "firing": (_fire_at_the_threshold, "firing at U >= θ"),
    "reset": (_reset_by_subtraction, "reset by subtraction"),
    "quantizer-tie": (_round_half_up, "ties rounded half up"),
    "float-accumulation": (_compute_exactly, "exact arithmetic"),
    "integer-z": (_fire_above_the_threshold, "firing at U > θ, as ceil needs at an integer z"),
    "uneven-spikes": (_even_out, "the mean current at every time-step"),
    "propagated-error": (_shift_to_the_anns_current, "the ANN's own current"),
}
"""Each cause, how to put it right, and the words for that."""


def causes(experiment: Experiment, most: int = 4) -> tuple[str, ...] | None:
    """Return the fewest causes that, put right, make N stand for M; None where no `most` of them do.

    () where N stands for M as it is.
    """
    wrong = [name for name, (repair, _) in REPAIRS.items() if repair(experiment) != experiment]
    for size in range(min(most, len(wrong)) + 1):
        for chosen in combinations(wrong, size):
            if repaired(experiment, chosen).run().lossless:
                return chosen
    return None


def repaired(experiment: Experiment, chosen: tuple[str, ...]) -> Experiment:
    """Return the experiment with the chosen causes put right, in the order of `REPAIRS`."""
    for name, (repair, _) in REPAIRS.items():
        if name in chosen:
            experiment = repair(experiment)
    return experiment


def diagnose(case: AnyCase, *, unconverted: bool = False) -> AnyCase:
    """Return the case with its causes and its diagnosis.

    `unconverted` says that an activation was left behind and that no site before this one differs: a
    current that is not the ANN's own then comes from that activation.
    """
    try:
        experiment = experiment_of(case)
    except (ValueError, ArithmeticError):
        return replace(case, causes=("non-finite",), diagnosis="an input or setting is not a finite number")
    found = causes(experiment)
    if found is None:
        return replace(case, causes=(), diagnosis="no setting put right makes N stand for M")
    if not found:
        sentence = "the reference finds N = M: a module does not compute what its attributes say"
        return replace(case, causes=("module",), diagnosis=sentence)
    outcome = repaired(experiment, found).run()
    words = ", and ".join(REPAIRS[name][1] for name in found)
    sentence = f"with {words}: M = {outcome.level}, N = {outcome.spike_count}"
    names = tuple(
        "unconverted-activation" if unconverted and name == "propagated-error" else name for name in found
    )
    return replace(case, causes=names, diagnosis=sentence)
