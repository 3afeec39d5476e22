"""Property tests as library functions: whether an implementation does what a claim says.

`check(claim, implementation)` runs a claim's own statement on generated cases, the same statement that
`qvm_verify.proofs` proves or refutes. Point it at any integrate-and-fire neuron in one line:

    from qvm_verify.claims import claim
    from qvm_verify.conformance import Implementation, check

    def my_neuron(currents, threshold, v_init):      # currents [T]; returns spikes [T], potentials [T]
        ...

    print(check(claim("theorem-1"), Implementation(neuron=my_neuron)))

What it finds nothing against is TESTED, on so many cases, and never proved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st

from qvm_verify.claims.claim import Case, Claim, Kind, Subject
from qvm_verify.reference import IFParameters, IFStep, Quantizer, as_dtype
from qvm_verify.verdict import Evidence, Verdict

Array = np.ndarray[Any, Any]
EXACT = "exact"
"""The arithmetic of `Fraction`s, in which a claim about the reals can be tested without rounding."""

MOST_STEPS = 8
ULPS = 2
DIMENSIONLESS = frozenset(("z", "delta", "weight"))
"""Variables that are no multiple of a threshold."""


@dataclass(frozen=True)
class Implementation(Subject):
    """Somebody's neuron, and activation where there is one, in the place of the reference.

    `neuron(currents [T], threshold, v_init)` returns the spikes [T] and the potentials after reset [T];
    `activation(current, threshold, levels, quantizer)` returns the level. Both get NumPy values of the
    arithmetic in which they are checked. What is left out is the reference's.
    """

    neuron: Callable[[Array, Any, Any], tuple[Any, Any]] | None = None
    activation: Callable[[Any, Any, int, Quantizer], Any] | None = None

    def run(self, currents: Any, v_init: Any, parameters: IFParameters) -> list[IFStep]:
        """Run the neuron; the potential before firing is what the potentials around it say."""
        if self.neuron is None or parameters != IFParameters(parameters.threshold):
            return super().run(currents, v_init, parameters)
        spikes, potentials = self.neuron(np.asarray(currents), parameters.threshold, v_init)
        before = [v_init, *potentials[:-1]]
        return [
            IFStep(v + q, np.asarray(spike), after)
            for v, q, spike, after in zip(before, currents, spikes, potentials, strict=True)
        ]

    def level(self, current: Any, threshold: Any, levels: Any, quantizer: Quantizer) -> Any:
        """Return the activation's level."""
        if self.activation is None:
            return super().level(current, threshold, levels, quantizer)
        return self.activation(current, threshold, levels, quantizer)


@dataclass(frozen=True)
class Conformance:
    """The outcome of a check: evidence, and the smallest failing case where there is one."""

    evidence: Evidence
    case: Case | None = None

    def __str__(self) -> str:
        if self.case is None:
            return f"{self.evidence.claim}: {self.evidence}"
        values = ", ".join(f"{name} = {_shown(value)}" for name, value in self.case.items())
        return f"{self.evidence.claim}: {self.evidence}: {values}"


