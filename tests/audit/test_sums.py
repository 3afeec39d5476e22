"""Sums of layers against the exact sum: what is modelled, what is not, and what is no sum at all."""

import math
from fractions import Fraction

import torch
from torch import nn

from qvm_verify.audit import verify
from qvm_verify.audit.reference_check import _share_of_bound, _terms
from qvm_verify.snn import QuantizedActivation, convert

X = torch.arange(1.0, 17.0).reshape(1, 1, 4, 4)


def layer(module):
    for number, parameter in enumerate(module.parameters()):
        parameter.data = torch.full_like(parameter, number + 2)
    return module.requires_grad_(False)


def test_the_terms_of_an_output_are_its_weights_inputs_and_bias():
    dense = layer(nn.Linear(4, 2))
    assert _terms(dense, X[0, 0], (1, 0)) == [*((2, value) for value in (5, 6, 7, 8)), (3, 1)]
    window = [(2, value) for value in (1, 2, 5, 6)]
    assert _terms(layer(nn.Conv2d(1, 1, 2)), X, (0, 0, 0, 0)) == [*window, (3, 1)]
    assert _terms(layer(nn.Conv2d(1, 1, 2, bias=False)), X, (0, 0, 0, 0)) == window
    assert _terms(layer(nn.Conv2d(1, 1, 3, padding="same")), X, (0, 0, 0, 0)) is None
    assert _terms(layer(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")), X, (0, 0, 0, 0)) is None


def test_an_infinite_output_is_infinitely_far_from_a_finite_sum():
    terms = [(Fraction(1), Fraction(1))]
    assert _share_of_bound(1.0, terms, torch.float32) == 0
    assert _share_of_bound(1.5, terms, torch.float32) > 1
    for value in (math.inf, -math.inf, math.nan):
        assert _share_of_bound(value, terms, torch.float32) == math.inf


def test_a_layer_that_is_not_modelled_is_named_as_unchecked():
    ann = nn.Sequential(nn.Conv2d(1, 1, 3, padding="same"), QuantizedActivation(4, "floor")).eval()
    report = verify(ann, convert(ann), [X])
    assert "0" in " ".join(report.reference.unchecked)
    assert report.reference.sums_checked == 0
    assert report.verdict == "lossless"


def test_a_layer_that_receives_infinity_has_no_sum_to_check():
    ann = nn.Sequential(layer(nn.Linear(4, 2)), QuantizedActivation(4, "floor")).eval()
    images = torch.tensor([[1.0, 2.0, math.inf, 4.0]])
    report = verify(ann, convert(ann), [images])
    assert (report.reference.sums_checked, report.reference.unchecked) == (0, ())
