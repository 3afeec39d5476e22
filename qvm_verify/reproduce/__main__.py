"""`python -m qvm_verify.reproduce`."""

import sys

from qvm_verify.exits import run_command
from qvm_verify.reproduce.command import command

if __name__ == "__main__":
    sys.exit(run_command(command))
