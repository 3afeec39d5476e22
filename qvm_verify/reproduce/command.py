"""The command line of the paper's experiments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console

from qvm_verify import datasets
from qvm_verify.exits import CommandParser, Exit
from qvm_verify.option_types import positive_integer, seed, threads, time_steps
from qvm_verify.progress_bars import progress_on
from qvm_verify.reproduce.experiments import EXPERIMENTS, run
from qvm_verify.reproduce.settings import Settings
from qvm_verify.whole_files import ensure_folder


def command(arguments: Sequence[str]) -> Exit:
    """Run experiments of the paper again; write a picture, the numbers and a paragraph for each."""
    options = _parser().parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    ensure_folder(options.report)
    console = Console()
    names = list(EXPERIMENTS) if "all" in options.experiment else list(dict.fromkeys(options.experiment))
    for name in names:
        with progress_on(console) as progress:
            task = progress.add_task(name, total=None)
            outcome = run(
                name,
                Settings(
                    data=options.data,
                    models=tuple(options.model),
                    limit=options.limit,
                    time_steps=options.time_steps,
                    seed=options.seed,
                    on_progress=lambda what, done, total, task=task, progress=progress: progress.update(  # type: ignore[misc]
                        task, description=what, completed=done, total=total
                    ),
                ),
            )
        paths = outcome.write(options.report)
        console.print(f"[bold]{outcome.title}[/]", highlight=False)
        console.print(outcome.paragraph, highlight=False)
        console.print(f"  {paths[0].parent}/{name}.csv, .md, .svg, .png\n", highlight=False)
    return Exit.AS_EXPECTED


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="qvm-verify reproduce",
        description="Run the paper's figures and tables again, and say what the numbers say.",
        epilog="Exit codes: 0 done, 2 bad usage or input.",
    )
    add = parser.add_argument
    add("experiment", nargs="+", choices=[*EXPERIMENTS, "all"], help="figure or table")
    add("--data", default="digits", metavar="DATA", help=f"{datasets.SPECIFICATIONS} (default: digits)")
    add("--model", type=Path, action="append", default=[], metavar="MODEL", help="checkpoint; repeatable")
    add("--limit", type=positive_integer, metavar="N", help="the first N images only")
    add(
        "--time-steps",
        type=time_steps,
        default=32,
        metavar="T",
        help="the largest T (default: 32)",
    )
    add("--seed", type=seed, default=0, help="of trainings and draws (default: 0)")
    add(
        "--threads",
        type=threads,
        metavar="N",
        help="threads of PyTorch (default: its own choice)",
    )
    add("--report", type=Path, default=Path("reports/reproduced"), metavar="DIR")
    return parser
