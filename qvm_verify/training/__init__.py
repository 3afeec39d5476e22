"""Training of quantized ANNs, the same bits in every run; `python -m qvm_verify.train` is its command."""

from qvm_verify.training.augmentations import AUGMENTATIONS
from qvm_verify.training.loop import Progress, TrainingSettings, accuracy, train

__all__ = ["AUGMENTATIONS", "Progress", "TrainingSettings", "accuracy", "train"]
