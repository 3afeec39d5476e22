"""The pass over bins must count what the plain operations count, to the last float."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from qvm_verify.audit import kernels, verify
from qvm_verify.audit.certification import SiteCertificate
from qvm_verify.audit.margins import Margins
from qvm_verify.audit.one_pass import SiteTable, same_images, table_of
from qvm_verify.audit.setting import decode_counts, decode_levels, setting_of
from qvm_verify.audit.sites import Call, Pair
from qvm_verify.audit.statistics import Observation, site_statistics
from qvm_verify.snn import QuantizedActivation, convert
from qvm_verify.snn.ordinals import to_floats
from tests.small_networks import OneSite, TinyNetwork, dyadic_images

pytestmark = pytest.mark.skipif(not kernels.available(), reason="numba is not installed")


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.no_grad():
        yield


WHERE = torch.float32, torch.device("cpu")
SITES = [  # threshold, levels, quantizer, what the conversion does otherwise
    (1.0, 8, "round", {}),
    (1.0, 6, "floor", {}),  # fails on one float
    (0.7, 4, "ceil", {}),  # fails on integer z
    (1.3, 3, "round_half_even", {}),
    (0.9, 5, "round", {"v_init": 0.25}),
    (1.1, 4, "floor", {"time_steps": 7}),
    (1.1, 4, "round", {"threshold_scale": 0.75}),
    (2.0**-120, 8, "floor", {}),
    (1e30, 1, "round", {}),
]


def site(threshold, levels, quantizer, otherwise):
    ann = OneSite(QuantizedActivation(levels, quantizer, threshold=threshold))
    snn = convert(ann, **otherwise)
    call = Call("site", 0)
    pair = Pair("site", call, call, ann.site, snn.site)
    setting = setting_of(pair)
    margins = Margins(setting, *WHERE)
    certificate = SiteCertificate(pair, setting, *WHERE, "boundary")
    return pair, setting, margins, certificate, table_of(pair, setting, *WHERE, margins, certificate)


def adversarial(table, seed=0):
    """Images [count, 64]: everything around every edge, numbers of all sizes, and likely ones."""
    random = torch.Generator().manual_seed(seed)
    edges = (table._edges[:, None] + torch.arange(-2, 3)).flatten().clamp(-(2**31), 2**31 - 1)
    special = torch.tensor([0.0, -0.0, torch.inf, -torch.inf, torch.nan, 1e-45, -1e-45, 1e-38, 3.4e38])
    anywhere = torch.randint(-(2**31), 2**31, (2000,), generator=random)
    likely = torch.randn(6000, generator=random) * float(table._setting.threshold)
    x = torch.cat([to_floats(torch.cat([edges, anywhere]), torch.float32), special, likely])
    x = x[torch.randperm(len(x), generator=random)]
    return x[: len(x) // 64 * 64].reshape(-1, 64)


def one_by_one(x, copies=2):
    """Images of one float each, so that every float is judged alone."""
    return x.flatten()[:, None].expand(-1, copies).contiguous()


def plainly(pair, setting, x):
    output, rate = pair.activation(x), pair.neuron(x)
    level, spike_count = decode_levels(output, setting)[0], decode_counts(rate, setting)[0]
    return Observation(x, level, output, x, spike_count, rate)


@pytest.mark.parametrize("given", SITES, ids=str)
@pytest.mark.parametrize("arranged", [one_by_one, lambda x: x])
def test_bins_count_what_the_plain_operations_count(given, arranged):
    pair, setting, margins, certificate, table = site(*given)
    x = arranged(adversarial(table))
    x = x[~torch.isnan(x).any(1)]
    seen = plainly(pair, setting, x)
    binned = table.look(x, seen.activation)
    usual = binned.usual
    assert torch.equal(usual, ~seen.mismatches(setting).any(1))
    if not usual.any():
        return
    seen = Observation(*(values[usual] for values in seen))
    for mode in ("shadow", "end-to-end"):
        expected = site_statistics(seen, mode, setting, margins)
        assert table.statistics(binned, usual, mode) == expected
    assert table.reach(binned, usual) == certificate.reach(x[usual])
    few = usual & (torch.arange(len(x)) % 3 == 0)
    if few.any():
        expected = site_statistics(plainly(pair, setting, x[few]), "shadow", setting, margins)
        assert table.statistics(binned, few, "shadow") == expected


@pytest.mark.parametrize("given", SITES, ids=str)
def test_a_neuron_by_its_table_returns_the_bits_of_its_loop(given):
    pair, _, _, _, table = site(*given)
    x = adversarial(table)
    expected = pair.neuron(x)
    with table.spiking(pair.neuron):
        found = pair.neuron(x)
        turned = pair.neuron(x.T)  # not dense in the order of its images: the loop
    assert "forward" not in vars(pair.neuron)
    assert torch.equal(found.view(torch.int32), expected.view(torch.int32))
    assert torch.equal(turned, expected.T)


def test_channels_last_stays_channels_last_and_counts_the_same():
    pair, _, _, _, table = site(*SITES[0])
    x = torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(0))
    turned = x.to(memory_format=torch.channels_last)
    with table.spiking(pair.neuron):
        assert pair.neuron(turned).stride() == turned.stride()
        assert torch.equal(pair.neuron(turned), pair.neuron(x))
    looks = [table.look(a, pair.activation(b)) for a in (x, turned) for b in (x, turned)]
    for look in looks:
        assert torch.equal(look.counts, looks[0].counts)


def test_an_activation_that_returns_one_other_bit_is_not_counted_by_bins():
    pair, _, _, _, table = site(*SITES[0])
    x = torch.rand(4, 64, generator=torch.Generator().manual_seed(0))
    output = pair.activation(x)
    assert table.look(x, output) is not None
    output.view(torch.int32)[2, 5] ^= 1
    assert table.look(x, output) is None


def test_images_with_nan_are_left_to_the_plain_operations():
    pair, _, _, _, table = site(*SITES[0])
    x = torch.rand(4, 64, generator=torch.Generator().manual_seed(0))
    for bits in (0x7FC00000, 0x7F800001, -0x400000, -1):
        x.view(torch.int32)[1, 9] = bits
        binned = table.look(x, pair.activation(x))
        assert binned is None or not binned.usual[1]


def test_images_are_the_same_only_to_the_last_bit():
    a = torch.zeros(3, 4)
    b = a.clone()
    b[1, 2] = -0.0
    assert same_images(a, b).tolist() == [True, False, True]


def test_a_module_that_is_not_as_defined_has_no_table():
    for change in ("hook", "method", "dtype", "kind"):
        pair, setting, margins, certificate, table = site(*SITES[0])
        assert isinstance(table, SiteTable)
        if change == "hook":
            pair.neuron.register_forward_hook(lambda module, x, y: y + 1)
        elif change == "method":
            pair.activation.level = lambda x: x
        elif change == "dtype":
            pair.neuron.double()
        else:
            pair = replace(pair, activation=type("Other", (QuantizedActivation,), {})(8, "round"))
        assert table_of(pair, setting, *WHERE, margins, certificate) is None, change


class Unlike(nn.Module):
    """A network whose second layer sees, in the spiking network, other currents on some images."""

    def __init__(self, shift):
        super().__init__()
        self.shift = shift
        self.first, self.second = (QuantizedActivation(6, "floor") for _ in range(2))

    def forward(self, x):
        return self.second(self.first(x) + self.shift * (x.mean(1, keepdim=True) > 0.6)).flatten(1)


def reports_of(monkeypatch, ann, snn, batches):
    for available in (True, False):
        monkeypatch.setattr(kernels, "available", lambda available=available: available)
        yield verify(ann, snn, batches).to_json()


def test_a_report_is_the_same_with_and_without_bins(monkeypatch):
    failing = torch.rand(40, 32, generator=torch.Generator().manual_seed(1))
    failing[7, 3] = float.fromhex("0x1.aaaaaap-1")  # M = 5, N = 4
    failing[9, 1], failing[11, 0] = torch.nan, torch.inf
    half = [(failing[:20], torch.arange(20) % 3), (failing[20:], torch.arange(20) % 3)]
    tiny = TinyNetwork(quantizer="ceil")
    for ann, snn, batches in (
        (Unlike(0.0), convert(Unlike(0.01)), half),
        (tiny, convert(tiny), [dyadic_images(4), dyadic_images(3, seed=1)]),
        (tiny, convert(tiny, v_init=0.5), [dyadic_images(4)]),
    ):
        fast, plain = reports_of(monkeypatch, ann, snn, batches)
        assert fast == plain
