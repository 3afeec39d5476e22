"""Cases with one thing wrong each: a setting of Algorithm 1 that was not kept, or a float that is rounded."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from qvm_verify.counterexamples import run_case
from qvm_verify.reference import MATCHED_V_INIT
from qvm_verify.verdict import Case


def case(
    *, x, quantizer="floor", levels=4, theta=1.0, v_init=None, currents=None, dtype="float32", **changes
):
    """Return a case with what the reference makes of it; what is not given is matched."""
    number = np.dtype(dtype).type
    gamma = changes.pop("gamma", theta)
    v_init = MATCHED_V_INIT[quantizer] * Fraction(theta) if v_init is None else v_init
    currents = [x] * changes.pop("time_steps", levels) if currents is None else currents

    def written(value):
        return float(number(float(value))).hex()

    built = Case(
        dtype=dtype,
        quantizer=quantizer,
        levels=levels,
        activation_threshold=written(gamma),
        activation_current=written(x),
        threshold=written(theta),
        v_init=written(v_init),
        time_steps=len(currents),
        firing=changes.pop("firing", ">="),
        reset=changes.pop("reset", "reset_by_subtraction"),
        currents=tuple(map(written, currents)),
        reference_level=0,
        reference_spike_count=0,
    )
    assert not changes
    level, spike_count = run_case(built)
    return replace(built, reference_level=level, reference_spike_count=spike_count)


CASES = {  # by the causes that each must have
    ("v-init",): case(x=0.2, v_init=0.5),
    ("time-steps",): case(x=0.3, time_steps=3),
    ("threshold",): case(x=1.0, theta=1.25, gamma=1.0),
    ("firing",): case(x=0.25, firing=">"),
    ("reset",): case(x=0.8, reset="reset_to_zero"),
    ("quantizer-tie",): case(x=0.125, quantizer="round_half_even"),
    ("float-accumulation",): case(x=float.fromhex("0x1.aaaaaap-1"), levels=6),
    ("integer-z",): case(x=0.0, quantizer="ceil"),
    ("uneven-spikes",): case(x=0.5, currents=[0, 0, 0, 2]),
    ("propagated-error",): case(x=0.5, currents=[0.75] * 4),
    ("v-init", "reset"): case(x=0.75, v_init=1.0, reset="reset_to_zero"),
    ("uneven-spikes", "propagated-error"): case(x=0.75, currents=[0, 0, 0, 2]),
}
