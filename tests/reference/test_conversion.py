from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvm_verify import reference
from tests.arithmetics import ARITHMETICS, assert_equals, number, numbers
from tests.strategies import reals

HALF = Fraction(1, 2)


def neuron(dtype=object, **changes):
    settings = {"threshold": number(1, dtype), "time_steps": 2, "v_init": number(0, dtype)}
    return reference.Neuron(**(settings | changes))


def activation(quantizer="floor", threshold=1, levels=4):
    return reference.Activation(threshold=threshold, levels=levels, quantizer=quantizer)


def dense(weight, dtype=object):
    return reference.Dense(weight=numbers(weight, dtype))


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_an_activation_and_its_neuron_give_the_value_worked_out_by_hand(dtype):
    x = numbers([["5/4", 1, 3, -1]], dtype)  # θ = 2, L = 4: z = 5/2, 2, 6, -2
    site = activation("round", number(2, dtype))
    (spiking,) = reference.convert((site,))
    assert_equals(site(x), [["3/2", 1, 2, 0]], dtype)  # levels 3, 2, 4, 0
    assert_equals(spiking(x), [["3/2", 1, 2, 0]], dtype)


@pytest.mark.parametrize(
    ("quantizer", "v_init"), [("floor", 0), ("round", 1), ("round_half_even", 1), ("ceil", 2)]
)
def test_conversion_matches_threshold_time_steps_and_v_init(quantizer, v_init):
    (found,) = reference.convert((activation(quantizer, threshold=Fraction(2), levels=6),))
    assert (found.threshold, found.time_steps, found.v_init) == (2, 6, v_init)
    assert (found.firing, found.reset) == (">=", "reset_by_subtraction")


def test_every_deviation_that_is_asked_for_is_made_and_v_init_is_a_fraction_of_the_threshold():
    (found,) = reference.convert(
        (activation(threshold=np.float32(3)),), time_steps=2, v_init=0.5, firing=">", reset="reset_to_zero"
    )
    assert (found.time_steps, found.v_init, found.firing, found.reset) == (2, 1.5, ">", "reset_to_zero")
    assert np.asarray(found.v_init).dtype == np.float32


def test_conversion_reaches_into_both_branches_of_a_residual_and_leaves_the_rest():
    layers = (reference.Residual(body=(activation(),), shortcut=(dense([[1]]), activation())), dense([[2]]))
    residual, last = reference.convert(layers)
    assert isinstance(residual.body[0], reference.Neuron)
    assert residual.shortcut[0] is layers[0].shortcut[0]
    assert isinstance(residual.shortcut[1], reference.Neuron)
    assert last is layers[1]
    assert isinstance(layers[0].body[0], reference.Activation)


@pytest.mark.parametrize("threshold", [0, -1, np.nan])
def test_a_threshold_that_is_not_positive_is_refused(threshold):
    with pytest.raises(ValueError, match=f"^threshold must be positive, got {threshold}$"):
        activation(threshold=threshold)
    with pytest.raises(ValueError, match=f"^threshold must be positive, got {threshold}$"):
        neuron(threshold=threshold)


@pytest.mark.parametrize("steps", [0, -1, 1.5, True])
def test_levels_and_time_steps_that_are_no_positive_integer_are_refused(steps):
    with pytest.raises(ValueError, match=f"^levels must be an integer of at least 1, got {steps}$"):
        activation(levels=steps)
    with pytest.raises(ValueError, match=f"^time_steps must be an integer of at least 1, got {steps}$"):
        neuron(time_steps=steps)


def test_an_unknown_quantizer_is_refused_when_the_activation_is_made():
    with pytest.raises(
        ValueError, match=r"^unknown quantizer 'nearest'; one of floor, round, round_half_even, ceil$"
    ):
        activation("nearest")


