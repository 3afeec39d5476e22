"""An audit that two processes share, of which one is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.running.befalls import send_itself
from tests.running.jobs import SHARED
from tests.running.process import Ended, Inject, Running
from tests.running.survival import Bench, lost, repeated
from tests.running.when import at_step

# The steps of a process on the disk before it has written two batches down, by its rank: the first also
# writes the events.
TWO_BATCHES = {0: 9, 1: 8}


def run_both(folder: Path, injects: dict[int, Inject]) -> list[Ended]:
    """Run the audit in two processes, as `torchrun` starts them, and return how each ended."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    where = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    both = [
        Running(
            folder,
            SHARED.command,
            SHARED.arguments,
            injects.get(rank),
            {**where, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            name=f"rank-{rank}",
        )
        for rank in (0, 1)
    ]
    return [one.end() for one in both]


def complaints(bench: Bench, victim: int, number: signal.Signals) -> list[str]:
    """Return what is wrong after one process of two was lost; nothing where the audit survived."""
    expected = bench.undisturbed(SHARED)
    inject = partial(at_step, TWO_BATCHES[victim], partial(send_itself, number))
    with TemporaryDirectory(dir=bench.folder) as name:
        here = Path(name)
        SHARED.lay(here)
        ended = run_both(here, {victim: inject})
        found = []
        if ended[victim].code != (130 if number == signal.SIGINT else -number):
            found.append(f"ended with {ended[victim].code}: {ended[victim].err[:300]!r}")
        other = ended[1 - victim]
        if other.code != 2 or "another process of this audit is gone" not in other.err:
            found.append(f"the other ended with {other.code}: {other.err[:300]!r}")
        if other.err.count("\n") != 1:
            found.append(f"the other said {other.err[:300]!r}")
        kept = SHARED.kept(here)
        if not kept:
            found.append("nothing was kept")
        again = Running(here, SHARED.command, SHARED.arguments).end()
        found += [*lost(SHARED, here, again, expected), *repeated(SHARED, here, again, kept)]
    return [f"process {victim} of two, {number.name}: {complaint}" for complaint in found]


def complaints_of_torchrun(bench: Bench, number: signal.Signals) -> list[str]:
    """Return what is wrong after a process was lost of those that `torchrun` itself started."""
    expected = bench.undisturbed(SHARED)
    with TemporaryDirectory(dir=bench.folder) as name:
        here = Path(name)
        SHARED.lay(here)
        launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
        process = subprocess.Popen(
            [sys.executable, *launcher, "-m", "qvm_verify.audit", *SHARED.arguments],
            cwd=here,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        while process.poll() is None and not SHARED.kept(here):
            time.sleep(0.002)
        victim = _process_of_rank(process.pid, 1)
        os.kill(victim, number)
        code = process.wait(timeout=120)  # torchrun ends the other process, and allows it 30 seconds
        found = [] if code == 1 else [f"torchrun ended with {code}, and ends with 1 where a process failed"]
        if (here / "reports" / "report.json").exists():
            found.append("there is a report")
        kept = SHARED.kept(here)
        again = Running(here, SHARED.command, SHARED.arguments).end()
        found += [*lost(SHARED, here, again, expected), *repeated(SHARED, here, again, kept)]
    return [f"torchrun, {number.name}: {complaint}" for complaint in found]


def _process_of_rank(launcher: int, rank: int) -> int:
    """Return the process of a rank among those that a launcher started."""
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text(encoding="ascii").split()
    wanted = f"RANK={rank}".encode()
    (found,) = [
        int(child) for child in children if wanted in Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
    ]
    return found
