"""A neuron cut out of a network sums to its own current, and fails by itself."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qvm_verify.audit import verify
from qvm_verify.audit.slices import MOST_SYNAPSES
from qvm_verify.counterexamples.fewest_inputs import slice_agrees
from qvm_verify.snn import QuantizedActivation, convert
from tests.small_networks import OneSite, TinyNetwork, column, dyadic_images


@pytest.fixture(scope="module", params=["constant", "streaming"])
def cut(request):
    """Return the counterexamples with a slice of a wrong conversion of a network with a residual block."""
    ann = TinyNetwork()
    report = verify(ann, convert(ann, v_init=0.5, currents=request.param), [dyadic_images()], certify="off")
    refused = {(c.site, c.mode) for c in report.counterexamples if c.slice_detail}
    assert refused <= {("block.act1", "end-to-end"), ("block.act2", "end-to-end")}  # behind the max-pool
    return [c for c in report.counterexamples if c.slice]


def test_the_first_counterexample_of_every_site_and_mode_has_a_slice_and_a_smallest_case(cut):
    sites = {(c.site, c.mode) for c in cut}
    assert len(sites) == len(cut)
    assert {site for site, mode in sites if mode == "shadow"} == {"act", "block.act1", "block.act2"}
    assert ("act", "end-to-end") in sites
    assert all(c.minimal is not None for c in cut)


def test_a_slice_sums_to_its_current_without_rounding_where_no_sum_is_rounded(cut):
    for c in cut:
        assert slice_agrees(c, c.slice)
        assert c.slice.rounding_ulps == 0
        assert {float.fromhex(value) for value in c.slice.rounding} == {0.0}


def test_a_slice_holds_the_weights_of_the_receptive_field(cut):
    stem = TinyNetwork().stem
    fused = (stem[0].weight / 2 * stem[1].weight[:, None, None, None]).detach()  # batch-norm divides by √4
    c = next(c for c in cut if c.site == "act")
    for synapse in c.slice.synapses:
        assert synapse.source == "(input)"
        _, row, column = (a - b + 1 for a, b in zip(synapse.index, (0, *c.neuron[1:]), strict=True))
        assert float.fromhex(synapse.weight) == float(fused[c.neuron[0], 0, row, column])


def test_a_slice_with_a_weight_that_is_another_does_not_sum_to_its_current(cut):
    c = next(c for c in cut if c.slice.synapses)
    first, *others = c.slice.synapses
    heavier = replace(first, weight=(float.fromhex(first.weight) + 4).hex())
    if float.fromhex(first.activation_input):
        assert not slice_agrees(c, replace(c.slice, synapses=(heavier, *others)))


def test_the_fewest_inputs_are_among_the_synapses_and_known_by_hand():
    ann = OneSite(QuantizedActivation(4, "floor"))
    c = verify(ann, convert(ann, v_init=0.5), [column(0.2)]).counterexamples[0]
    assert c.slice.fewest == (0,)  # without the pixel the current is 0, and so are M and N
    assert [s.index for s in c.slice.synapses] == [(0,)]


class Bent(OneSite):
    """Something that is not linear stands before the site."""

    def forward(self, x):
        return self.after(self.site(torch.square(x)))


def test_a_network_that_is_not_linear_before_the_site_has_no_slice_and_says_so():
    ann = Bent(QuantizedActivation(4, "floor"))
    c = verify(ann, convert(ann, v_init=0.5), [column(0.45)]).counterexamples[0]
    assert c.slice is None
    assert "something is not linear" in c.slice_detail


def test_a_neuron_with_too_many_inputs_is_not_saved_and_says_so():
    ann = nn.Sequential(nn.Linear(MOST_SYNAPSES + 1, 1, bias=False), QuantizedActivation(4, "floor")).eval()
    ann[0].weight.data.fill_(2.0**-10)
    images = F.pad(torch.zeros(1, 1), (0, MOST_SYNAPSES), value=0.2)
    images[:, 0] = 0.2
    c = verify(ann, convert(ann, v_init=0.5), [images]).counterexamples[0]
    assert c.slice is None
    assert f"{MOST_SYNAPSES + 1} inputs are not 0" in c.slice_detail


def test_memory_that_runs_out_is_no_reason_to_leave_a_slice_out(monkeypatch):
    # At another time there is memory for it, and the report of the same audit would be another.
    def allocate(*arguments, **options):
        return torch.empty(2**45)

    monkeypatch.setattr("qvm_verify.audit.slices.torch.autograd.grad", allocate)
    ann = TinyNetwork()
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        verify(ann, convert(ann, v_init=0.5), [dyadic_images()], certify="off")
