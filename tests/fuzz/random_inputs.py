"""The first driver: mutated valid files and random bytes, as many as are asked for, always the same ones."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import seeds_of


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Return valid inputs of a target after a few changes, and now and then bytes of no origin."""

    def changed(valid: bytes, seed: int) -> bytes:
        return mutated(valid, Random(seed))

    strange = st.builds(changed, st.sampled_from(seeds_of(name)), st.integers(0, 2**64 - 1))
    return st.one_of(strange, strange, strange, strange, st.binary(max_size=300))
