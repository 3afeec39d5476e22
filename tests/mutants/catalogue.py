"""All planted faults and all sound variations."""

from tests.mutants import (
    dynamics,
    parameters,
    rounding,
    settings,
    sound_neurons,
    sound_running,
    sound_structure,
    structure,
)
from tests.mutants.registry import FAULTS, VARIATIONS, Fault, Variation

MODULES = (dynamics, settings, rounding, structure, parameters, sound_running, sound_neurons, sound_structure)
"""Importing them fills the lists."""

FAMILIES = (
    "firing rule",
    "reset rule",
    "v_init",
    "time-steps other than levels",
    "threshold scale per layer",
    "threshold scale per channel",
    "threshold sign",
    "rounding mode",
    "clip order",
    "off-by-one time-steps",
    "spike not scaled by threshold",
    "bias added per step or once",
    "batch-norm stale or in train mode",
    "batch-norm folded wrongly",
    "max-pool over spikes",
    "dropped residual",
    "swapped layers",
    "float16 accumulation",
    "bfloat16 accumulation",
    "TF32 accumulation",
    "unconverted activation",
    "state kept between batches",
    "checkpoint edited in one weight",
)
"""What can go wrong in a conversion, in the order in which the scorecard shows it."""

__all__ = ["FAMILIES", "FAULTS", "MODULES", "VARIATIONS", "Fault", "Variation"]
