import copy
import math

import pytest
import torch
from torch import nn

from qvm_verify import reference
from qvm_verify.audit.currents import compare_currents
from qvm_verify.snn import QuantizedActivation
from tests.audit.foreign import Chain, ForeignActivation
from tests.small_networks import TinyNetwork, column, dyadic_images


def site(levels=4, threshold=1.0, quantizer="floor"):
    return QuantizedActivation(levels, quantizer, threshold=threshold)


def test_constant_currents_are_exact_and_streaming_ones_are_uneven():
    comparison = compare_currents(TinyNetwork(), dyadic_images(count=24))
    assert comparison.images == 24 // 4
    assert [entry.site for entry in comparison.sites] == ["act", "block.act1", "block.act2"]
    assert all(entry.constant.max == entry.constant.mean == 0 for entry in comparison.sites)
    # The first site sees the image at every time-step, which is a constant current.
    errors = [entry.streaming.mean for entry in comparison.sites]
    assert errors[0] == 0
    assert max(errors) > 0
    for entry in comparison.sites:
        assert entry.streaming.max % (1.5 / 4) == 0
        assert entry.streaming.max >= entry.streaming.mean


def test_the_errors_of_a_single_chain_are_those_of_the_reference():
    x, gain, levels = 0.9, 0.75, 4
    ann = Chain(site(), site(threshold=0.5), gain=gain)
    (first, second) = compare_currents(ann, column(*[x] * levels)).sites
    assert first.streaming.mean == 0
    run = reference.simulate(
        reference.constant_currents(torch.tensor(x).numpy(), levels),
        v_init=0.0,
        parameters=reference.IFParameters(1.0),
    )
    then = reference.simulate(
        run.spikes.astype("float32") * gain, v_init=0.0, parameters=reference.IFParameters(0.5)
    )
    level = min(levels, math.floor(run.spike_count / levels * gain * levels / 0.5))
    assert second.streaming.max == 0.5 / levels * abs(level - int(then.spike_count))


def test_nothing_is_changed_and_nothing_depends_on_the_images_after_the_first():
    ann, images = TinyNetwork(), dyadic_images(count=24)
    before = copy.deepcopy(ann.state_dict())
    assert compare_currents(ann, images) == compare_currents(ann, torch.cat([images[:6], images[:18]]))
    assert all(torch.equal(before[key], value) for key, value in ann.state_dict().items())


def test_one_image_is_looked_at_where_the_batch_is_smaller_than_t():
    assert compare_currents(Chain(site()), column(0.3)).images == 1


def negative():
    activation = site()
    activation.threshold.data.fill_(-1.0)
    return Chain(activation)


class FixedBatch(Chain):
    """Runs on batches of one size only."""

    def forward(self, x):
        return super().forward(x.reshape(1, 1))


class Moody(Chain):
    """Runs its site once more where the batch is long, as it is under streaming."""

    def forward(self, x):
        return super().forward(self.sites[0](x) if len(x) > 2 else x)


@pytest.mark.parametrize(
    "ann",
    [
        nn.Sequential(nn.Linear(1, 1)),
        Chain(site(4), site(8)),
        Chain(site(), ForeignActivation()),
        negative(),
        FixedBatch(site()),
        Moody(site()),
    ],
    ids=[
        "no site",
        "different levels",
        "a foreign activation",
        "a negative threshold",
        "one size of batch",
        "other calls under streaming",
    ],
)
def test_what_cannot_be_converted_both_ways_is_not_compared(ann):
    assert compare_currents(ann.eval(), column(0.3, 0.5)) is None


def test_what_is_no_number_counts_as_no_error():
    (entry,) = compare_currents(Chain(site()), column(math.nan, 0.3, 0.3, 0.3)).sites
    assert entry.streaming.max == 0
