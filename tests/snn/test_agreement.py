"""PyTorch against the NumPy reference, which shares no code with it: bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qvm_verify import reference, snn
from tests import strategies
from tests.arithmetics import FLOATS
from tests.small_networks import TinyNetwork, as_reference, dyadic_images

DTYPES = st.sampled_from(FLOATS)
THRESHOLDS = st.sampled_from([1.0, 0.3, 0.7, 1.5, 3.1]) | st.floats(0.0625, 8, width=16)


def assert_same_bits(theirs, ours):
    """Assert equal dtype and bits; NaN is one value, whatever its payload."""
    theirs, ours = theirs.detach().numpy(), np.asarray(ours)
    assert theirs.dtype == ours.dtype
    bits = f"u{ours.dtype.itemsize}"
    same = (theirs.view(bits) == ours.view(bits)) | (np.isnan(theirs) & np.isnan(ours))
    assert same.all(), f"{theirs} is not {ours}"


def draw_currents(data, dtype, steps, threshold, rows=None):
    one = strategies.currents(steps, dtype=dtype, threshold=threshold)
    if rows is None:
        return data.draw(strategies.vectors(one, dtype))
    row = st.lists(one, min_size=3, max_size=3)
    return np.array(data.draw(st.lists(row, min_size=rows, max_size=rows)), dtype=dtype)


@given(
    dtype=DTYPES,
    threshold=THRESHOLDS,
    levels=st.integers(1, 9),
    quantizer=strategies.QUANTIZERS,
    data=st.data(),
)
def test_activation_and_level_are_those_of_the_reference(dtype, threshold, levels, quantizer, data):
    x = draw_currents(data, dtype, levels, threshold)
    site = snn.QuantizedActivation(levels, quantizer, threshold).to(torch.from_numpy(x).dtype)
    ours = {"threshold": dtype(np.float32(threshold)), "levels": levels, "quantizer": quantizer}
    with np.errstate(all="ignore"):
        assert_same_bits(site.level(torch.from_numpy(x)), reference.level(x, **ours).astype(dtype))
        assert_same_bits(site(torch.from_numpy(x)), reference.activation(x, **ours))


def neuron_pair(dtype, threshold, v_init, time_steps, firing, reset, currents):
    theta, start = dtype(threshold), dtype(threshold) * dtype(v_init)
    settings = snn.IFSettings(time_steps, firing, reset, currents)
    site = snn.IFNeuron(torch.tensor(theta), torch.tensor(start), settings)
    return site, {"v_init": start, "parameters": reference.IFParameters(theta, firing, reset)}


NEURONS = {
    "dtype": DTYPES,
    "threshold": THRESHOLDS,
    "v_init": st.sampled_from([0.0, 0.25, 0.5, 1.0, -0.5, 1.5]),
    "time_steps": st.integers(1, 9),
    "firing": strategies.FIRINGS,
    "reset": strategies.RESETS,
    "data": st.data(),
}


@given(**NEURONS)
def test_a_neuron_under_a_constant_current_is_that_of_the_reference(time_steps, data, **neuron):
    dtype, threshold = neuron["dtype"], neuron["threshold"]
    site, ours = neuron_pair(**neuron, time_steps=time_steps, currents="constant")
    x = draw_currents(data, dtype, time_steps, dtype(threshold))
    with np.errstate(all="ignore"):
        run = reference.simulate(reference.constant_currents(x, time_steps), **ours)
        rate = reference.scaled_rate(run.spike_count, threshold=dtype(threshold), time_steps=time_steps)
    assert_same_bits(site.spike_count(torch.from_numpy(x)), run.spike_count.astype(dtype))
    assert_same_bits(site(torch.from_numpy(x)), rate)


@given(**NEURONS)
def test_a_neuron_under_streaming_currents_is_that_of_the_reference(time_steps, data, **neuron):
    dtype, threshold = neuron["dtype"], neuron["threshold"]
    site, ours = neuron_pair(**neuron, time_steps=time_steps, currents="streaming")
    currents = draw_currents(data, dtype, time_steps, dtype(threshold), rows=time_steps)
    with np.errstate(all="ignore"):
        run = reference.simulate(currents, **ours)
    assert_same_bits(site(torch.from_numpy(currents)), np.where(run.spikes, dtype(threshold), dtype(0)))
    v = site.v_init.expand(3)
    for current, expected in zip(torch.from_numpy(currents), run.v, strict=True):
        _, v = site.step(current, v)
        assert_same_bits(v, expected)  # the potential, too, at every step


def test_every_float16_current_gives_the_same_level_and_count_on_both_sides():
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    for quantizer in reference.QUANTIZERS:
        site = snn.QuantizedActivation(6, quantizer, 0.7).half()
        gamma = site.threshold.detach().numpy()[()]
        with np.errstate(all="ignore"):
            level = reference.level(every, threshold=gamma, levels=6, quantizer=quantizer)
            run = reference.simulate(
                reference.constant_currents(every, 6),
                v_init=reference.MATCHED_V_INIT[quantizer] * gamma,
                parameters=reference.IFParameters(gamma),
            )
        assert_same_bits(site.level(torch.from_numpy(every)), level.astype(np.float16))
        count = snn.convert(site).spike_count(torch.from_numpy(every))
        assert_same_bits(count, run.spike_count.astype(np.float16))


CONVERSIONS = [
    ({}, np.float32),
    ({}, np.float64),
    ({}, object),
    ({"time_steps": 2}, np.float32),
    ({"v_init": 0.25}, np.float32),
    ({"firing": ">"}, np.float32),
    ({"reset": "reset_to_zero"}, np.float32),
]


@pytest.mark.parametrize("quantizer", reference.QUANTIZERS)
@pytest.mark.parametrize(("changes", "dtype"), CONVERSIONS)
def test_a_whole_network_with_its_conversions_is_that_of_the_reference(changes, quantizer, dtype):
    module, images = TinyNetwork(quantizer), dyadic_images()
    layers, x = as_reference(module, dtype), reference.as_dtype(images.numpy(), dtype)
    spiking = reference.convert(layers, **changes)
    time_steps = changes.get("time_steps", 4)
    expected = [
        (module, reference.run_layers(layers, x)),
        (snn.convert(module, **changes), reference.run_layers(spiking, x)),
        (
            snn.convert(module, **changes, currents="streaming"),
            reference.stream_layers(spiking, x, time_steps),
        ),
    ]
    for network, ours in expected:
        theirs = network(images).detach().numpy()
        assert (theirs.astype(np.float64) == ours.astype(np.float64)).all()


def test_the_tiny_network_does_use_its_levels():
    """The agreement above would be worth little if every activation were silent or saturated."""
    seen = []
    module = TinyNetwork()
    for site in (module.act, module.block.act1, module.block.act2):
        site.register_forward_hook(lambda site, inputs, output: seen.append(output.unique().numel()))
    module(dyadic_images())
    assert min(seen) >= 4
