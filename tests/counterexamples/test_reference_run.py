"""The trace of a counterexample, against one worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from qvm_verify.counterexamples import describe, diagnose, trace
from qvm_verify.counterexamples.reference_run import ulps
from tests.counterexamples.cases import CASES, case


def test_a_trace_is_the_one_worked_out_by_hand():
    found = trace(case(x=0.5, v_init=0.25, levels=2))  # U = 0.75, then 1.25
    assert [(float.fromhex(s.u), s.spike, float.fromhex(s.v)) for s in found.steps] == [
        (0.75, False, 0.75),
        (1.25, True, 0.25),
    ]
    assert [s.threshold_ulps for s in found.steps] == [-(2**22), 2**21]
    assert (float.fromhex(found.z), found.boundary, found.boundary_ulps) == (1.0, (0.5).hex(), 0)


def test_a_current_below_its_nearest_boundary_is_a_negative_distance_away():
    below = float(np.nextafter(np.float32(0.5), np.float32(0)))
    assert trace(case(x=below, levels=2)).boundary_ulps == -1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_neighbouring_floats_are_one_apart_across_zero(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    assert ulps(dtype(0), tiny) == 1
    assert ulps(tiny, -tiny) == -2
    assert ulps(0.0, dtype(-0.0)) == 0
    assert ulps(1.0, np.nextafter(dtype(1), dtype(2))) == 1
    assert ulps(1.0, dtype("nan")) is None


def test_a_number_that_is_none_is_traced_all_the_same():
    found = trace(case(x=float("nan")))
    assert (found.z, found.boundary, found.steps[0].threshold_ulps) == ("nan", None, None)


def test_a_case_is_described_in_decimal_in_hexadecimal_and_in_ulp():
    found = CASES["v-init",]
    text = describe(replace(diagnose(found), trace=trace(found)))
    assert "cause: v-init (with V0 matched to the quantizer: M = 0, N = 0)" in text
    assert "t = 1: q = 0.200000003 (0x1.99999a0000000p-3), U = 0.699999988" in text
    assert "ulp from θ, s = 0, V = " in text
    assert text.endswith("M = 0 of L = 4, N = 1 of T = 4")
