"""Where a condition begins to hold among the ordered floats: the search behind tables and certificates."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from qvm_verify.snn.ordinals import GUESS, first_holding, ordinal_range, to_ordinals

CPU = torch.device("cpu")


def places(dtype: torch.dtype) -> st.SearchStrategy[int]:
    """Draw a float's place or one past inf, the ends and the two zeros more often than others."""
    lowest, highest = ordinal_range(dtype)
    ends = [st.integers(lowest, lowest + 2), st.integers(highest - 1, highest + 1), st.integers(-2, 1)]
    return st.one_of(*ends, st.integers(lowest, highest + 1))


def searched(wanted: list[int], dtype: torch.dtype, guess: list[int] | None = None) -> tuple[list[int], int]:
    """Return what the search finds for conditions that begin to hold at `wanted`, and how often it asked."""
    calls = 0

    def holds(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        assert not x.isnan().any()
        return to_ordinals(x) >= torch.tensor(wanted)

    return first_holding(holds, len(wanted), dtype, CPU, guess).tolist(), calls


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
@given(st.data())
def test_the_first_place_is_found_wherever_it_is_and_whatever_was_guessed(
    dtype: torch.dtype, data: st.DataObject
) -> None:
    wanted = data.draw(st.lists(places(dtype), min_size=1, max_size=9), label="wanted")
    near = st.integers(-GUESS - 2, GUESS + 2)
    guess = data.draw(
        st.none()
        | st.lists(places(dtype), min_size=len(wanted), max_size=len(wanted))
        | st.tuples(*(near.map(lambda off, place=place: place + off) for place in wanted)).map(list),
        label="guess",
    )
    assert searched(wanted, dtype, guess)[0] == wanted


def test_a_good_guess_saves_evaluations() -> None:
    wanted = [5, 1_000_000, -7]
    found, alone = searched(wanted, torch.float32)
    assert found == wanted
    assert searched(wanted, torch.float32, [place + GUESS - 1 for place in wanted]) == (wanted, 1)
    assert alone == 6
    assert searched(wanted, torch.float32, [0, 0, 0])[1] <= alone + 1
