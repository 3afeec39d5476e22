"""The class scores of both networks, image by image."""

from __future__ import annotations

import torch
from torch import Tensor

from qvm_verify.exits import InputError
from qvm_verify.report.model import OutputResult


class OutputStatistics:
    """Counts the images on which the scores differ.

    Under constant currents both networks do the same operations on the same numbers, so their scores must
    agree bit for bit. Streaming sums over time, in another order, so there the predicted class counts.
    """

    def __init__(self, streaming: bool) -> None:
        self._streaming = streaming
        self._samples = self._mismatches = self._labelled = self._ann_correct = self._snn_correct = 0
        self._max_difference = 0.0

    def add(self, scores: Tensor, spiking_scores: Tensor, labels: Tensor | None) -> None:
        """Take in one batch. Raises InputError where the two outputs have different shapes."""
        if scores.shape != spiking_scores.shape:
            raise InputError(
                f"the ANN returns {list(scores.shape)} and the spiking network {list(spiking_scores.shape)}"
            )
        ann, snn = scores.flatten(1), spiking_scores.flatten(1)
        self._samples += len(ann)
        ann_class, snn_class = ann.argmax(1), snn.argmax(1)
        different = ann_class != snn_class if self._streaming else ~_same(ann, snn).all(1)
        self._mismatches += int(different.sum())
        difference = (ann.double() - snn.double()).abs().nan_to_num(0.0)
        self._max_difference = max(self._max_difference, float(difference.max()))
        if labels is not None:
            known = labels >= 0
            self._labelled += int(known.sum())
            self._ann_correct += int((ann_class == labels)[known].sum())
            self._snn_correct += int((snn_class == labels)[known].sum())

    def result(self) -> OutputResult:
        """Return the block of the report."""
        return OutputResult(
            samples=self._samples,
            mismatches=self._mismatches,
            max_abs_difference=self._max_difference,
            labelled=self._labelled,
            ann_correct=self._ann_correct if self._labelled else None,
            snn_correct=self._snn_correct if self._labelled else None,
        )


def _same(a: Tensor, b: Tensor) -> Tensor:
    """Return where two values are the same, NaN being one value."""
    return (a == b) | (torch.isnan(a) & torch.isnan(b))
