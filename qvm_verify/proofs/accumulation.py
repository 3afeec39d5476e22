"""What a statement accumulates, step by step: the runs and the sums that it asks its subject for.

To prove a statement for every T, it is executed twice on symbols. The first time on a `Recorder`, which
notes which runs (or sums over inputs) the statement asks for; a representative current, or input, stands
for all of them. The second time on a `Concluded`, which answers with the symbolic state that is left at
the end, of which nothing is known but the invariant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from qvm_verify.claims.claim import Outcome, Subject
from qvm_verify.proofs.symbols import Symbols
from qvm_verify.reference import IFParameters


class RunState(NamedTuple):
    """A neuron after some time-steps."""

    v: Any
    spike_count: Any
    total: Any  # Q, the current that came in
    removed: Any  # θ N, what the resets took off, as a symbol of its own: the product would not be linear


@dataclass(frozen=True)
class Run:
    """A run of a neuron, one representative current standing for all of them."""

    current: Any
    v_init: Any
    parameters: IFParameters

    def start(self) -> RunState:
        """Return the state before the first time-step."""
        return RunState(self.v_init, 0, 0, 0)

    def unknown(self, symbols: Symbols, suffix: str) -> RunState:
        """Return a state of which nothing is known."""
        return RunState(
            symbols.number(f"v{suffix}"),
            symbols.count(f"spikes{suffix}"),
            symbols.number(f"total{suffix}"),
            symbols.number(f"removed{suffix}"),
        )

    def advance(self, state: RunState, subject: Subject) -> RunState:
        """Return the state after one more time-step of the subject."""
        step = subject.run((self.current,), state.v, self.parameters)[0]
        fired = state.spike_count + 1, state.removed + self.parameters.threshold
        return RunState(
            step.v,
            subject.ops.where(step.spike, fired[0], state.spike_count),
            state.total + self.current,
            subject.ops.where(step.spike, fired[1], state.removed),
        )


@dataclass(frozen=True)
class Sum:
    """A sum over the inputs of a neuron, one representative input standing for all of them."""

    weights: Sequence[Any]
    errors: Sequence[Any]

    def start(self) -> Any:
        """Return the sum over no input."""
        return 0

    def unknown(self, symbols: Symbols, suffix: str) -> Any:
        """Return a sum of which nothing is known."""
        return symbols.number(f"sum{suffix}")

    def advance(self, state: Any, subject: Subject) -> Any:
        """Return the sum with one more input."""
        return state + subject.weighted_sum(self.weights, self.errors)


Accumulator = Run | Sum


@dataclass(frozen=True)
class Recorder(Subject):
    """Notes what a statement accumulates; its answers are without meaning."""

    recorded: list[Accumulator] = field(default_factory=list)

    def constant(self, current: Any, time_steps: Any) -> tuple[Any, ...]:
        """Return the one current that stands for all."""
        return (current,)

    def outcome(self, currents: Any, v_init: Any, parameters: IFParameters) -> Outcome:
        """Note the run."""
        self.recorded.append(Run(currents[0], v_init, parameters))
        return Outcome(currents[0], currents[0])

    def weighted_sum(self, weights: Any, errors: Any) -> Any:
        """Note the sum."""
        self.recorded.append(Sum(weights, errors))
        return weights[0]


@dataclass(frozen=True)
class Concluded(Subject):
    """Answers with the state at the end, in the order in which the statement asks."""

    states: list[Any] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    def constant(self, current: Any, time_steps: Any) -> tuple[Any, ...]:
        """Return the one current that stands for all."""
        return (current,)

    def _next(self) -> Any:
        self.asked.append(self.states[len(self.asked)])
        return self.asked[-1]

    def outcome(self, currents: Any, v_init: Any, parameters: IFParameters) -> Outcome:
        """Return N and V_T of the run."""
        state = self._next()
        return Outcome(state.spike_count, state.v)

    def total(self, currents: Any) -> Any:
        """Return Q_tot of the run that was asked for last."""
        return self.asked[-1].total

    def weighted_sum(self, weights: Any, errors: Any) -> Any:
        """Return the whole sum."""
        return self._next()
