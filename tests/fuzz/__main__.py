"""`python -m tests.fuzz TARGET --seconds N`: fuzz one reader, and keep what is found as a regression."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from qvm_verify.exits import CommandParser, Exit, run_command
from qvm_verify.option_types import positive_integer
from tests.fuzz.driver import fuzz, keep
from tests.fuzz.seeds import SEEDS


def command(arguments: Sequence[str]) -> Exit:
    """Fuzz a target; exit 1 where something was found, which then lies in `regressions/TARGET/`."""
    parser = CommandParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=SEEDS)
    parser.add_argument("--seconds", type=positive_integer, default=60, help="default: 60")
    parser.add_argument("--seed", type=positive_integer, default=1, help="default: 1")
    options = parser.parse_args(arguments)
    outcome = fuzz(options.target, options.seconds, options.seed)
    print(
        f"{options.target}: {outcome.tried} inputs, {outcome.coverage} edges, {len(outcome.found)} findings"
    )
    for path in keep(options.target, outcome):
        print(f"  {path}")
    return Exit.COUNTEREXAMPLE if outcome.found else Exit.AS_EXPECTED


if __name__ == "__main__":
    sys.exit(run_command(command))
