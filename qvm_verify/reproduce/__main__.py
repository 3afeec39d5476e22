"""`python -m qvm_verify.reproduce`."""

import sys

from qvm_verify.exits import run_module

if __name__ == "__main__":
    sys.exit(run_module("qvm_verify.reproduce.command"))
