"""A counterexample as text: decimal, hexadecimal, and distance to the boundary in representable numbers."""

from __future__ import annotations

from qvm_verify.verdict import Case, Counterexample, Trace


def explain(counterexample: Counterexample) -> str:
    """Return the counterexample in full: what differs, why, the trace, and the smallest case like it."""
    lines = [str(counterexample), *describe(counterexample).splitlines()]
    if counterexample.minimal is not None:
        lines += ["the smallest case like it:", *describe(counterexample.minimal).splitlines()]
    return "\n".join(lines)


def describe(case: Case) -> str:
    """Return the cause, the settings and the trace of a case, one line a time-step."""
    lines = [_cause(case)] if case.causes or case.diagnosis else []
    lines += [
        f"  {case.quantizer}, L = {case.levels}, clips at {number(case.activation_threshold)}; "
        f"T = {case.time_steps}, θ = {number(case.threshold)}, V0 = {number(case.v_init)}, "
        f"U {case.firing} θ, {case.reset}, {case.dtype}",
        f"  x = {number(case.activation_current)}",
    ]
    if case.trace is not None:
        lines += _trace(case.trace)
    lines.append(
        f"  M = {case.reference_level} of L = {case.levels}, "
        f"N = {case.reference_spike_count} of T = {case.time_steps}"
    )
    return "\n".join(lines)


def _cause(case: Case) -> str:
    names = ", ".join(case.causes) or "unknown"
    return f"  cause: {names} ({case.diagnosis})"


def _trace(trace: Trace) -> list[str]:
    near = "" if trace.boundary is None else f", {_signed(trace.boundary_ulps)} ulp from {trace.boundary}"
    lines = [f"  z = {number(trace.z)}{near}"]
    for t, step in enumerate(trace.steps, start=1):
        lines.append(
            f"  t = {t}: q = {number(step.current)}, U = {number(step.u)}, "
            f"{_signed(step.threshold_ulps)} ulp from θ, s = {int(step.spike)}, V = {number(step.v)}"
        )
    return lines


def number(text: str) -> str:
    """Return a hexadecimal float in decimal and as it is."""
    return f"{float.fromhex(text):.9g} ({text})"


def _signed(ulps: int | None) -> str:
    return "NaN" if ulps is None else f"{ulps:+d}" if ulps else "0"
