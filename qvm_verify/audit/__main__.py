"""`python -m qvm_verify.audit`."""

import sys

from qvm_verify.audit.command import command
from qvm_verify.exits import run_command

if __name__ == "__main__":
    sys.exit(run_command(command))