def test_residual_adds_its_branches_and_an_empty_shortcut_is_the_identity():
    x = numbers([[3]], object)
    assert reference.Residual(body=(dense([[2]]),))(x) == [[9]]
    assert reference.Residual(body=(dense([[2]]),), shortcut=(dense([[5]]),))(x) == [[21]]


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_streaming_and_constant_currents_differ_as_worked_out_by_hand(dtype):
    # x = 1/2 at θ = 1, T = 2: the first neuron fires at step 2 only, so the second one receives 0, 2.
    one, two = neuron(dtype), neuron(dtype)
    network, x = (one, dense([[2]], dtype), two), numbers([["1/2"]], dtype)
    assert_equals(reference.run_layers(network, x), [[1]], dtype)  # constant: 2 * 1/2 at both steps, N = 2
    assert_equals(reference.stream_layers(network, x, 2), [["1/2"]], dtype)  # streaming: N = 1


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_streaming_runs_residuals_and_stateless_layers_step_by_step(dtype):
    # The neuron fires at step 2; step 1 gives 1/2 + 0, step 2 gives 1/2 + 1; doubled, the mean is 2.
    network = (reference.Residual(body=(neuron(dtype),)), dense([[2]], dtype))
    assert_equals(reference.stream_layers(network, numbers([["1/2"]], dtype), 2), [[2]], dtype)


def test_a_neuron_runs_by_its_own_firing_rule_and_reset():
    # θ = 1: U = 1 fires only by >=, and U = 3/2 leaves 1/2 or nothing
    currents = numbers([[1], ["1/2"], [1]], object)
    for firing, reset, spikes, residual in (
        (">=", "reset_by_subtraction", [1, 0, 1], HALF),
        (">=", "reset_to_zero", [1, 0, 1], 0),
        (">", "reset_by_subtraction", [0, 1, 1], HALF),
        (">", "reset_to_zero", [0, 1, 0], 1),
    ):
        found = neuron(firing=firing, reset=reset).simulate(currents)
        assert (found.spikes[:, 0].tolist(), found.residual.tolist()) == (spikes, [residual])


def test_the_stream_of_a_neuron_is_its_threshold_where_it_fires():
    scaled = neuron(threshold=3, v_init=1).stream(numbers([[1], [1], [2]], object))
    assert scaled.tolist() == [[0], [3], [0]]


@given(
    weight=st.lists(st.lists(reals(1), min_size=3, max_size=3), min_size=2, max_size=2),
    x=st.lists(reals(2), min_size=3, max_size=3),
    time_steps=st.integers(1, 6),
    v_init=st.sampled_from([Fraction(0), HALF, Fraction(1)]),
)
def test_streaming_through_two_layers_conserves_charge_in_each(weight, x, time_steps, v_init):
    network = (activation(threshold=HALF), dense(weight), activation(threshold=Fraction(2, 3)))
    first, between, last = reference.convert(network, time_steps=time_steps, v_init=v_init)
    currents = reference.constant_currents(numbers([x], object), time_steps)
    arriving = np.stack([between(step) for step in first.stream(currents)])
    run = last.simulate(arriving)
    kept = reference.conserved_potential(
        v_init=last.v_init,
        total_current=arriving.sum(axis=0),
        threshold=last.threshold,
        spike_count=run.spike_count,
    )
    assert (run.residual == kept).all()
    output = reference.stream_layers((first, between, last), numbers([x], object), time_steps)
    assert (output == last.threshold / Fraction(time_steps) * run.spike_count).all()


@given(
    weights=st.lists(
        st.lists(st.lists(reals(1), min_size=3, max_size=3), min_size=3, max_size=3), min_size=2, max_size=3
    ),
    x=st.lists(reals(2), min_size=3, max_size=3),
    quantizer=st.sampled_from(["floor", "round"]),
    levels=st.integers(1, 8),
)
def test_a_matched_conversion_of_any_depth_is_exact_over_the_rationals(weights, x, quantizer, levels):
    layers = [layer for w in weights for layer in (dense(w), activation(quantizer, Fraction(3, 2), levels))]
    network = (*layers[:2], reference.Residual(body=tuple(layers[2:])))
    image = numbers([x], object)
    found = reference.run_layers(reference.convert(network), image)
    assert (found == reference.run_layers(network, image)).all()
