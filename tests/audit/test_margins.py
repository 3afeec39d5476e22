import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qvm_verify.audit.margins import Margins
from qvm_verify.audit.setting import Setting
from qvm_verify.snn.ordinals import to_floats, to_ordinals
from tests.arithmetics import FLOATS
from tests.strategies import nudged


def place(x):
    return int(to_ordinals(torch.tensor([x])))


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_two_zeros_are_neighbours_and_so_are_the_numbers_beside_them(dtype):
    tiny = np.nextafter(dtype(0), dtype(1))
    assert [place(x) for x in (-tiny, dtype(-0.0), dtype(0.0), tiny)] == [-2, -1, 0, 1]


@given(x=st.floats(allow_nan=False, allow_infinity=False), dtype=st.sampled_from(FLOATS))
def test_neighbouring_floats_are_one_apart(x, dtype):
    with np.errstate(over="ignore", under="ignore"):
        x = dtype(x)
        above = np.nextafter(x, dtype(np.inf))
    apart = 0 if np.isinf(x) and x > 0 else 2 if x < 0 <= above or (x == 0 and np.signbit(x)) else 1
    assert abs(place(above) - place(x)) == apart or x == 0


def test_the_places_of_all_float16_numbers_are_in_the_order_of_the_numbers():
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    ordered = np.unique(every[~np.isnan(every)])  # one zero
    places = to_ordinals(torch.from_numpy(ordered))
    assert sorted(places.diff().unique().tolist()) == [1, 2]  # 2 where the other zero lies between
    assert (places.diff() == 2).sum() == 1


def test_every_float16_bit_pattern_has_one_place_and_comes_back_from_it():
    every = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(torch.float16)
    places = to_ordinals(every)
    assert len(places.unique()) == 2**16
    assert torch.equal(to_floats(places, torch.float16).view(torch.int16), every.view(torch.int16))


def margins(quantizer, dtype):
    setting = Setting(
        levels=4,
        quantizer=quantizer,
        activation_threshold=1.0,
        time_steps=4,
        threshold=1.0,
        v_init=0.0,
        firing=">=",
        reset="reset_by_subtraction",
        streaming=False,
    )
    return Margins(setting, torch.from_numpy(np.zeros(1, dtype)).dtype, torch.device("cpu"))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("boundary", [0.25, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("ulps", [-3, -1, 0, 1, 2])
def test_the_margin_counts_representable_numbers_to_the_nearest_boundary(boundary, ulps, dtype):
    current = torch.tensor([[nudged(dtype(boundary), ulps), dtype(0.33)]])
    assert margins("floor", dtype).distances(current).min() == abs(ulps)


@pytest.mark.parametrize("dtype", FLOATS)
def test_currents_outside_the_range_measure_to_the_outermost_boundary(dtype):
    judge = margins("floor", dtype)
    distance = place(dtype(2)) - place(dtype(1))
    assert judge.distances(torch.tensor([dtype(2)])).min() == distance
    assert judge.distances(torch.tensor([dtype(0)])).min() == place(dtype(0.25))
    far = judge.distances(torch.tensor([-np.finfo(dtype).max])).min()
    assert far > place(dtype(0.25))
