"""`python -m tests.scorecard`."""

import sys

from qvm_verify.exits import run_command
from tests.scorecard.command import command

if __name__ == "__main__":
    sys.exit(run_command(command, sys.argv[1:]))
