"""What a counterexample is made of: its run on the reference, its causes, and the smallest one like it."""

from qvm_verify.counterexamples.diagnosis import diagnose
from qvm_verify.counterexamples.minimize import minimize
from qvm_verify.counterexamples.reference_run import run_case, run_on_reference, trace
from qvm_verify.counterexamples.text import describe, explain

__all__ = ["describe", "diagnose", "explain", "minimize", "run_case", "run_on_reference", "trace"]
