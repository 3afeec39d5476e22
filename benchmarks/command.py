"""The command line of the benchmarks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console

from benchmarks import audit, certificate, forward, growth, modes, peers
from benchmarks.results import Outcome, Result, Skipped, machine, outcomes, save, show, to_json
from benchmarks.subject import QUICK, Setting
from qvm_verify.exits import CommandParser, Exit, InputError
from qvm_verify.option_types import positive_integer, threads

Benchmark = Callable[[Setting], Iterator[Result | Skipped]]

BENCHMARKS: dict[str, Benchmark] = {
    "forward": forward.measure,
    "peers": peers.measure,
    "modes": modes.measure,
    "audit": audit.measure_time,
    "memory": audit.measure_memory,
    "certificate": certificate.measure,
    "prove": certificate.measure_prove,
    "growth": growth.measure,
}


def command(arguments: Sequence[str]) -> Exit:
    """Run benchmarks; with --check, exit 1 names every target missed and exit 4 those not measured."""
    options = _parser().parse_args(arguments)
    if options.check and options.quick:
        raise InputError("--check: the targets are for the whole network; --quick measures a small one")
    setting = QUICK if options.quick else Setting()
    setting = replace(setting, threads=options.threads, rounds=options.rounds or setting.rounds)
    torch.set_num_threads(setting.threads)
    names = options.only or list(BENCHMARKS)
    console = Console() if sys.stdout.isatty() else Console(width=110)
    about = machine(setting)  # before the benchmarks load the machine themselves
    results: list[Result] = []
    skipped: list[Skipped] = []
    for name in names:
        seen = run(name, setting, console)
        results += [one for one in seen if isinstance(one, Result)]
        skipped += [one for one in seen if isinstance(one, Skipped)]
        reached = outcomes(results, names)
        if options.json is not None:  # now, lest an interrupt take it
            save(to_json(results, skipped, reached, about), options.json)
    show(results, skipped, reached, console)
    return check(reached, console) if options.check else Exit.AS_EXPECTED


def run(name: str, setting: Setting, console: Console) -> list[Result | Skipped]:
    """Run one benchmark."""
    torch.compiler.reset()  # a module's code is compiled for 8 networks at most
    with console.status(f"measuring: {name}"):
        return list(BENCHMARKS[name](setting))


def check(reached: Sequence[Outcome], console: Console) -> Exit:
    """Print what was missed and what was not measured; return the exit code."""
    missed = [outcome for outcome in reached if outcome.met is False]
    unmeasured = [outcome for outcome in reached if outcome.met is None]
    for label, group in (("missed", missed), ("not measured", unmeasured)):
        for outcome in group:
            console.print(f"{label}: {outcome}", highlight=False, soft_wrap=True)
    if missed:
        return Exit.COUNTEREXAMPLE
    return Exit.INCONCLUSIVE if unmeasured else Exit.AS_EXPECTED


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m benchmarks",
        description="Measure ratios side by side, in turns, and print medians with quartiles.",
        epilog="Exit codes: 0; 2 bad usage; with --check 1 a target missed, 4 a target not measured.",
    )
    add = parser.add_argument
    add("--check", action="store_true", help="compare with the targets")
    add("--json", type=Path, metavar="FILE", help="write everything there")
    add(
        "--only",
        choices=BENCHMARKS,
        action="append",
        metavar="NAME",
        help="one benchmark; repeatable (default: all)",
    )
    add("--quick", action="store_true", help="a small network, few rounds: to try it")
    add("--threads", type=threads, default=2, metavar="N", help="threads of PyTorch (default: 2)")
    add("--rounds", type=positive_integer, metavar="N", help="runs of each case (default: 15)")
    return parser
