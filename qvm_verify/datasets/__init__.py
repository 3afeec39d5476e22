"""Loaders of datasets in their official file formats, each a torch `Dataset` of (image, label) pairs.

An image is float32 [C, H, W], a label an integer from 0; `classes` says how many. Nothing is ever downloaded.
"""

from qvm_verify.datasets.checksums import official
from qvm_verify.datasets.cifar import cifar10, cifar100
from qvm_verify.datasets.cifar10_dvs import cifar10dvs
from qvm_verify.datasets.dvs128_gesture import dvs128gesture
from qvm_verify.datasets.handwritten_digits import digits
from qvm_verify.datasets.image_folder import imagenet
from qvm_verify.datasets.image_zip import imagezip
from qvm_verify.datasets.images import NORMALIZATIONS, Normalize
from qvm_verify.datasets.mnist import mnist
from qvm_verify.datasets.nmnist import nmnist
from qvm_verify.datasets.npz import NO_LABEL, arrays
from qvm_verify.datasets.specification import SPECIFICATIONS, classes_of, open_dataset

__all__ = [
    "NORMALIZATIONS",
    "NO_LABEL",
    "SPECIFICATIONS",
    "Normalize",
    "arrays",
    "cifar10",
    "cifar10dvs",
    "cifar100",
    "classes_of",
    "digits",
    "dvs128gesture",
    "imagenet",
    "imagezip",
    "mnist",
    "nmnist",
    "official",
    "open_dataset",
]
