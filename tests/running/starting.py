"""Interrupts of commands as they are really started, while they are still being imported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.running.process import heed_interrupts

LIBRARIES = {"audit": ("numpy", "libtorch_cpu"), "train": ("libtorch_cpu",), "replay": ("numpy",)}
"""Commands, and libraries that are there while they are being imported."""


def interrupted(command: str, library: str) -> subprocess.CompletedProcess[str]:
    """Start a command, interrupt it as soon as a library is there, and return how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"qvm_verify.{command}", "absent"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        preexec_fn=heed_interrupts,
    )
    maps = Path(f"/proc/{process.pid}/maps")
    while process.poll() is None and library not in maps.read_text(encoding="utf-8"):
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def complaints(command: str, library: str) -> list[str]:
    """Return what is wrong with how an interrupted command ended."""
    ended = interrupted(command, library)
    # CPython ends itself by the signal where the interrupt came within an `exec`, such as that of a named
    # tuple; a shell shows 130 for both.
    if ended.returncode in (130, -signal.SIGINT) and ended.stderr == "qvm-verify: interrupted\n":
        return []
    return [f"{command} at {library}: ended with {ended.returncode}: {ended.stderr[-300:]!r}"]
