"""The 1,797 handwritten digits that ship inside scikit-learn: real data with no download."""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import TensorDataset

HELD_OUT = 360


class Digits(TensorDataset):
    """Tensors of images and labels."""

    classes = 10


def digits(split: str = "test") -> Digits:
    """Return images [1, 8, 8] in [0, 1] with their labels; 360 are held out, stratified, always the same.

    Raises ValueError unless `split` is "train" or "test".
    """
    if split not in ("train", "test"):
        raise ValueError(f"digits have the splits 'train' and 'test', not {split!r}")
    data = load_digits()
    rows = train_test_split(
        torch.arange(len(data.target)), test_size=HELD_OUT, stratify=data.target, random_state=0
    )[split == "test"]
    images = torch.tensor(data.images[rows.numpy()], dtype=torch.float32).unsqueeze(1) / 16
    return Digits(images, torch.tensor(data.target[rows.numpy()]))
