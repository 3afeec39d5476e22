"""`python -m qvm_verify.prove`."""

import sys

if __name__ == "__main__":  # the solvers' processes import this file, too, and need nothing of it
    from qvm_verify.exits import run_module

    sys.exit(run_module("qvm_verify.prove.command"))
