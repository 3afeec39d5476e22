"""Prove or refute the paper's claims: `python -m qvm_verify.prove`."""
