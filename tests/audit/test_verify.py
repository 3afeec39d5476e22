"""Every verdict of the audit on networks with one neuron a site, where hand arithmetic says what is right."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from qvm_verify.audit import verify
from qvm_verify.exits import Exit
from qvm_verify.replay import replay
from qvm_verify.snn import IFNeuron, QuantizedActivation, convert
from qvm_verify.verdict import Verdict
from tests.audit.foreign import (
    Chain,
    ForeignActivation,
    ForeignNeuron,
    HalfEvenActivation,
    HalfEvenNeuron,
    OffGridNeuron,
    StatefulNeuron,
)
from tests.small_networks import OneSite, TinyNetwork, column, dyadic_images

TIE = 0.25  # z = 1 at θ = 1, L = 4


def one_site(quantizer="floor", levels=4):
    return OneSite(QuantizedActivation(levels, quantizer))


def claim(report, name):
    (found,) = [claim for claim in report.claims if claim.claim == name]
    return found.verdict


def row(report, mode="shadow", site="site"):
    (found,) = [layer for layer in report.layers if (layer.mode, layer.site) == (mode, site)]
    return found


def test_a_strict_comparison_is_refuted_exactly_where_the_data_hits_a_tie():
    ann = one_site()
    strict = convert(ann, firing=">")
    tied = verify(ann, strict, [column(0.3, TIE)])
    assert tied.verdict == "not-lossless"
    assert tied.first_divergence == {"shadow": "site", "end-to-end": "site"}
    assert [(c.input, c.level, c.spike_count) for c in tied.counterexamples] == [(1, 1, 0)] * 2
    apart = verify(ann, strict, [column(0.3, 0.6)])
    assert apart.verdict == "lossless"
    assert apart.exit_code is Exit.AS_EXPECTED


def test_the_margin_says_how_many_floats_the_data_kept_from_a_tie():
    ann = one_site()
    below = float(np.nextafter(np.float32(TIE), np.float32(0)))
    for images, margin in ((column(0.3, TIE), 0), (column(0.3, below), 1)):
        report = verify(ann, convert(ann), [images])
        assert row(report).margin_ulps == margin
        assert row(report, "end-to-end").margin_ulps == margin


def test_ceil_is_refuted_on_a_silent_input_and_repaired_by_strict_firing():
    ann = one_site("ceil")
    assert verify(ann, convert(ann), [column(0.0)]).verdict == "not-lossless"
    assert verify(ann, convert(ann, firing=">"), [column(0.0, TIE, 0.3)]).verdict == "lossless"


def test_half_to_even_is_refuted_at_a_tie_that_goes_down():
    ann = one_site("round_half_even")
    assert verify(ann, convert(ann), [column(0.125)]).verdict == "not-lossless"  # z = 1/2
    assert verify(ann, convert(ann), [column(0.375)]).verdict == "lossless"  # z = 3/2


def test_a_counterexample_holds_everything_in_hexadecimal_and_replays():
    ann = one_site()
    report = verify(ann, convert(ann, v_init=0.5), [column(0.6), column(0.2)])
    first = report.counterexamples[0]  # image 0: z = 2.4, M = N = 2; image 1: z = 0.8 and V0 = 1/2, so N = 1
    current = float(np.float32(0.2)).hex()
    assert (first.site, first.mode, first.input, first.neuron) == ("site", "shadow", 1, (0,))
    assert (first.level, first.levels, first.spike_count, first.time_steps) == (0, 4, 1, 4)
    assert (first.reference_level, first.reference_spike_count) == (0, 1)
    assert (first.activation_current, first.currents) == (current, (current,) * 4)
    assert (first.threshold, first.v_init) == ((1.0).hex(), (0.5).hex())
    assert replay(first)


def test_preconditions_are_counted_one_by_one():
    ann = one_site()
    # q < 0; z = 1; z = 3.2; z = 4 and q = θ, which is not over it; q > θ; neither finite, and one is > θ
    images = column(-0.5, TIE, 0.8, 1.0, 2.0, math.nan, math.inf)
    found = row(verify(ann, convert(ann), [images])).preconditions
    assert (found.negative_current, found.over_threshold, found.integer_z, found.non_finite) == (1, 2, 2, 2)


@pytest.mark.parametrize("strange", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_counted_and_nan_never_ends_lossless(strange):
    ann = one_site()
    report = verify(ann, convert(ann), [column(0.3, strange)])
    assert row(report).preconditions.non_finite == 1
    if math.isnan(strange):
        assert report.exit_code is not Exit.AS_EXPECTED
        assert row(report).spike_count_mismatches == 1
        assert all(replay(counterexample) for counterexample in report.counterexamples)


def test_errors_are_propagated_and_bounded_as_worked_out_by_hand():
    ann = Chain(QuantizedActivation(4, "floor"), QuantizedActivation(4, "floor"), gain=2.0)
    spiking = convert(ann)
    spiking.sites[0].v_init.fill_(0.5)
    # Site 0: z = 0.8, M = 0, N = 1. Site 1: 0 becomes 2 * 1/4, so δ_z = 2, the bound 3, and N = 2.
    report = verify(ann, spiking, [column(0.2)])
    first, second = (row(report, "end-to-end", f"sites.{k}").propagation for k in (0, 1))
    assert (first.bound, first.observed, first.exceeded) == (1, 1, 0)
    assert (second.bound, second.observed, second.exceeded) == (3, 2, 0)
    assert row(report, "shadow", "sites.1").spike_count_mismatches == 0
    assert row(report, "end-to-end", "sites.1").current_differences == 1


def test_a_site_whose_error_exceeds_what_arrives_is_counted():
    ann = one_site()
    report = verify(ann, convert(ann, v_init=2.0), [column(0.2)])  # V0 = 2 alone makes N = 2 of z = 0.8
    found = row(report, "end-to-end").propagation
    assert (found.bound, found.observed, found.exceeded) == (1, 2, 1)


def test_errors_have_their_mean_and_maximum_in_units_of_the_activation():
    ann = one_site()
    report = verify(ann, convert(ann, v_init=0.5), [column(0.2), column(0.3), column(0.3), column(0.3)])
    error = row(report).unevenness_error
    assert (error.max, error.mean) == (0.25, 0.0625)  # one count of 1/4 off in four images
    shorter = row(verify(ann, convert(ann, time_steps=2), [column(0.2)]))
    assert shorter.unevenness_error is None


def test_t_below_l_is_compared_in_shares_of_t_and_l():
    ann = one_site()
    half = convert(ann, time_steps=2)
    assert verify(ann, half, [column(0.6)]).verdict == "lossless"  # M = 2 of 4, N = 1 of 2
    assert verify(ann, half, [column(0.3)]).verdict == "not-lossless"  # M = 1 of 4


def test_modules_of_another_project_are_audited():
    ann, spiking = OneSite(ForeignActivation()), OneSite(ForeignNeuron())
    report = verify(ann, spiking, [column(0.1, TIE, 0.3, 0.99, 1.5, -1.0)])
    assert report.verdict == "lossless"
    assert report.reference.neurons_checked > 0
    assert verify(ann, OneSite(ForeignNeuron(v_init=0.5)), [column(0.2)]).verdict == "not-lossless"


def test_a_neuron_that_fires_below_the_threshold_it_declares_is_refuted():
    report = verify(OneSite(ForeignActivation()), OneSite(ForeignNeuron(fires_at=0.9)), [column(0.3, 0.23)])
    assert report.verdict == "not-lossless"
    assert claim(report, "audit.torch-agrees-with-reference") is Verdict.ERROR
    assert "the reference: M = 0, N = 0" in str(report.counterexamples[0])  # z = 0.92; it fires at 0.9


class EarlyNeuron(IFNeuron):
    """One of our own with a fault inside: it receives a tenth of its threshold more than it says."""

    def forward(self, x):
        return super().forward(x + self.threshold / 10)


@pytest.mark.parametrize("currents", ["constant", "streaming"])
def test_the_reference_catches_a_neuron_that_fires_early_under_either_kind_of_currents(currents):
    ann = one_site()
    spiking = convert(ann, currents=currents)
    honest = verify(ann, spiking, [column(0.3, 0.23)])
    assert claim(honest, "audit.torch-agrees-with-reference") is Verdict.TESTED
    (neuron,) = [module for module in spiking.modules() if isinstance(module, IFNeuron)]
    neuron.__class__ = EarlyNeuron
    report = verify(ann, spiking, [column(0.3, 0.23)])  # z = 0.92 is early enough
    assert report.verdict == "not-lossless"
    assert claim(report, "audit.torch-agrees-with-reference") is Verdict.ERROR


def test_an_activation_that_says_round_and_rounds_half_to_even_is_caught_by_the_reference():
    ann, images = OneSite(HalfEvenActivation()), [column(0.125)]  # z = 1/2
    report = verify(ann, OneSite(ForeignNeuron(v_init=0.5)), images)
    assert claim(report, "audit.torch-agrees-with-reference") is Verdict.ERROR
    assert report.exit_code is Exit.COUNTEREXAMPLE


def test_two_modules_that_are_wrong_in_the_same_way_are_a_contradiction_and_not_lossless():
    ann, spiking = OneSite(HalfEvenActivation()), OneSite(HalfEvenNeuron(v_init=0.5))
    report = verify(ann, spiking, [column(0.125)])
    assert report.verdict == "inconclusive"
    assert report.exit_code is Exit.CONTRADICTION
    assert verify(ann, spiking, [column(0.3)]).verdict == "lossless"


def test_a_neuron_that_keeps_its_state_is_not_lossless_in_the_second_batch():
    report = verify(OneSite(ForeignActivation()), OneSite(StatefulNeuron()), [column(0.2), column(0.2)])
    assert report.exit_code is not Exit.AS_EXPECTED
    assert claim(report, "audit.counterexamples-replay") is Verdict.ERROR
    assert row(report, "shadow").spike_count_mismatches == 0


class ChannelNeuron(ForeignNeuron):
    """Fires below its threshold in the second of two channels, and takes no other number of channels."""

    def __init__(self):
        super().__init__()
        self.fires_at = torch.tensor([1.0, 0.9]).reshape(2, 1)


def test_a_neuron_that_treats_its_channels_differently_is_refuted_and_replayed_on_the_whole_image():
    image = torch.tensor([[0.23, 0.3], [0.3, 0.23]]).reshape(1, 2, 2)  # z = 0.92, in both channels
    ann, spiking = (
        nn.Sequential(ForeignActivation(), nn.Flatten()),
        nn.Sequential(ChannelNeuron(), nn.Flatten()),
    )
    report = verify(ann.eval(), spiking.eval(), [image])
    assert report.verdict == "not-lossless"
    assert {(c.site, c.neuron) for c in report.counterexamples} == {("0", (1, 1))}
    assert "audit.counterexamples-replay" not in {claim.claim for claim in report.claims}


class InBfloat16(nn.Module):
    """A module that runs in bfloat16, for a caller who knows nothing of it."""

    def __init__(self, module):
        super().__init__()
        self.module = module.bfloat16()

    def forward(self, x):
        return self.module(x.bfloat16()).to(x.dtype)


@pytest.mark.parametrize("whole", [False, True])
def test_what_runs_in_bfloat16_is_judged_though_numpy_does_not_know_it(whole):
    ann = one_site()
    spiking = convert(ann)
    if whole:
        spiking = InBfloat16(spiking).eval()
    else:
        spiking.before = InBfloat16(spiking.before).eval()
    below = float(np.nextafter(np.float32(TIE), np.float32(0)))  # rounded to bfloat16 it is the tie itself
    report = verify(ann, spiking, [column(0.3125, below)])
    assert report.verdict == "not-lossless"
    assert report.first_divergence == {"shadow": None, "end-to-end": "site"}
    assert [replay(c) for c in report.counterexamples] == [True]


def test_a_layer_that_adds_up_wrongly_on_both_sides_is_a_contradiction():
    class Sloppy(nn.Linear):
        def forward(self, x):
            return super().forward(x) + 1e-4

    ann = one_site()
    ann.after = Sloppy(1, 1).eval()
    report = verify(ann, convert(ann), [column(0.3)])
    assert report.exit_code is Exit.CONTRADICTION
    assert report.reference.sums_outside_bound > 0


def test_values_between_two_spike_counts_are_a_finding():
    report = verify(OneSite(ForeignActivation()), OneSite(OffGridNeuron()), [column(0.3)])
    assert "off-grid" in {finding.kind for finding in report.findings}
    assert report.exit_code is not Exit.AS_EXPECTED


@pytest.mark.parametrize("quantizer", ["floor", "round"])
def test_a_small_residual_network_is_lossless_in_every_dtype_that_holds_its_sums(quantizer):
    for dtype in (torch.float32, torch.float64):
        ann = TinyNetwork(quantizer).to(dtype)
        report = verify(ann, convert(ann), dyadic_images(12).to(dtype).split(5))
        assert report.verdict == "lossless"
        assert report.output.samples == 12


@pytest.mark.parametrize("weight", [math.inf, math.nan])
def test_a_weight_that_is_not_finite_is_judged_and_does_not_stop_the_audit(weight):
    ann = OneSite(QuantizedActivation(4, "floor"), gain=weight)
    report = verify(ann, convert(ann), [column(0.3)])
    assert row(report).spike_count_mismatches == 0
