"""How fast numbers are decided, and claims proved."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import torch

from benchmarks.alone import ROOT
from benchmarks.results import Result, Skipped, one
from benchmarks.subject import Setting
from benchmarks.targets import BOUNDARY, EXHAUSTIVE, PROVE
from benchmarks.timing import interleaved
from qvm_verify import snn
from qvm_verify.certificate import certify
from qvm_verify.certificate.decide import Method
from qvm_verify.snn import IFNeuron, QuantizedActivation

SITES = 33
"""The sites of a ResNet-34."""


def measure(setting: Setting) -> Iterator[Result]:
    """Yield inputs per second of the sweep, and seconds and sites per second of the bisection."""
    sites = [_site(setting.levels, 0.5 + number / 7) for number in range(SITES)]
    dtype = torch.float16 if setting.quick else torch.float32
    inputs = 2**16 if setting.quick else 2**32
    sweeps = interleaved(
        {"sweep": lambda: _certify(*sites[0], "exhaustive", dtype)}, 1 if setting.quick else 3
    )
    rates = [inputs / seconds for seconds in sweeps["sweep"]]
    yield one("certificate", EXHAUSTIVE, "inputs/s", rates, f"every bit pattern of {dtype}, start included")

    def bisect() -> None:
        for site in sites:
            _certify(*site, "boundary", torch.float32)

    seconds = interleaved({"bisect": bisect}, setting.rounds)["bisect"]
    yield one("certificate", BOUNDARY, "s", seconds)
    yield one("certificate", "boundary", "sites/s", [SITES / each for each in seconds])


def _site(levels: int, threshold: float) -> tuple[QuantizedActivation, IFNeuron]:
    activation = QuantizedActivation(levels, "round", threshold).requires_grad_(False)
    neuron = snn.convert(activation)
    assert isinstance(neuron, IFNeuron)
    return activation, neuron


def _certify(activation: QuantizedActivation, neuron: IFNeuron, method: Method, dtype: torch.dtype) -> None:
    certify(
        activation.to(dtype),
        neuron.to(dtype),
        threshold=float(activation.threshold),
        levels=activation.levels,
        time_steps=neuron.time_steps,
        dtype=dtype,
        method=method,
    )


def measure_prove(setting: Setting) -> Iterator[Result | Skipped]:
    """Yield the wall time of `python -m qvm_verify.prove`, with all claims and solvers."""
    missing = [name for name in ("z3", "cvc5", "bitwuzla") if find_spec(name) is None]
    if missing:
        yield Skipped(benchmark="prove", reason=f"not installed: {', '.join(missing)}")
        return
    command = [sys.executable, "-m", "qvm_verify.prove", *(["theorem-1"] if setting.quick else [])]
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(1 if setting.quick else 2):
            start = time.perf_counter()
            run = subprocess.run(
                [*command, "--report", folder], cwd=ROOT, capture_output=True, text=True, check=False
            )
            seconds.append(time.perf_counter() - start)
        detail = f"exit code {run.returncode}; {_slowest(Path(folder) / 'claims.json')}"
    yield one("prove", PROVE, "s", seconds, detail + ("; one claim only" if setting.quick else ""))


def _slowest(report: Path) -> str:
    """Return where the time goes: what all claims take together, and what those take that take longest."""
    claims = json.loads(report.read_text(encoding="utf-8"))["claims"]
    claims.sort(key=lambda claim: claim["seconds"], reverse=True)
    each = ", ".join(f"{claim['id']} {claim['seconds']:.1f} s" for claim in claims[:5])
    return f"{len(claims)} claims take {sum(claim['seconds'] for claim in claims):.0f} s of solvers: {each}"
