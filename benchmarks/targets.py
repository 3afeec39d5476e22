"""What the project holds itself to; `python -m benchmarks --check` compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Target:
    """A bound on the median of one result."""

    benchmark: str
    name: str  # of the result
    comparison: Literal["<=", ">="]
    value: float

    def holds_for(self, measured: float) -> bool:
        """Tell whether a measured value meets the target."""
        return measured <= self.value if self.comparison == "<=" else measured >= self.value


def _target(benchmark: str, name: str, comparison: Literal["<=", ">="], value: float) -> Target:
    return Target(benchmark=benchmark, name=name, comparison=comparison, value=value)


SNN_OVER_ANN = "SNN / ANN forward"
SPIKINGJELLY = "SpikingJelly multi-step / SNN forward"
AUDIT_OVER_ANN = "audit / ANN forward"
AUDIT_MEMORY = "audit / ANN forward, peak memory"
EXHAUSTIVE = "exhaustive sweep"
BOUNDARY = "boundary certificate of 33 sites"
PROVE = "prove"
GROWTH_T = "growth of the SNN forward in T"
GROWTH_IMAGES = "growth of the audit in images"

TARGETS = (
    _target("forward", SNN_OVER_ANN, "<=", 1.05),
    _target("peers", SPIKINGJELLY, ">=", 14),
    _target("audit", AUDIT_OVER_ANN, "<=", 2.5),
    _target("memory", AUDIT_MEMORY, "<=", 1.3),
    _target("certificate", EXHAUSTIVE, ">=", 5e8),
    _target("certificate", BOUNDARY, "<=", 0.1),
    _target("prove", PROVE, "<=", 60),
    _target("growth", GROWTH_T, "<=", 0.1),
    _target("growth", GROWTH_IMAGES, "<=", 1.05),  # linear, but for the noise of a fit
)
