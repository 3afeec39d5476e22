"""A case on the NumPy reference, in its own dtype: M, N, and the trace of every step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from qvm_verify import reference
from qvm_verify.verdict import Case, Trace, TraceStep

_BITS: dict[int, Any] = {2: np.int16, 4: np.int32, 8: np.int64}


def run_on_reference(
    *,
    dtype: str,
    quantizer: reference.Quantizer,
    levels: int,
    activation_threshold: float,
    activation_current: float,
    threshold: float,
    v_init: float,
    firing: reference.Firing,
    reset: reference.Reset,
    currents: Sequence[float],
) -> tuple[int | None, int]:
    """Return the level M and the spike count N of one neuron on the reference, in `dtype`.

    M is None where the input is not a number.
    """
    number = np.dtype(dtype).type
    with np.errstate(over="ignore", invalid="ignore"):
        level = reference.level(
            np.asarray(number(activation_current)),
            threshold=number(activation_threshold),
            levels=levels,
            quantizer=quantizer,
        )
        run = _simulate(dtype, currents, v_init, threshold, firing, reset)
    return None if math.isnan(level) else int(level), int(run.spike_count)


def run_case(case: Case) -> tuple[int | None, int]:
    """Return M and N of a case. Raises ValueError or OverflowError where it is damaged."""
    return run_on_reference(
        dtype=case.dtype,
        quantizer=case.quantizer,  # type: ignore[arg-type]  # the report's schema lists the quantizers
        levels=case.levels,
        activation_threshold=float.fromhex(case.activation_threshold),
        activation_current=float.fromhex(case.activation_current),
        threshold=float.fromhex(case.threshold),
        v_init=float.fromhex(case.v_init),
        firing=case.firing,  # type: ignore[arg-type]  # the report's schema lists the firing rules
        reset=case.reset,  # type: ignore[arg-type]  # the report's schema lists the resets
        currents=[float.fromhex(current) for current in case.currents],
    )


def _simulate(
    dtype: str,
    currents: Sequence[float],
    v_init: float,
    threshold: float,
    firing: reference.Firing,
    reset: reference.Reset,
) -> reference.Simulation:
    number = np.dtype(dtype).type
    parameters = reference.IFParameters(number(threshold), firing, reset)
    return reference.simulate(np.asarray(currents, dtype), v_init=number(v_init), parameters=parameters)


def trace(case: Case) -> Trace:
    """Return what the reference does with a case, step by step (Eq. 1), and how near x is to a boundary."""
    number = np.dtype(case.dtype).type
    threshold = float.fromhex(case.threshold)
    with np.errstate(over="ignore", invalid="ignore"):
        run = _simulate(
            case.dtype,
            [float.fromhex(current) for current in case.currents],
            float.fromhex(case.v_init),
            threshold,
            case.firing,  # type: ignore[arg-type]  # the report's schema lists the firing rules
            case.reset,  # type: ignore[arg-type]  # the report's schema lists the resets
        )
        x, gamma = (
            number(float.fromhex(text)) for text in (case.activation_current, case.activation_threshold)
        )
        z = reference.quantizer_input(x, threshold=gamma, levels=case.levels)
    steps = [
        TraceStep(
            current=current,
            u=float(u).hex(),
            spike=bool(s),
            v=float(v).hex(),
            threshold_ulps=ulps(threshold, u),
        )
        for current, u, s, v in zip(case.currents, run.u, run.spikes, run.v, strict=True)
    ]
    boundary, distance = _nearest_boundary(case, x)
    return Trace(z=float(z).hex(), boundary=boundary, boundary_ulps=distance, steps=tuple(steps))


def _nearest_boundary(case: Case, x: Any) -> tuple[str | None, int | None]:
    boundaries = reference.decision_boundaries(
        threshold=float.fromhex(case.activation_threshold),
        levels=case.levels,
        quantizer=case.quantizer,  # type: ignore[arg-type]  # the report's schema lists the quantizers
        dtype=case.dtype,
    )
    if np.isnan(x):
        return None, None
    places = [(ulps(boundary, x), float(boundary).hex()) for boundary in boundaries]
    distance, boundary = min(places, key=lambda place: abs(place[0] or 0))
    return boundary, distance


def ulps(start: Any, end: Any) -> int | None:
    """Return how many representable numbers lie from `start` up to `end` in the dtype of `end`.

    Negative where `end` is below `start`; None where it is NaN. Zero counts once: -0.0 is 0.0.
    """
    if np.isnan(end):
        return None
    dtype = np.asarray(end).dtype
    return _ordinal(end, dtype) - _ordinal(start, dtype)


def _ordinal(value: Any, dtype: np.dtype[Any]) -> int:
    magnitude = int(np.abs(np.asarray(value, dtype)).view(_BITS[dtype.itemsize]))
    return -magnitude if value < 0 else magnitude
