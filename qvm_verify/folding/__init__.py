"""Batch-norm folded into the layer before it, and the check of what that changes."""

from qvm_verify.folding.check import FoldingCheck, SiteFolding, check_folding
from qvm_verify.folding.fold import fold_batch_norm, foldable

__all__ = ["FoldingCheck", "SiteFolding", "check_folding", "fold_batch_norm", "foldable"]
