"""The paper's figures and tables, run again; `python -m qvm_verify.reproduce` is the command."""
