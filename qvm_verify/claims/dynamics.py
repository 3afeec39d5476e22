"""The neuron itself: Eq. 2 and Theorems 1 and 2, for currents that may change at every step."""

from __future__ import annotations

from typing import Any

from qvm_verify.claims.claim import Case, Claim, Subject, all_of, counts, every, numbers
from qvm_verify.claims.mutants import (
    AddsAQuantum,
    FiresOnTheOtherSide,
    ForgetsTheUpperClip,
    IgnoresTheThreshold,
    ResetsToZero,
    ResetsTwice,
)
from qvm_verify.reference import IFParameters, conserved_potential
from qvm_verify.verdict import Verdict

UNITS_OF_THRESHOLD = ("scaling", "level-scaling")
"""The claims that let a proof take θ = 1: neither spikes nor levels change with the unit."""
RUN = (*numbers("threshold", "v_init"), *counts("time_steps"), *numbers("current", per="time_steps"))


def positive_threshold(case: Case, subject: Subject) -> list[Any]:
    """Assume θ > 0."""
    return [case["threshold"] > 0]


def bounded_run(case: Case, subject: Subject) -> list[Any]:
    """Assume θ > 0, 0 <= V_0 <= θ and 0 <= q_t <= θ at every step (Theorems 1 and 2)."""
    theta = case["threshold"]
    return [
        *positive_threshold(case, subject),
        case["v_init"] >= 0,
        case["v_init"] <= theta,
        every(case["current"], lambda q: all_of(q >= 0, q <= theta)),
    ]


def _conservation(case: Case, subject: Subject) -> Any:
    theta, currents = case["threshold"], case["current"]
    spike_count, residual = subject.outcome(currents, case["v_init"], IFParameters(theta))
    return residual == conserved_potential(
        v_init=case["v_init"],
        total_current=subject.total(currents),
        threshold=theta,
        spike_count=spike_count,
    )


def _residual_is_bounded(case: Case, subject: Subject) -> Any:
    theta = case["threshold"]
    residual = subject.outcome(case["current"], case["v_init"], IFParameters(theta)).residual
    return all_of(residual >= 0, residual <= theta)


def _spike_count_printed(case: Case, subject: Subject) -> Any:
    theta, currents = case["threshold"], case["current"]
    spike_count = subject.outcome(currents, case["v_init"], IFParameters(theta)).spike_count
    charge = (case["v_init"] + subject.total(currents)) / theta
    return spike_count == subject.quantize(charge, "floor")


def _spike_count_clipped(case: Case, subject: Subject) -> Any:
    theta, currents = case["threshold"], case["current"]
    spike_count = subject.outcome(currents, case["v_init"], IFParameters(theta)).spike_count
    charge = (case["v_init"] + subject.total(currents)) / theta
    return spike_count == subject.clip(subject.quantize(charge, "floor"), case["time_steps"])


def _positive_scale(case: Case, subject: Subject) -> list[Any]:
    return [*positive_threshold(case, subject), case["scale"] > 0]


def _scaling(case: Case, subject: Subject) -> Any:
    theta, scale, v_init = case["threshold"], case["scale"], case["v_init"]
    scaled = tuple(scale * q for q in case["current"])
    one = subject.outcome(case["current"], v_init, IFParameters(theta))
    other = subject.outcome(scaled, scale * v_init, IFParameters(scale * theta))
    return all_of(other.spike_count == one.spike_count, other.residual == scale * one.residual)


def _level_scaling(case: Case, subject: Subject) -> Any:
    current, theta, scale, levels = (case[name] for name in ("current", "threshold", "scale", "levels"))
    scaled = subject.quantizer_input(scale * current, scale * theta, levels)
    return scaled == subject.quantizer_input(current, theta, levels)


CLAIMS = (
    Claim(
        id="conservation",
        source="Eq. 2",
        says="V_T = V_0 + Q_tot - θ N, for any currents and any V_0",
        variables=RUN,
        assumptions=positive_threshold,
        statement=_conservation,
        mutants={"hard reset": ResetsToZero, "double reset": ResetsTwice},
    ),
    Claim(
        id="scaling",
        source="not in the paper",
        says="multiplying θ, V_0 and every current by c > 0 changes no spike: units of θ may be used",
        variables=(*RUN, *numbers("scale")),
        assumptions=_positive_scale,
        statement=_scaling,
        mutants={"a unit added": AddsAQuantum},
    ),
    Claim(
        id="level-scaling",
        source="not in the paper",
        says="multiplying the threshold and the current by c > 0 changes no z of Eq. 4, hence no level",
        variables=(*numbers("threshold", "current", "scale"), *counts("levels")),
        assumptions=_positive_scale,
        statement=_level_scaling,
        mutants={"threshold ignored": IgnoresTheThreshold},
    ),
    Claim(
        id="theorem-1",
        source="Theorem 1",
        says="0 <= q_t <= θ and 0 <= V_0 <= θ imply 0 <= V_t <= θ after every step",
        variables=RUN,
        assumptions=bounded_run,
        statement=_residual_is_bounded,
        mutants={"double reset": ResetsTwice},
    ),
    Claim(
        id="theorem-2-printed",
        source="Theorem 2, Eq. 6",
        says="0 <= q_t <= θ and 0 <= V_0 <= θ imply N = ⌊(V_0 + Q_tot) / θ⌋",
        variables=RUN,
        assumptions=bounded_run,
        statement=_spike_count_printed,
        expected=Verdict.REFUTED,
        mutants={"double reset": ResetsTwice},
        repaired_by=("theorem-2",),
        smallest={"time_steps": 1},
    ),
    Claim(
        id="theorem-2",
        source="repair of Theorem 2",
        says="0 <= q_t <= θ and 0 <= V_0 <= θ imply N = min(T, ⌊(V_0 + Q_tot) / θ⌋)",
        variables=RUN,
        assumptions=bounded_run,
        statement=_spike_count_clipped,
        mutants={"other comparison": FiresOnTheOtherSide, "no upper clip": ForgetsTheUpperClip},
        uses=UNITS_OF_THRESHOLD,
    ),
)
