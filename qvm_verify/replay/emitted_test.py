"""Counterexamples as a pytest file of their own: plain Python that imports numpy alone."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import fields

from qvm_verify.verdict import Case, Counterexample

_HEAD = '''"""Counterexamples that qvm-verify found: a spike count N that does not stand for its level M.

Each test runs one quantized activation (Eq. 4) and one integrate-and-fire neuron (Eq. 1-3) in plain NumPy
and asserts that the conversion is still wrong in just that way. Remove a test when you have fixed its case.
Floats are hexadecimal, so that they are the same bits wherever this runs. It imports numpy alone.
"""

import numpy as np


def quantize(z, quantizer):
    if quantizer == "floor":
        return np.floor(z)
    if quantizer == "round":  # half up
        return np.floor(z + z.dtype.type(0.5))
    if quantizer == "round_half_even":
        return np.round(z)
    return np.ceil(z)


def run(case):
    """Return M (None where it is no number) and N."""
    number = np.dtype(case["dtype"]).type

    def read(text):
        return number(float.fromhex(text))

    with np.errstate(all="ignore"):
        z = read(case["x"]) * number(case["levels"]) / read(case["activation_threshold"])
        m = np.clip(quantize(z, case["quantizer"]), 0, case["levels"])
        threshold, v, n = read(case["threshold"]), read(case["v_init"]), 0
        for current in case["currents"]:
            u = v + read(current)
            spike = u >= threshold if case["firing"] == ">=" else u > threshold
            after = u - threshold if case["reset"] == "reset_by_subtraction" else number(0)
            v, n = (after, n + 1) if spike else (u, n)
    return (None if np.isnan(m) else int(m)), n


def differs(case, m, n):
    return m is None or n * case["levels"] != m * case["time_steps"]
'''


def emitted_test(counterexamples: Sequence[Counterexample]) -> str:
    """Return the text of a pytest file with a test for each counterexample and each smallest case.

    What stands in it is what the reference makes of the numbers, not what a module under audit did.
    """
    parts = [_HEAD]
    for c in counterexamples:
        name = re.sub(r"\W", "_", c.id.lower())
        parts.append(_test(name, str(c), c))
        if c.minimal is not None:
            title = f"the smallest case like {c.id} that was found"
            parts.append(_test(f"{name}_minimal", title, c.minimal))
    return "\n\n".join(parts)


def _test(name: str, title: str, case: Case) -> str:
    settings = {field.name: getattr(case, field.name) for field in fields(Case)}
    for unused in ("trace", "causes", "diagnosis", "reference_level", "reference_spike_count"):
        del settings[unused]
    settings["x"] = settings.pop("activation_current")
    lines = [f"        {json.dumps(key)}: {value!r}," for key, value in settings.items()]
    why = " ".join(f"{', '.join(case.causes) or 'unknown cause'}: {case.diagnosis}".split())
    return "\n".join(
        [
            f"def test_{name}():",
            f"    # {_comment(title)}",
            f"    # {_comment(why)}",
            "    case = {",
            *lines,
            "    }",
            "    m, n = run(case)",
            f"    assert (m, n) == ({case.reference_level}, {case.reference_spike_count})",
            f"    assert {'' if _disagrees(case) else 'not '}differs(case, m, n)",
            "",
        ]
    )


def _disagrees(case: Case) -> bool:
    level, count = case.reference_level, case.reference_spike_count
    return level is None or count * case.levels != level * case.time_steps


def _comment(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
