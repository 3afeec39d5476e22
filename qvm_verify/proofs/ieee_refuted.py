"""What holds over the reals and not in floats: conservation (Eq. 2), Theorem 3 for thresholds other than 1.

The same statements as over the reals, at a fixed number of time-steps. Conservation still holds where there
is one time-step and fails at two; Theorem 3 for floor still holds at T = 2, whatever θ, and fails from T = 3
on. By powers of two, θ in [1, 2) stands for every θ as long as no number is subnormal or infinite.
`ieee_steps.mismatches` lists every failure for one θ.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from qvm_verify.claims import claim as paper_claim
from qvm_verify.claims.claim import Arithmetic, Case, Claim, Subject
from qvm_verify.claims.dynamics import bounded_run
from qvm_verify.claims.mutants import ResetsToZero
from qvm_verify.verdict import Verdict


def conservation(arithmetic: Arithmetic, time_steps: int, expected: Verdict) -> Claim:
    """Return Eq. 2 in a float format, at θ = 1, for 0 <= V_0, q_t <= θ."""
    return replace(
        paper_claim("conservation"),
        id=f"conservation-{arithmetic}-T{time_steps}",
        source="Eq. 2, in floats",
        says=f"V_T = V_0 + Q_tot - θ N at θ = 1, T = {time_steps}, for 0 <= V_0, q_t <= θ",
        arithmetic=arithmetic,
        assumptions=bounded_run,
        constants={"threshold": Fraction(1), "time_steps": time_steps},
        expected=expected,
    )


def theorem_3(time_steps: int, expected: Verdict) -> Claim:
    """Return Theorem 3 for floor in float32, for every θ in [1, 2)."""
    printed = paper_claim("theorem-3-floor")
    # In two steps under constant current a hard reset gives the same counts: what it throws away is below θ.
    every = printed.mutants
    told_apart = [name for name in every if time_steps > 2 or every[name] is not ResetsToZero]

    def assumptions(case: Case, subject: Subject) -> list[Any]:
        theta = case["threshold"]
        return [theta >= 1, theta < 2, *printed.assumptions(case, subject)]

    return replace(
        printed,
        id=f"theorem-3-floor-float32-every-threshold-T{time_steps}",
        source="Theorem 3, in floats",
        says=f"Theorem 3 for floor, T = {time_steps}, for every θ in [1, 2) and every current from 0 to θ",
        arithmetic="float32",
        assumptions=assumptions,
        constants={"time_steps": time_steps},
        expected=expected,
        mutants={name: every[name] for name in told_apart},
        uses=(),
    )


CLAIMS = (
    conservation("float16", 1, Verdict.PROVED),
    *(conservation(name, 2, Verdict.REFUTED) for name in ("float16", "float32")),
    theorem_3(2, Verdict.PROVED),
    *(theorem_3(steps, Verdict.REFUTED) for steps in (3, 4)),
)
