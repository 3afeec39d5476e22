"""`python -m benchmarks`."""

import sys

from benchmarks.command import command
from qvm_verify.exits import run_command

if __name__ == "__main__":
    sys.exit(run_command(command))
