"""The run of a counterexample's neuron, step by step, as the NumPy reference has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from qvm_verify import reference


def trace_of(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Return q, U, s and V of each time-step of an entry of `counterexamples`, in its dtype (Eq. 1)."""
    number = np.dtype(item["dtype"]).type
    with np.errstate(over="ignore", invalid="ignore"):
        run = reference.simulate(
            np.asarray([float.fromhex(current) for current in item["currents"]], item["dtype"]),
            v_init=number(float.fromhex(item["v_init"])),
            parameters=reference.IFParameters(
                number(float.fromhex(item["threshold"])), item["firing"], item["reset"]
            ),
        )
    return [
        {"current": current, "u": float(u).hex(), "spike": bool(spike), "v": float(v).hex()}
        for current, u, spike, v in zip(item["currents"], run.u, run.spikes, run.v, strict=True)
    ]
