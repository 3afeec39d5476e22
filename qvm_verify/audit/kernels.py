"""The two loops over every value of a network, compiled by Numba where it is installed.

Integers and comparisons only, so that nothing is rounded here and a compiler has nothing to change.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import torch

Array = np.ndarray[Any, Any]

CELL_BITS = 14
"""A cell is 2^14 neighbouring floats; all cells of float32 have a table of half a MiB."""
FAR = 1 << 40
"""Further than any two ordinals of float32 are apart."""
BLOCK = 2048
"""So many counts stay in the first-level cache."""


def available() -> bool:
    """Tell whether the loops can be compiled; where not, the audit counts with plain PyTorch operations."""
    return importlib.util.find_spec("numba") is not None


def bin_images(
    x: Array, outputs: Array, cells: Array, edges: Array, near: Array, expected: Array
) -> tuple[Array, Array, Array]:
    """Return how often each bin occurs in each image, the smallest distances, and what is as expected.

    `x` and `outputs` are the bits of float32 values [images, n] as int32. Bin i holds the floats whose
    ordinals lie in [edges[i], edges[i + 1]). `cells` gives the bin of each cell, or -1 - (the bin of its
    first float) where it holds several. `near` [bins, 4] has, for each bin, the places before and after it
    to which a distance is taken: of decision boundaries, then of failing inputs; the distances are
    [images, 2]. `expected` [bins] has the bits that the activation must have returned.
    """
    images = len(x)
    counts = np.zeros((images, len(edges) - 1), np.int32)
    nearest = np.empty((images, 2), np.int64)
    as_expected = np.empty(images, np.bool_)
    _on_all_threads(
        _kernels()[0], images, x, outputs, cells, edges, near, expected, counts, nearest, as_expected
    )
    return counts, nearest, as_expected


def look_up(x: Array, steps: Array, values: Array, found: Array) -> None:
    """Fill `found` with values[number of steps <= x] for float32 x [images, n]; NaN reaches no step."""
    _on_all_threads(_kernels()[1], len(x), x, steps, values, found)


def _on_all_threads(kernel: Callable[..., None], images: int, *arguments: Any) -> None:
    """Run a kernel on as many shares of the images as PyTorch has threads."""
    threads = torch.get_num_threads()
    ends = [images * k // threads for k in range(threads + 1)]
    shares = itertools.pairwise(ends)
    mine, *others = shares
    waiting = [_pool(threads).submit(kernel, *share, *arguments) for share in others]
    kernel(*mine, *arguments)
    for one in waiting:
        one.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="audit")


@cache
def _kernels() -> tuple[Callable[..., None], Callable[..., None]]:
    """Compile both, or read them from where Numba keeps them for this version of the file and this processor.

    They release the interpreter's lock, so that threads run them side by side.
    """
    import numba

    try:
        compiled = numba.njit(nogil=True, cache=True)
        return compiled(_bin_images), compiled(_look_up)
    except RuntimeError:  # no folder to keep anything in
        compiled = numba.njit(nogil=True)
        return compiled(_bin_images), compiled(_look_up)


def _bin_images(
    first: int,
    last: int,
    x: Array,
    outputs: Array,
    cells: Array,
    edges: Array,
    near: Array,
    expected: Array,
    counts: Array,
    nearest: Array,
    as_expected: Array,
) -> None:
    half = 1 << (31 - CELL_BITS)
    for image in range(first, last):
        to_boundary = to_failing = np.int64(FAR)
        different = 0
        for j in range(x.shape[1]):
            bits = x[image, j]
            place = bits ^ ((bits >> 31) & 0x7FFFFFFF)
            b = np.int64(cells[(place >> CELL_BITS) + half])
            if b < 0:
                b = -1 - b
                while place >= edges[b + 1]:
                    b += 1
            to_boundary = min(to_boundary, place - near[b, 0], near[b, 1] - place)
            to_failing = min(to_failing, place - near[b, 2], near[b, 3] - place)
            counts[image, b] += 1
            different |= outputs[image, j] ^ expected[b]
        nearest[image, 0] = to_boundary
        nearest[image, 1] = to_failing
        as_expected[image] = different == 0


def _look_up(first: int, last: int, x: Array, steps: Array, values: Array, found: Array) -> None:
    counts = np.empty(BLOCK, np.int32)
    for image in range(first, last):
        for start in range(0, x.shape[1], BLOCK):
            size = min(BLOCK, x.shape[1] - start)
            block = x[image, start : start + size]
            counts[:size] = 0
            for step in steps:
                for j in range(size):
                    counts[j] += block[j] >= step
            for j in range(size):
                found[image, start + j] = values[counts[j]]
