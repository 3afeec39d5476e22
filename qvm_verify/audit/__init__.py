"""The layer-by-layer audit; `python -m qvm_verify.audit` is its command."""

from typing import TYPE_CHECKING

from qvm_verify.lazy_names import lazily

if TYPE_CHECKING:
    from qvm_verify.audit.assertion import assert_lossless
    from qvm_verify.audit.side_by_side import verify

__all__ = ["assert_lossless", "verify"]

__getattr__, __dir__ = lazily(
    __name__,
    {"assert_lossless": "qvm_verify.audit.assertion", "verify": "qvm_verify.audit.side_by_side"},
)
