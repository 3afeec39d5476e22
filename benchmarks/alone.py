"""One thing in a process of its own: `python -m benchmarks.alone WORK SETTING`, for memory and for scaling.

It makes ready, prints "ready", waits for a line, works, and prints its seconds and its peak memory in MiB.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.subject import Setting, ann_of, runner
from qvm_verify import snn
from qvm_verify.audit import verify
from qvm_verify.snn import QuantizedActivation

ROOT = Path(__file__).parents[1]
REPEATS = 4
WORKS = {
    "nothing": "Python with PyTorch and the audit's code",
    "ann": "the ANN's forward passes",
    "both": "those, and the spiking network's, which has weights of its own",
    "both, counting ready": "and what counts in one pass is compiled (Numba)",
    "audit": "the audit",
}
"""What can be done, each more than the one before it."""


class Alone(NamedTuple):
    """What a process used."""

    seconds: float
    peak_mib: float


def run_alone(work: str, setting: Setting, processes: int = 1) -> list[Alone]:
    """Run `work` in so many processes at once. Raises RuntimeError where one fails."""
    command = [sys.executable, "-m", "benchmarks.alone", work, json.dumps(asdict(setting))]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(setting.threads),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    started = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()  # "ready"
    for process in started:
        assert process.stdin is not None
        if process.poll() is None:
            process.stdin.write("go\n")
            process.stdin.flush()
    found = []
    for process in started:
        output, errors = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{work} failed in a process of its own: {(errors.splitlines() or ['?'])[-1]}")
        found.append(Alone(*json.loads(output)))
    return found


def peak_mib() -> float:
    """Return the most memory that this program has had, in MiB.

    Linux counts it for the program; `ru_maxrss`, what there is elsewhere, starts at the parent's.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(match[1]) / 1024 if match else 0.0


def work_of(name: str, setting: Setting) -> Callable[[], object]:
    """Return one of `WORKS` on some batches, eagerly. Raises ValueError for any other name."""
    if name not in WORKS:
        raise ValueError(f"unknown work {name!r}; one of {', '.join(WORKS)}")
    if name == "nothing":
        return lambda: None
    ann = ann_of(setting)
    batches = [setting.images(seed=seed) for seed in range(1, REPEATS + 1)]
    if name == "ann":
        return lambda: _forward(batches, ann)
    spiking = snn.convert(ann)  # as the audit's command has it
    if name == "audit":
        return lambda: verify(ann, spiking, batches, certify="off")
    if name == "both, counting ready":
        site = QuantizedActivation(setting.levels, "round")
        verify(site, snn.convert(site), [torch.rand(1, 8)], certify="off")
    return lambda: _forward(batches, ann, spiking)


def _forward(batches: Sequence[Tensor], *chosen: nn.Module) -> None:
    for images in batches:
        for network in chosen:
            runner(network, images)()


def main(arguments: Sequence[str]) -> None:
    """Do the work that the arguments name."""
    setting = Setting(**json.loads(arguments[1]))
    torch.set_num_threads(setting.threads)
    work = work_of(arguments[0], setting)
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.perf_counter()
    work()
    print(json.dumps([time.perf_counter() - start, peak_mib()]))


if __name__ == "__main__":
    main(sys.argv[1:])
