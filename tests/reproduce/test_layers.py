import numpy as np
import pytest
import torch
from torch import nn

from qvm_verify import networks, snn
from qvm_verify.calibration import calibrate
from qvm_verify.datasets import digits
from qvm_verify.exits import InputError
from qvm_verify.reproduce import layer_envelopes, layers
from qvm_verify.reproduce.affine_sites import affine_sites
from qvm_verify.reproduce.curves import Subject
from qvm_verify.reproduce.outcome import Facts
from qvm_verify.reproduce.settings import Settings
from qvm_verify.snn import IFNeuron, QuantizedActivation


@pytest.fixture(scope="module")
def images():
    data = digits("test")
    return torch.stack([data[k][0] for k in range(8)])


@pytest.fixture
def network(images):
    torch.manual_seed(0)
    network = networks.digits_cnn(levels=4)
    calibrate(network, [images])
    return network


@pytest.fixture
def checkpoint(network, tmp_path):
    networks.save(network, tmp_path / "digits.pt")
    return Settings(models=(tmp_path / "digits.pt",), limit=8)


def small(second=nn.Identity):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 6),
        QuantizedActivation(4, "floor", threshold=0.3),
        second(),
        nn.Linear(6, 5),
        QuantizedActivation(4, "floor", threshold=0.2),
    )


def test_the_weights_of_a_site_are_those_of_the_layer_times_the_threshold_before_it(images):
    network = small()
    first, second = affine_sites(network, images, neurons=99, v_init=0, seed=0)
    assert first.weight.shape == (6, 0)
    assert second.weight == pytest.approx(network[4].weight.detach().numpy() * 0.3)
    assert second.bias == pytest.approx(np.tile(network[4].bias.detach().numpy(), (len(images), 1)))
    assert second.counts == pytest.approx(first.level)


def test_a_network_that_is_not_affine_between_its_sites_is_refused(images):
    class Squared(nn.Module):
        def forward(self, x):
            return x * x

    with pytest.raises(InputError, match="the current of 5 is not an affine function"):
        affine_sites(small(Squared), images, neurons=99, v_init=0, seed=0)


def test_a_threshold_that_is_not_positive_is_refused(images):
    network = small()
    network[5].threshold.data.fill_(-1)
    with pytest.raises(InputError, match="5: the threshold must be positive, got -1"):
        affine_sites(network, images, neurons=9, v_init=0, seed=0)


def test_one_image_is_not_enough(images):
    with pytest.raises(InputError, match="two images at least"):
        affine_sites(small(), images[:1], neurons=9, v_init=0, seed=0)


def test_a_network_without_sites_is_refused(images):
    with pytest.raises(InputError, match="no QuantizedActivation"):
        affine_sites(nn.Flatten(), images, neurons=9, v_init=0, seed=0)


def test_streaming_spikes_of_the_real_network_stay_inside_the_envelope(images):
    """The second site's inputs have correct counts: the first one, fed constantly, is lossless."""
    network = small()
    spiking = snn.convert(network, currents="streaming")
    last = [module for module in spiking.modules() if isinstance(module, IFNeuron)][-1]
    spikes = []
    last.register_forward_hook(lambda neuron, x, output: spikes.append(output.reshape(4, len(images), 5)))
    with torch.no_grad():
        spiking(images)
    counts = (spikes[0].sum(0) / last.threshold).round().numpy()
    second = affine_sites(network, images, neurons=99, v_init=0, seed=0)[1]
    found = layer_envelopes.site_envelope(second, 4, np.random.default_rng(0))
    assert (found.expected == second.level).all()
    for inside in (counts, second.level, found.random, found.uniform):
        assert (found.smallest <= inside).all()
        assert (inside <= found.largest).all()
    assert (counts > 0).any()
    assert (found.smallest < found.largest).any()


def test_every_extreme_run_again_by_the_reference_is_confirmed(checkpoint, monkeypatch):
    monkeypatch.setattr(layer_envelopes, "NEURONS", 10)
    outcome = layer_envelopes.run(checkpoint)
    assert outcome.facts["extremes run again"] == outcome.facts["extremes confirmed"] == 100
    assert outcome.facts["neurons within rounding"] == 0
    assert outcome.facts["expected current"] == 0
    assert outcome.facts["worst order"] > outcome.facts["random order"] > 0


def test_an_envelope_that_forgets_the_signs_is_not_confirmed(checkpoint, monkeypatch):
    monkeypatch.setattr(layer_envelopes, "NEURONS", 10)
    right = layer_envelopes.envelope
    monkeypatch.setattr(layer_envelopes, "envelope", lambda weight, *a, **k: right(abs(weight), *a, **k))
    outcome = layer_envelopes.run(checkpoint)
    assert outcome.facts["extremes run again"] > outcome.facts["extremes confirmed"]


def test_only_streaming_currents_make_ones_own_checkpoint_err(checkpoint):
    outcome = layers.run(checkpoint)
    assert outcome.facts["digits_cnn: sites with an error, constant"] == 0
    assert outcome.facts["digits_cnn: sites with an error, streaming"] > 0
    assert "untrained" not in outcome.paragraph


def test_without_a_checkpoint_the_paragraph_says_that_the_weights_are_untrained(monkeypatch):
    monkeypatch.setattr(layers, "NETWORKS", ("resnet20",))
    outcome = layers.run(Settings(limit=8))
    assert len(outcome.rows) == 19
    assert "The weights are untrained" in outcome.paragraph


def test_a_network_that_cannot_be_compared_is_refused(checkpoint, monkeypatch):
    monkeypatch.setattr(layers, "compare_currents", lambda *_: None)
    with pytest.raises(InputError, match="digits_cnn does not run on streams"):
        layers.run(checkpoint)


def test_an_error_of_the_constant_current_that_comes_from_rounding_is_called_that():
    network = nn.Sequential(QuantizedActivation(6, "floor", threshold=1.0))
    lost = 0.8333333134651184  # under θ = 1 and T = 6 the only float32 with M = 5 and N = 4
    compared = layers.compare(Subject("one", network, 6, "floor"), torch.full((6, 1), lost))
    assert compared.wrong == ["0"]
    assert compared.wrong_in_double == 0
    assert "So they come from rounding" in layers._compared(*compared, Facts())


def test_an_error_of_the_constant_current_that_double_precision_has_too_is_not_put_down_to_rounding():
    network = nn.Sequential(QuantizedActivation(2, "ceil", threshold=1.0))  # ceil on a whole z
    compared = layers.compare(Subject("one", network, 2, "ceil"), torch.zeros(2, 1))
    assert compared.wrong_in_double == 1
    assert "rounding" not in layers._compared(*compared, Facts())
