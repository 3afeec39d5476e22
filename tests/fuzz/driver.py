"""Runs the coverage-guided fuzzer (atheris, over libFuzzer) on a target, in a process of its own."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from qvm_verify.exits import InputError
from tests.fuzz.mutations import MOST
from tests.fuzz.seeds import seeds_of

REGRESSIONS = Path(__file__).parent / "regressions"
GRACE = 120.0  # seconds to start and to end in, on a busy machine


@dataclass
class Fuzzed:
    """What a target went through: inputs tried, edges of qvm_verify seen, and what was found by its cause."""

    tried: int = 0
    coverage: int = 0
    found: dict[str, bytes] = field(default_factory=dict)


def keep(name: str, outcome: Fuzzed) -> list[Path]:
    """Write what was found beside the regressions, which a test replays; return where it lies."""
    paths = [REGRESSIONS / name / cause for cause in outcome.found]
    for path, data in zip(paths, outcome.found.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return paths


def available() -> bool:
    """Tell whether atheris is installed; there are wheels for Linux only."""
    return importlib.util.find_spec("atheris") is not None


def fuzz(name: str, seconds: float, seed: int = 1) -> Fuzzed:
    """Fuzz a target for so long. Raises InputError where atheris is not installed."""
    if not available():
        raise InputError("atheris is not installed: python -m pip install -c constraints.txt -e '.[fuzz]'")
    outcome = Fuzzed()
    end = time.monotonic() + seconds
    for attempt in range(100):  # a process that dies is begun anew, from another seed
        left = round(end - time.monotonic())
        if left < 1:
            break
        _run(name, left, seed + attempt, outcome)
    return outcome


def _run(name: str, seconds: int, seed: int, outcome: Fuzzed) -> None:
    with tempfile.TemporaryDirectory(prefix="fuzzed-") as scratch:
        folder, corpus = Path(scratch) / "found", Path(scratch) / "corpus"
        folder.mkdir()
        corpus.mkdir()
        for number, valid in enumerate(seeds_of(name)):
            (corpus / f"seed-{number}").write_bytes(valid)
        options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={MOST}", "-handle_alrm=0"]
        command = [sys.executable, "-m", "tests.fuzz.guided", name, str(folder), *options]
        command += ["-timeout=0", "-rss_limit_mb=0", "-print_final_stats=1", "-len_control=0", str(corpus)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            _, raw = process.communicate(timeout=seconds + GRACE)
            died = f"ended-with-{process.returncode}" if process.returncode else ""
        except subprocess.TimeoutExpired:
            process.kill()
            _, raw = process.communicate()
            died = "hangs"
        said = raw.decode(errors="replace")
        outcome.tried += max(map(int, re.findall(r"(?:^#|executed_units: )(\d+)", said, re.M)), default=0)
        outcome.coverage = max([outcome.coverage, *map(int, re.findall(r" cov: (\d+)", said))])
        for path in folder.glob("found-*"):
            outcome.found[path.name.removeprefix("found-")] = path.read_bytes()
        if died:
            if not (folder / "current").exists():
                raise RuntimeError(f"the fuzzer did not start on {name}: {said[-2000:]}")
            outcome.found[died] = (folder / "current").read_bytes()
