"""Re-execute the counterexamples of a report on the NumPy reference: `python -m qvm_verify.replay`."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np

from qvm_verify import reference
from qvm_verify.exits import CommandParser, Exit, InputError, run_command
from qvm_verify.report.files import read_report
from qvm_verify.verdict import Counterexample


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
        run = reference.simulate(
            np.asarray(currents, dtype),
            v_init=number(v_init),
            parameters=reference.IFParameters(number(threshold), firing, reset),
        )
    return None if math.isnan(level) else int(level), int(run.spike_count)


def replay(counterexample: Counterexample) -> bool:
    """Tell whether the reference makes of a counterexample what the report says it makes of it."""
    c = counterexample
    if c.spike_count > c.time_steps or (c.level or 0) > c.levels:
        return False  # no neuron counts so far, no activation has such a level
    found = run_on_reference(
        dtype=c.dtype,
        quantizer=c.quantizer,  # type: ignore[arg-type]  # the report's schema lists the quantizers
        levels=c.levels,
        activation_threshold=float.fromhex(c.activation_threshold),
        activation_current=float.fromhex(c.activation_current),
        threshold=float.fromhex(c.threshold),
        v_init=float.fromhex(c.v_init),
        firing=c.firing,  # type: ignore[arg-type]  # the report's schema lists the firing rules
        reset=c.reset,  # type: ignore[arg-type]  # the report's schema lists the resets
        currents=[float.fromhex(current) for current in c.currents],
    )
    return found == (c.reference_level, c.reference_spike_count)


def command(arguments: Sequence[str]) -> Exit:
    """Replay one counterexample or all of a report; exit 1 if all reproduce, 3 if one does not."""
    parser = CommandParser(
        prog="qvm-verify replay",
        description="Re-execute counterexamples on the NumPy reference, bit for bit. "
        "Exit codes: 0 there is none, 1 all reproduced, 2 unreadable report, 3 one did not reproduce.",
    )
    parser.add_argument("report", metavar="REPORT[#ID]", help="report.json, with #ID for one counterexample")
    path, _, wanted = parser.parse_args(arguments).report.partition("#")
    found = [Counterexample.from_json(item) for item in read_report(path)["counterexamples"]]
    chosen = [c for c in found if wanted in ("", c.id)]
    if wanted and not chosen:
        raise InputError(f"{path}: has no counterexample {wanted!r}")
    if not chosen:
        print(f"{path}: no counterexample in it")
        return Exit.AS_EXPECTED
    outcomes = []
    for counterexample in chosen:
        outcomes.append(_replay_or_refuse(path, counterexample))
        print(f"{'REPRODUCED' if outcomes[-1] else 'ERROR     '} {counterexample.id}  {counterexample}")
    return Exit.COUNTEREXAMPLE if all(outcomes) else Exit.CONTRADICTION


def _replay_or_refuse(path: str, counterexample: Counterexample) -> bool:
    try:
        return replay(counterexample)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path}: counterexample {counterexample.id} is damaged: {error}") from error


if __name__ == "__main__":
    sys.exit(run_command(command))
