"""`python -m qvm_verify.prove`."""

import sys

if __name__ == "__main__":  # the solvers' processes import this file, too, and need nothing of it
    from qvm_verify.exits import run_command
    from qvm_verify.prove.command import command

    sys.exit(run_command(command))
