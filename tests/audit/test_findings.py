"""What nobody looked at can never end lossless: every kind of finding, and its exit code."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qvm_verify.audit import verify
from qvm_verify.exits import Exit
from qvm_verify.snn import QuantizedActivation, convert
from tests.audit.foreign import Chain, ForeignActivation, ForeignNeuron, With
from tests.small_networks import OneSite, TinyNetwork, column, dyadic_images


def chain(sites=2):
    return Chain(*(QuantizedActivation(4, "floor") for _ in range(sites)))


def findings(ann, spiking, images=None):
    """Return the audit's findings as (kind, site); there must be no verdict `lossless` beside them."""
    report = verify(ann, spiking, [column(0.3, 0.6) if images is None else images])
    if report.findings:
        assert report.verdict != "lossless"
        assert report.exit_code in (Exit.INCONCLUSIVE, Exit.COUNTEREXAMPLE)
    return [(finding.kind, finding.site) for finding in report.findings]


def test_a_faultless_pair_has_no_finding():
    assert findings(chain(), convert(chain())) == []
    assert findings(TinyNetwork(), convert(TinyNetwork()), dyadic_images()) == []  # max-pool is allowed


def test_networks_without_any_site_are_a_finding_on_both_sides():
    plain = nn.Sequential(nn.Linear(1, 1)).eval()
    assert verify(plain, plain, [column(0.3)]).exit_code is Exit.INCONCLUSIVE
    assert findings(plain, plain) == [("no-site", "ANN"), ("no-site", "SNN")]


def test_a_spiking_network_that_was_never_converted_is_a_finding():
    kinds = {kind for kind, _ in findings(chain(), chain())}
    assert {"no-site", "site-without-partner", "unconverted-activation"} <= kinds


def test_a_neuron_without_an_activation_has_no_partner():
    spiking = Chain(*(ForeignNeuron() for _ in range(3)))
    assert findings(chain(), spiking) == [("site-without-partner", "sites.2")]


def test_an_activation_without_a_neuron_has_no_partner():
    spiking = convert(chain())
    spiking.sites[1] = nn.Identity().eval()
    assert findings(chain(), spiking) == [("site-without-partner", "sites.1")]


def test_the_site_without_a_partner_is_named_though_others_of_its_name_stand_behind_it():
    spiking = convert(chain(3))
    spiking.sites[0] = nn.Identity().eval()
    report = verify(chain(3), spiking, [column(0.25, 0.5)])
    assert [(f.kind, f.site) for f in report.findings] == [("site-without-partner", "sites.0")]
    assert {row.site for row in report.layers} == {"sites.1", "sites.2"}


@pytest.mark.parametrize("forgetful", ["ann", "spiking"])
def test_a_site_that_is_never_called_is_a_finding(forgetful):
    networks = {"ann": chain(), "spiking": convert(chain())}
    unused = ForeignActivation() if forgetful == "ann" else ForeignNeuron()
    networks[forgetful].unused = unused.eval()
    label = "ANN" if forgetful == "ann" else "SNN"
    assert findings(**networks) == [("site-not-called", f"{label} unused")]


@pytest.mark.parametrize("threshold", [0.0, -1.0, float("nan")])
def test_a_threshold_that_is_not_positive_is_a_finding(threshold):
    ann = chain(1)
    spiking = convert(ann)
    for site in (ann.sites[0], spiking.sites[0]):
        site.threshold.data.fill_(threshold)
    assert ("threshold-not-positive", "sites.0") in findings(ann, spiking)


def test_unequal_thresholds_are_a_finding_even_where_no_count_differs():
    ann = chain(1)
    spiking = convert(ann)
    spiking.sites[0].threshold.fill_(1.0 + 2**-20)
    assert findings(ann, spiking, column(0.0)) == [("threshold-mismatch", "sites.0")]


