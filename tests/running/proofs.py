"""A proof that is interrupted or killed while its solvers work, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.running.process import heed_interrupts

ARGUMENTS = ("spike-leaves-less-float32", "--report=proofs", "--ledger=ledger.md")  # takes seconds


def prove(folder: Path) -> subprocess.Popen[str]:
    """Start a proof in a group of processes of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "qvm_verify.prove", *ARGUMENTS],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )


def solvers_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the processes of its solvers."""
    file = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    children = map(int, file.read_text(encoding="ascii").split()) if file.exists() else ()
    return [child for child in children if b"spawn_main" in _said(child)]


def _said(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def complaints(folder: Path, number: signal.Signals, delay: float) -> list[str]:
    """Return what is wrong after a signal, sent so long after the first solver began."""
    process, found = prove(folder), []
    while process.poll() is None and not solvers_of(process):
        time.sleep(0.002)
    time.sleep(delay)
    solvers = solvers_of(process)
    # An interrupt from a terminal reaches the whole group, whatever else ends a process only this one.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    _, err = process.communicate(timeout=120)
    expected = (130, "qvm-verify: interrupted\n") if number == signal.SIGINT else (-number, "")
    if (process.returncode, err) != expected:
        found.append(f"ended with {process.returncode}: {err[:300]!r}")
    deadline = time.monotonic() + 20
    while any(map(_said, solvers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    if any(map(_said, solvers)):
        found.append("left a solver behind")
    if (folder / "ledger.md").exists() or (folder / "proofs").exists():
        found.append("left a result of what it had not proved")
    return [f"prove, {number.name} after {delay:.2f} s: {complaint}" for complaint in found]
