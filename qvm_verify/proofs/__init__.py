"""Proofs: obligations made by running claims and reference code on symbols, and what solvers say to them."""
