"""`python -m qvm_verify.report`."""

import sys

from qvm_verify.exits import run_module

if __name__ == "__main__":
    sys.exit(run_module("qvm_verify.report.command"))