def check(
    claim: Claim,
    implementation: Subject | None = None,
    *,
    arithmetic: str | None = None,
    examples: int = 200,
    seed: int = 0,
) -> Conformance:
    """Run `claim` on `examples` generated cases and return what came of it.

    The arithmetic is that of the claim, "exact" for a claim about the reals; "float32" and the like hold
    an implementation to the same claim under rounding. A failing case is shrunk to the fewest time-steps
    and the simplest numbers. Raises ValueError for bfloat16, which NumPy does not have.
    """
    arithmetic = arithmetic or (EXACT if claim.arithmetic == "real" else claim.arithmetic)
    if arithmetic not in (EXACT, "float16", "float32", "float64"):
        raise ValueError(f"{arithmetic!r} cannot be tested; one of {EXACT}, float16, float32, float64")
    subject = implementation or Subject()
    tried = 0
    failing: Case | None = None

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        print_blob=False,
        report_multiple_bugs=False,
    )
    @hypothesis.given(cases(claim, arithmetic))
    def run(case: Case) -> None:
        nonlocal tried, failing
        with np.errstate(all="ignore"):
            outcome = claim.holds(case, subject)
        hypothesis.assume(outcome is not None)
        tried += 1
        if not outcome:
            failing = case  # Hypothesis runs the smallest failing case last
            raise _FailingCaseError

    try:
        run()
    except _FailingCaseError:
        evidence = Evidence(
            claim=claim.id, arithmetic=arithmetic, verdict=Verdict.REFUTED, detail=f"seed {seed}"
        )
        return Conformance(evidence, failing)
    except hypothesis.errors.Unsatisfiable:
        tried = 0
    verdict = Verdict.TESTED if tried else Verdict.UNKNOWN
    detail = f"seed {seed}" if tried else "no generated case meets the assumptions"
    return Conformance(
        Evidence(claim=claim.id, arithmetic=arithmetic, verdict=verdict, detail=detail, inputs=tried or None)
    )


class _FailingCaseError(AssertionError):
    """The statement does not hold of a case."""


@st.composite
def cases(draw: st.DrawFn, claim: Claim, arithmetic: str) -> Case:
    """Draw a case near the places where something happens: k θ / T and (k + 1/2) θ / T, give or take.

    In floating point a value may lie a few ulp beside such a place; in exact arithmetic a small fraction.
    Sizes are drawn first and shrink first.
    """
    sizes = {
        variable.name: draw(st.integers(1, MOST_STEPS))
        for variable in claim.variables
        if variable.kind == "count" and variable.name not in claim.constants
    }
    known = {**claim.constants, **sizes}
    threshold = Fraction(known.get("threshold") or draw(_thresholds))
    steps = int(known.get("time_steps", 1))
    parts = 2 * steps if arithmetic != EXACT else draw(st.sampled_from(_parts(steps, known.get("levels"))))

    def make(name: str, kind: Kind) -> Any:
        if kind != "number":
            return draw(st.integers(-3, 3))
        if name == "threshold":
            return _value(threshold, arithmetic, 0)
        unit = Fraction(1) if name in DIMENSIONLESS else threshold
        places = draw(st.integers(0, parts + 1) | st.integers(-parts, 2 * parts))
        nudge = draw(st.integers(-ULPS, ULPS) if arithmetic != EXACT else _fractions)
        return _value(unit * Fraction(places, parts), arithmetic, nudge)

    lengths = {"inputs": draw(st.integers(1, 3))} if any(v.per == "inputs" for v in claim.variables) else {}
    fixed = {name: _constant(value, arithmetic) for name, value in claim.constants.items()}
    return {**claim.case(make, sizes, lengths), **fixed}


_thresholds = st.sampled_from((Fraction(1), Fraction(2), Fraction(3, 2), Fraction(1, 3))) | st.fractions(
    Fraction(1, 8), 8, max_denominator=64
)
_fractions = st.just(0) | st.integers(-3, 3)  # 64ths


def _parts(steps: int, levels: Any) -> tuple[int, ...]:
    """Return into how many parts a threshold is divided."""
    return (2 * steps, 1, 2, steps, int(levels or 1))


def _constant(value: Any, arithmetic: str) -> Any:
    return value if isinstance(value, int) else _value(Fraction(value), arithmetic, 0)


def _value(exact: Fraction, arithmetic: str, nudge: int) -> Any:
    """Return a number beside `exact`: `nudge` ulp away, or 64ths in exact arithmetic."""
    if arithmetic == EXACT:
        return exact + Fraction(nudge, 64)
    dtype = np.dtype(arithmetic)
    value = as_dtype(float(exact), dtype)[()]
    toward = dtype.type(np.inf if nudge > 0 else -np.inf)
    for _ in range(abs(nudge)):
        value = np.nextafter(value, toward)
    return value


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    if isinstance(value, np.floating):
        return f"{float(value):.9g} ({float(value).hex()})"
    return str(value)
