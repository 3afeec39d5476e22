"""The class scores of both networks, image by image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from qvm_verify.audit.mergeable import Count, LargestFloat, Mergeable
from qvm_verify.exits import InputError
from qvm_verify.report.model import OutputResult


@dataclass
class OutputStatistics(Mergeable):
    """Counts the images on which the scores differ."""

    samples: Count = 0
    mismatches: Count = 0
    max_difference: LargestFloat = 0.0
    labelled: Count = 0
    ann_correct: Count = 0
    snn_correct: Count = 0

    def result(self) -> OutputResult:
        """Return the block of the report."""
        return OutputResult(
            samples=self.samples,
            mismatches=self.mismatches,
            max_abs_difference=self.max_difference,
            labelled=self.labelled,
            ann_correct=self.ann_correct if self.labelled else None,
            snn_correct=self.snn_correct if self.labelled else None,
        )


def output_statistics(
    scores: Tensor, spiking_scores: Tensor, labels: Tensor | None, *, streaming: bool
) -> OutputStatistics:
    """Compare the scores of one batch.

    Under constant currents both networks do the same operations on the same numbers, so their scores must
    agree bit for bit. Streaming sums over time, in another order, so there the predicted class counts.

    Raises InputError where the two outputs have different shapes.
    """
    if scores.shape != spiking_scores.shape:
        raise InputError(
            f"the ANN returns {list(scores.shape)} and the spiking network {list(spiking_scores.shape)}"
        )
    ann, snn = scores.flatten(1), spiking_scores.flatten(1)
    ann_class, snn_class = ann.argmax(1), snn.argmax(1)
    different = ann_class != snn_class if streaming else ~_same(ann, snn).all(1)
    difference = (ann.double() - snn.double()).abs().nan_to_num(0.0)
    statistics = OutputStatistics(
        samples=len(ann), mismatches=int(different.sum()), max_difference=float(difference.max())
    )
    if labels is not None:
        known = labels >= 0
        statistics.labelled = int(known.sum())
        statistics.ann_correct = int((ann_class == labels)[known].sum())
        statistics.snn_correct = int((snn_class == labels)[known].sum())
    return statistics


def _same(a: Tensor, b: Tensor) -> Tensor:
    """Return where two values are the same, NaN being one value."""
    return (a == b) | (torch.isnan(a) & torch.isnan(b))
