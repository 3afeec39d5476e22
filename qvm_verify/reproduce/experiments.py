"""The list of all experiments, by the paper's names; each is loaded when it is run."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from qvm_verify.reproduce.settings import Settings

if TYPE_CHECKING:
    from qvm_verify.reproduce.outcome import Outcome

EXPERIMENTS = {
    "fig1": "conversion_errors",
    "fig2": "current_traces",
    "fig3": "layers",
    "fig4": "quantizers",
    "fig5": "levels",
    "fig6": "temporal_distribution",
    "table1": "printed:table1",
    "table2": "printed:table2",
    "table3": "printed:table3",
    "table4": "quantizers_table",
    "worst-case": "layer_envelopes",
}
"""Each is a module of this package, and its function where that is not `run`."""


def run(name: str, settings: Settings) -> Outcome:
    """Run one experiment. Raises InputError where its data or models cannot be used."""
    module, _, function = EXPERIMENTS[name].partition(":")
    experiment: Callable[[Settings], Outcome] = getattr(
        import_module(f"qvm_verify.reproduce.{module}"), function or "run"
    )
    return experiment(settings)
