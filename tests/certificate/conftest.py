"""The tensors here are small: threads that wait for each other cost more than they bring."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run on one thread, except where all float32 numbers are swept."""
    before = torch.get_num_threads()
    if request.node.get_closest_marker("nightly") is None:
        torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
