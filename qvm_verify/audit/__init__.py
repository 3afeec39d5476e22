"""The layer-by-layer audit; `python -m qvm_verify.audit` is its command."""

from qvm_verify.audit.assertion import assert_lossless
from qvm_verify.audit.side_by_side import verify

__all__ = ["assert_lossless", "verify"]