@pytest.mark.parametrize("which", ["ANN", "SNN"])
def test_training_mode_is_a_finding_even_of_one_module_only(which):
    networks = {"ANN": chain(), "SNN": convert(chain())}
    networks[which].sites[0].train()
    assert findings(networks["ANN"], networks["SNN"]) == [("training-mode", which)]


def test_a_bare_relu_module_left_behind_is_a_finding_that_names_it():
    ann = nn.Sequential(chain(), nn.ReLU()).eval()
    assert findings(ann, convert(ann)) == [("unconverted-activation", "1")]
    assert verify(ann, convert(ann), [column(0.3)]).exit_code is Exit.INCONCLUSIVE


SPELLINGS = [
    F.relu,
    torch.relu,
    lambda x: torch.relu_(x.clone()),
    F.relu6,
    F.leaky_relu,
    F.gelu,
    F.silu,
    F.hardtanh,
    F.softplus,
    F.logsigmoid,
    torch.tanh,
    torch.sigmoid,
    torch.abs,
    torch.square,
    lambda x: x.clamp(min=0),
    lambda x: x.clamp_min(0),
    lambda x: torch.maximum(x, torch.zeros_like(x)),
    lambda x: torch.max(x, torch.zeros_like(x)),
    lambda x: torch.where(x > 0, x, torch.zeros_like(x)),
    lambda x: x * (x > 0),
    lambda x: x.masked_fill(x < 0, 0.0),
    lambda x: x**2,
    torch.floor,
    torch.round,
]


@pytest.mark.parametrize("function", SPELLINGS)
def test_a_functional_activation_left_behind_is_a_finding_however_it_is_spelled(function):
    ann = With(chain(), function)
    assert findings(ann, convert(ann)) == [("unconverted-activation", "(network)")]


REARRANGED = [
    lambda x: F.unfold(x, 2).flatten(1),
    lambda x: x.unfold(2, 2, 1).flatten(1),
    lambda x: x.flip(3).flatten(1),
    lambda x: F.pixel_unshuffle(x, 2).flatten(1),
]


@pytest.mark.parametrize("function", REARRANGED)
def test_an_operation_that_only_moves_numbers_is_no_finding(function):
    ann = With(QuantizedActivation(4, "floor"), function)
    assert findings(ann, convert(ann), dyadic_images()) == []


def test_an_operation_inside_a_site_is_the_sites_own_business():
    class Clamping(ForeignNeuron):
        def forward(self, x):
            return F.relu(super().forward(x))

    assert findings(chain(1), Chain(Clamping())) == []


def test_an_activation_inside_a_deeper_module_is_named_by_its_own_path():
    ann = nn.Sequential(chain(1), nn.Sequential(nn.Identity(), nn.Tanh())).eval()
    assert findings(ann, convert(ann)) == [("unconverted-activation", "1.1")]


def test_a_counterexample_outweighs_a_finding():
    ann = nn.Sequential(chain(), nn.ReLU()).eval()
    report = verify(ann, convert(ann, v_init=0.5), [column(0.2)])
    assert report.findings
    assert report.exit_code is Exit.COUNTEREXAMPLE


def test_a_wrapper_around_the_spiking_network_does_not_hide_its_sites():
    ann = chain()
    assert findings(ann, nn.Sequential(nn.Sequential(convert(ann))).eval()) == []


def test_sites_with_other_names_are_paired_in_the_order_of_their_calls():
    ann = chain()
    spiking = nn.Sequential(*(ForeignNeuron() for _ in range(2))).eval()
    report = verify(ann, spiking, [column(0.3)])
    assert report.verdict == "lossless"
    assert [row.site for row in report.layers] == ["sites.0", "sites.1"] * 2


def test_a_site_that_is_called_twice_is_judged_call_by_call():
    site = QuantizedActivation(4, "floor")
    ann = Chain(site, site, gain=0.5)
    report = verify(ann, convert(ann), [column(0.9)])
    assert [row.site for row in report.layers if row.mode == "shadow"] == ["sites.0", "sites.0#2"]
    assert report.verdict == "lossless"
    spiking = convert(ann)
    spiking.weights[0].fill_(1.0)  # the second call receives 3/4 instead of 3/8
    report = verify(ann, spiking, [column(0.9)])
    assert report.first_divergence == {"shadow": None, "end-to-end": "sites.0#2"}


