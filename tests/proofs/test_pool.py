"""Worker processes that are lost between two calls, or left alone by their parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from qvm_verify.proofs.pool import call_all


def number_of_this_process(call):
    return os.getpid()


def test_a_worker_that_died_while_it_had_nothing_to_do_is_replaced():
    calls = call_all(number_of_this_process, ((k,) for k in range(2)), time_limit=60, workers=1)
    _, first = next(calls)
    os.kill(first.value, signal.SIGKILL)
    os.waitid(os.P_PID, first.value, os.WEXITED | os.WNOWAIT)  # over, and its end of the pipe closed
    _, second = next(calls)
    assert (second.failure, second.value != first.value) == (None, True)


FIRST_AND_SECOND_WORKER = """
from qvm_verify.proofs.pool import call_all
from tests.proofs.test_pool import holds_interrupts

if __name__ == "__main__":
    calls = call_all(holds_interrupts, [(0,), (1,)], time_limit=60, workers=2)
    print([outcome.value for _, outcome in calls])
"""


def holds_interrupts(call):
    time.sleep(1)  # so that the other call needs a worker of its own
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_no_worker_gets_an_interrupt_not_even_the_first_of_a_process(tmp_path):
    script = tmp_path / "workers.py"
    script.write_text(FIRST_AND_SECOND_WORKER, encoding="utf-8")
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, script],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "[True, True]\n"


CALL_THAT_TAKES_LONG = """
import os, time
from qvm_verify.proofs.pool import call_all

if __name__ == "__main__":
    list(call_all(time.sleep, [(600,)], time_limit=900, workers=1))
"""


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def state_of(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


def test_a_worker_ends_with_its_parent_even_in_the_middle_of_a_call(tmp_path):
    script = tmp_path / "long.py"
    script.write_text(CALL_THAT_TAKES_LONG, encoding="utf-8")
    with subprocess.Popen([sys.executable, script]) as process:
        while not any(
            "spawn_main" in Path(f"/proc/{child}/cmdline").read_text() for child in children_of(process.pid)
        ):
            time.sleep(0.01)
        time.sleep(1.0)  # by now the call is under way, or nearly
        workers = children_of(process.pid)
        process.kill()
    deadline = time.monotonic() + 20
    while any(state_of(worker) not in ("gone", "Z") for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [state_of(worker) for worker in workers if state_of(worker) not in ("gone", "Z")] == []
