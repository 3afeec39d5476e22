"""What `verify` cannot audit is refused in one sentence, not crashed over."""

import pytest
import torch
from torch import nn

from qvm_verify.audit import verify
from qvm_verify.exits import InputError
from qvm_verify.snn import QuantizedActivation, convert
from tests.audit.foreign import ForeignActivation, ForeignNeuron
from tests.small_networks import OneSite, TinyNetwork, column, dyadic_images


def refusal(ann, spiking, batches):
    with pytest.raises(InputError) as error:
        verify(ann, spiking, batches)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("batches", [[], [column()], [(column(), column())]])
def test_data_without_an_image_is_refused(batches):
    ann = OneSite(QuantizedActivation(4, "floor"))
    assert "no image" in refusal(ann, convert(ann), batches)


def test_empty_batches_between_others_are_skipped():
    ann = OneSite(QuantizedActivation(4, "floor"))
    report = verify(ann, convert(ann), [column(), column(0.3), column(), column(0.6)])
    assert report.output.samples == 2


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bfloat16])
def test_images_of_a_dtype_that_the_reference_does_not_know_are_refused(dtype):
    ann = OneSite(QuantizedActivation(4, "floor"))
    assert "the reference knows float16, float32, float64" in refusal(
        ann, convert(ann), [torch.ones(1, 1, dtype=dtype)]
    )


def test_images_that_do_not_run_through_the_network_are_refused_with_their_shape():
    ann = TinyNetwork()
    assert "shape [3, 4, 4] do not run through the ANN" in refusal(
        ann, convert(ann), [torch.ones(1, 3, 4, 4)]
    )


def test_later_images_of_another_shape_are_refused_too():
    ann = TinyNetwork()
    assert refusal(ann, convert(ann), [dyadic_images(), torch.ones(1, 3, 4, 4)])


def test_a_network_that_returns_something_else_than_scores_is_refused():
    class Two(OneSite):
        def forward(self, x):
            return super().forward(x), x

    assert "returned a tuple" in refusal(Two(ForeignActivation()), Two(ForeignNeuron()), [column(0.3)])


def test_networks_with_different_outputs_are_refused():
    ann, spiking = OneSite(ForeignActivation()), OneSite(ForeignNeuron())
    spiking.after = nn.Linear(1, 2).eval()
    assert "[1, 1] and the spiking network [1, 2]" in refusal(ann, spiking, [column(0.3)])


@pytest.mark.parametrize(
    ("which", "attribute", "value", "reason"),
    [
        ("ann", "quantizer", "nearest", "'nearest' is none of"),
        ("ann", "levels", 0, "levels must be an integer of at least 1, got 0"),
        ("ann", "levels", 2.5, "levels must be"),
        ("ann", "levels", float("nan"), "levels must be"),
        ("ann", "threshold", torch.ones(3), "threshold has shape [3]"),
        ("spiking", "time_steps", -4, "time_steps must be"),
        ("spiking", "threshold", torch.ones(1, 2), "threshold has shape [1, 2]"),
        ("spiking", "v_init", torch.zeros(2), "v_init has shape [2]"),
        ("spiking", "firing", "<", "'<' is none of"),
        ("spiking", "reset", "none", "'none' is none of"),
        ("ann", "levels", "eight", "levels"),
        ("spiking", "time_steps", float("inf"), "time_steps"),
        ("spiking", "threshold", None, "threshold"),
    ],
)
def test_a_site_that_describes_itself_in_things_without_meaning_is_refused_by_name(
    which, attribute, value, reason
):
    networks = {"ann": OneSite(ForeignActivation()), "spiking": OneSite(ForeignNeuron())}
    setattr(networks[which].site, attribute, value)
    sentence = refusal(networks["ann"], networks["spiking"], [column(0.3)])
    assert sentence.startswith("site: ")
    assert reason in sentence


def test_sites_of_different_sizes_are_refused():
    class Wider(ForeignNeuron):
        def forward(self, x):
            return super().forward(torch.cat([x, x], dim=1))

    spiking = OneSite(Wider())
    spiking.after = nn.Linear(2, 1).eval()
    assert "do not correspond" in refusal(OneSite(ForeignActivation()), spiking, [column(0.3)])