def test_every_call_of_a_shared_site_is_looked_at_though_the_one_before_has_counterexamples():
    site = QuantizedActivation(4, "floor")
    ann = Chain(site, site, gain=0.5)
    report = verify(ann, convert(ann, v_init=0.5), [column(0.2, 0.45)])
    assert report.findings == ()
    counts = {(row.site, row.mode): (row.samples, row.spike_count_mismatches) for row in report.layers}
    assert counts == {
        ("sites.0", "shadow"): (2, 2),
        ("sites.0#2", "shadow"): (2, 1),
        ("sites.0", "end-to-end"): (2, 2),
        ("sites.0#2", "end-to-end"): (2, 2),
    }


class Summed(OneSite):
    """Two sites whose values are added, in either order."""

    def __init__(self, site):
        super().__init__(site)
        self.other, self.reverse = copy.deepcopy(site), False

    def forward(self, x):
        if self.reverse:
            return self.other(2 * x) + self.site(x)
        return self.site(x) + self.other(2 * x)


def test_sites_that_are_called_in_another_order_are_paired_by_their_names():
    ann = Summed(QuantizedActivation(4, "floor")).eval()
    spiking = convert(ann)
    spiking.reverse = True
    report = verify(ann, spiking, [column(0.3)])
    assert [(row.site, row.spike_count_mismatches) for row in report.layers] == [
        ("site", 0),
        ("other", 0),
    ] * 2
    assert report.verdict == "lossless"


class Branching(nn.Module):
    """A site that runs only where the image is bright; `decide` says how that is asked."""

    def __init__(self, decide):
        super().__init__()
        self.first, self.second = (QuantizedActivation(4, "floor") for _ in range(2))
        self.decide = decide
        self.eval()

    def forward(self, x):
        x = self.first(x)
        return self.second(x / 2) if self.decide(x) else x


DECISIONS = [
    lambda x: x.sum() > 0.5,
    lambda x: x.sum().item() > 0.5,
    lambda x: float(x.mean()) > 0.5,
    lambda x: bool(x.max() > 0.5),
    lambda x: not torch.equal(x, torch.zeros_like(x)),
]


@pytest.mark.parametrize("decide", DECISIONS)
@pytest.mark.parametrize("bright", [0.0, 0.9])
def test_control_flow_is_a_finding_that_names_the_module_whichever_way_it_goes(bright, decide):
    ann = nn.Sequential(nn.Identity(), Branching(decide)).eval()
    found = findings(ann, convert(ann), column(bright))
    assert ("control-flow", "1") in found
    assert (("site-not-called", "ANN 1.second") in found) == (bright == 0)


@pytest.mark.parametrize("values", [(0.0, 0.9), (0.9, 0.0)])
def test_a_site_that_later_images_call_otherwise_is_a_finding(values):
    ann = Branching(lambda x: x.sum() > 0.5)
    report = verify(ann, convert(ann), [column(value) for value in values])
    found = {(finding.kind, finding.site) for finding in report.findings}
    assert {("irregular-site", "ANN second"), ("irregular-site", "SNN second")} <= found
    assert report.exit_code is Exit.INCONCLUSIVE


def test_a_site_that_only_the_spiking_network_skips_or_adds_later_is_a_finding():
    ann = Branching(lambda x: x.sum() > 0.5)
    always = Branching(lambda x: True)
    report = verify(ann, convert(always), [column(0.9), column(0.0)])
    assert [(f.kind, f.site) for f in report.findings] == [("irregular-site", "ANN second")]


def test_a_branch_on_a_shape_is_no_finding():
    ann = Branching(lambda x: x.shape[0] > 0)
    assert findings(ann, convert(ann)) == []
