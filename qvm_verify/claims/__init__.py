"""The paper's claims and their repairs, each stated once."""

from qvm_verify.claims import dynamics, errors, quantizer_laws, theorem_3, time_steps
from qvm_verify.claims.claim import Arithmetic, Case, Claim, Kind, Outcome, Subject, Variable

CLAIMS: tuple[Claim, ...] = (
    *quantizer_laws.CLAIMS,
    *dynamics.CLAIMS,
    *theorem_3.CLAIMS,
    *errors.CLAIMS,
    *time_steps.CLAIMS,
)
"""Every claim, in the order of the paper."""

_BY_ID = {one.id: one for one in CLAIMS}


def claim(name: str) -> Claim:
    """Return the claim with this id; raise KeyError where there is none."""
    return _BY_ID[name]


__all__ = ["CLAIMS", "Arithmetic", "Case", "Claim", "Kind", "Outcome", "Subject", "Variable", "claim"]
