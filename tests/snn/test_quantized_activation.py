import math

import pytest
import torch

from qvm_verify.snn import QUANTIZERS, QuantizedActivation

LEVELS = {  # γ = 2, L = 4, so z = 2 x for x = -1, -1/8, 0, 1/4, 1/2, 5/8, 2, 10
    "floor": [0, 0, 0, 0, 1, 1, 4, 4],
    "round": [0, 0, 0, 1, 1, 1, 4, 4],
    "round_half_even": [0, 0, 0, 0, 1, 1, 4, 4],
    "ceil": [0, 0, 0, 1, 1, 2, 4, 4],
}
X = [-1.0, -0.125, 0.0, 0.25, 0.5, 0.625, 2.0, 10.0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_levels_and_values_are_the_ones_worked_out_by_hand(quantizer, dtype):
    site = QuantizedActivation(4, quantizer, threshold=2.0).to(dtype)
    level, value = site.level(torch.tensor(X, dtype=dtype)), site(torch.tensor(X, dtype=dtype))
    assert level.dtype == value.dtype == dtype
    assert level.tolist() == LEVELS[quantizer]
    assert value.tolist() == [m / 2 for m in LEVELS[quantizer]]
    assert not torch.signbit(value).any()


def test_a_missing_number_stays_missing():
    assert QuantizedActivation(4, "round")(torch.tensor([math.nan])).isnan().all()


def test_gradients_pass_straight_through_inside_the_clip_and_stop_outside():
    site = QuantizedActivation(4, "floor", threshold=2.0)
    x = torch.tensor([-1.0, 0.7, 1.9, 3.0], requires_grad=True)
    site(x).sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("x", "gradient"),
    # inside, da/dγ = M/L - x/γ; above the clip a = γ, so 1; below it 0
    [(0.7, 1 / 4 - 0.35), (1.9, 3 / 4 - 0.95), (3.0, 1.0), (-1.0, 0.0)],
)
def test_the_threshold_has_the_gradient_of_eq_4_with_q_as_the_identity(x, gradient):
    site = QuantizedActivation(4, "floor", threshold=2.0)
    site(torch.tensor([x])).sum().backward()
    assert site.threshold.grad.item() == pytest.approx(gradient, abs=1e-6)


def test_a_step_of_training_moves_the_threshold():
    site = QuantizedActivation(4, "round")
    optimizer = torch.optim.SGD(site.parameters(), lr=0.1)
    site(torch.tensor([5.0])).sum().backward()
    optimizer.step()
    assert site.threshold.item() == pytest.approx(0.9)


@pytest.mark.parametrize("levels", [0, -1, 2.0, True])
def test_levels_that_are_no_positive_integer_are_refused(levels):
    with pytest.raises(ValueError, match="levels"):
        QuantizedActivation(levels, "floor")


@pytest.mark.parametrize("threshold", [0.0, -1.0, math.nan, math.inf])
def test_a_threshold_that_is_not_positive_and_finite_is_refused(threshold):
    with pytest.raises(ValueError, match="threshold"):
        QuantizedActivation(4, "floor", threshold=threshold)


def test_an_unknown_quantizer_is_refused_and_the_known_ones_are_named():
    with pytest.raises(ValueError, match="'nearest'; one of floor, round"):
        QuantizedActivation(4, "nearest")


def test_printing_shows_the_setting():
    assert "levels=4, quantizer='ceil', threshold=1.5" in repr(QuantizedActivation(4, "ceil", 1.5))
