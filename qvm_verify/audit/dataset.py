"""An audit over a whole dataset: in constant memory, resumable, on one process or many.

Batches are numbered over the dataset. Who looks at which does not matter: each gives a tally, tallies merge
in any order, and a batch holds the same images whoever looks at it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from qvm_verify.audit.certification import Certify, SiteCertificate
from qvm_verify.audit.conclude import environment
from qvm_verify.audit.currents import compare_currents
from qvm_verify.audit.journal import Journal
from qvm_verify.audit.processes import Processes
from qvm_verify.audit.setting import NUMPY_DTYPES
from qvm_verify.audit.side_by_side import SideBySide
from qvm_verify.audit.tally import Tally
from qvm_verify.loading import loaded
from qvm_verify.report.model import Report


class Batches(NamedTuple):
    """A dataset of a known number of (image, label) pairs, cut into batches."""

    data: Dataset[Any]
    images: int
    size: int
    device: torch.device
    dtype: torch.dtype
    workers: int = 0  # processes that load images, beside the thread that does where there is none

    @property
    def numbers(self) -> range:
        """The numbers of all batches."""
        return range(-(-self.images // self.size))

    def load(self, numbers: Sequence[int]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the images and labels of some batches, in their order, each loaded while the last is used."""
        rows = [list(range(k * self.size, min((k + 1) * self.size, self.images))) for k in numbers]
        loading = loaded(DataLoader(self.data, batch_sampler=rows, num_workers=self.workers))
        with ThreadPoolExecutor(max_workers=1) as thread:
            following = thread.submit(next, loading, None)
            while (batch := following.result()) is not None:
                following = thread.submit(next, loading, None)
                images, labels = batch
                yield images.to(self.device, self.dtype), labels.to(self.device)


class Listeners(NamedTuple):
    """Whom to tell how far an audit has come."""

    on_inputs: Callable[[str, int], None]  # a site, and how many numbers are certified so far
    on_certificate: Callable[[SiteCertificate], None]  # a site is done with
    on_resume: Callable[[int, int], None]  # how many batches an earlier run has done, of how many
    on_images: Callable[[int, int], None]  # how many images this process has done, of how many
    on_batch: Callable[[int, Tally], None]  # the number of a batch, and what it showed


@torch.no_grad()
def audit_dataset(
    ann: nn.Module,
    snn: nn.Module,
    batches: Batches,
    *,
    seed: int,
    certify: Certify,
    compare: bool,
    model: dict[str, Any],
    folder: Path,
    processes: Processes,
    listeners: Listeners,
) -> tuple[Report, Journal]:
    """Return the report on all batches, and the journal, to be removed when the report is safe.

    What is seen is written to journals in `folder`, and what journals of the same audit hold is not looked
    at again. Every process returns the same report. `compare` adds constant against streaming currents on
    the first batch. Raises InputError as `verify` and `Journal` do.
    """
    ((first, _),) = batches.load([0])
    settings = {
        "model": model,
        "environment": environment(batches.device.type, NUMPY_DTYPES.get(batches.dtype, ""), seed),
        "certify": certify,
        "images": batches.images,
        "batch_size": batches.size,
        "first_batch": hashlib.sha256(first.cpu().numpy().tobytes()).hexdigest(),
    }
    audit = SideBySide(
        ann,
        snn,
        first,
        seed=seed,
        certify=certify,
        on_inputs=listeners.on_inputs,
        on_certificate=listeners.on_certificate,
    )
    journal = Journal(folder, settings, processes.rank)
    tally, remaining = _resume(journal, batches, processes, listeners)
    mine = remaining[processes.rank :: processes.count]
    with journal:
        images_done = 0
        images_mine = sum(min(batches.size, batches.images - k * batches.size) for k in mine)
        for number, (images, labels) in zip(mine, batches.load(mine), strict=True):
            seen = audit.look(number, number * batches.size, images, labels, tally)
            journal.append(number, seen)
            tally.merge(seen)
            images_done += len(images)
            listeners.on_images(images_done, images_mine)
            listeners.on_batch(number, seen)
    whole = Tally()
    for part in processes.gather(tally.to_json()):
        whole.merge(Tally.from_json(part))
    report = audit.report(whole, model)
    if compare:
        report = replace(report, currents_comparison=compare_currents(ann, first))
    return report, journal


def _resume(
    journal: Journal, batches: Batches, processes: Processes, listeners: Listeners
) -> tuple[Tally, list[int]]:
    """Return what this process takes over from earlier journals, and the batches left for all of them.

    Processes may or may not see one disk, so each batch is taken over by the first process that has it.
    """
    seen_here = {number for number, _ in journal.batches()}
    everywhere = processes.gather(sorted(seen_here))
    earlier = {number for numbers in everywhere[: processes.rank] for number in numbers}
    tally = Tally()
    for number, part in journal.batches():
        if number in seen_here and number not in earlier:  # others may be writing by now
            tally.merge(part)
    done = {number for numbers in everywhere for number in numbers}
    if done:
        listeners.on_resume(len(done), len(batches.numbers))
    return tally, [number for number in batches.numbers if number not in done]
