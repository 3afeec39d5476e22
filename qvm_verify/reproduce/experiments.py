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
    "table4": "quantizers_table",
    "worst-case": "layer_envelopes",
}
"""Each is a module of this package with a function `run`."""


def run(name: str, settings: Settings) -> Outcome:
    """Run one experiment. Raises InputError where its data or models cannot be used."""
    experiment: Callable[[Settings], Outcome] = import_module(f"qvm_verify.reproduce.{EXPERIMENTS[name]}").run
    return experiment(settings)
