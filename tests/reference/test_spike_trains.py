import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvm_verify import reference
from tests.arithmetics import ARITHMETICS, FLOATS, assert_equals, numbers


def generator():
    return np.random.default_rng(48)


@pytest.mark.parametrize(
    ("count", "time_steps", "train"),
    # spike k on time-step ⌊k T / N⌋
    [
        (0, 4, "...."),
        (1, 4, "#..."),  # 0
        (2, 4, "#.#."),  # 0, 2
        (3, 8, "#.#..#.."),  # 0, ⌊8/3⌋ = 2, ⌊16/3⌋ = 5
        (5, 8, "##.##.#."),  # 0, 1, 3, 4, 6
        (8, 8, "########"),
    ],
)
def test_uniform_spikes_are_t_over_n_apart(count, time_steps, train):
    spikes = reference.uniform_spikes(np.array([count]), time_steps)
    assert "".join(".#"[int(s)] for s in spikes[:, 0]) == train


@given(time_steps=st.integers(1, 12), data=st.data())
def test_random_and_uniform_trains_hold_exactly_the_wanted_spikes(time_steps, data):
    counts = np.array(data.draw(st.lists(st.integers(0, time_steps), min_size=1, max_size=6)))
    for train in (
        reference.random_spikes(counts, time_steps, generator()),
        reference.uniform_spikes(counts, time_steps),
    ):
        assert train.dtype == bool
        assert train.shape == (time_steps, len(counts))
        assert train.sum(axis=0).tolist() == counts.tolist()


def test_random_spikes_depend_on_the_seed_only_and_reach_every_time_step():
    counts = np.full(400, 1)
    train = reference.random_spikes(counts, 8, generator())
    assert (train == reference.random_spikes(counts, 8, generator())).all()
    assert (train != reference.random_spikes(counts, 8, np.random.default_rng(49))).any()
    per_step = train.sum(axis=1)  # 400 spikes over 8 steps: 50 expected, standard deviation 6.6
    assert ((per_step > 20) & (per_step < 80)).all()


def test_every_choice_of_time_steps_is_equally_likely():
    trains = reference.random_spikes(np.full((3, 2000), 2), 4, generator())
    for neuron in trains.transpose(1, 2, 0):  # six choices of two among four; deviation 16.7 of 333
        _, often = np.unique(neuron, axis=0, return_counts=True)
        assert len(often) == 6
        assert ((often > 250) & (often < 420)).all()


def test_one_count_alone_is_one_train():
    assert reference.random_spikes(np.array(2), 4, generator()).sum() == 2
    assert reference.uniform_spikes(np.array(2), 4).tolist() == [True, False, True, False]


def test_spike_currents_of_rational_weights_stay_rational_under_an_integer_threshold():
    currents = reference.spike_currents(numbers([["1/3", "1/7"]], object), np.array([[True, False]]), 3)
    assert currents.tolist() == [[1]]
    assert not isinstance(currents[0, 0], float)


@pytest.mark.parametrize("counts", [[-1], [9], [0, 3, 9]])
def test_a_count_outside_zero_to_t_is_refused(counts):
    with pytest.raises(ValueError, match=r"\[0, 8\]"):
        reference.uniform_spikes(counts, 8)


def test_counts_that_are_no_integers_and_empty_time_are_refused():
    with pytest.raises(ValueError, match="integers"):
        reference.random_spikes([0.5], 8, generator())
    with pytest.raises(ValueError, match="time_steps"):
        reference.uniform_spikes([0], 0)


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_spike_currents_are_w_s_theta_step_by_step(dtype):
    weight = numbers([[1, "-1/2"], ["1/4", 2]], dtype)
    spikes = np.array([[True, False], [True, True], [False, False]])
    currents = reference.spike_currents(weight, spikes, numbers("3/2", dtype))
    # θ = 3/2: step 1 the first column, step 2 both columns added, step 3 nothing
    assert_equals(currents, [["3/2", "3/8"], ["3/4", "27/8"], [0, 0]], dtype)


@pytest.mark.parametrize("dtype", ARITHMETICS)
def test_the_expected_current_is_w_n_theta_over_t_at_every_step(dtype):
    weight = numbers([[1, "-1/2"]], dtype)
    currents = reference.expected_currents(weight, np.array([4, 2]), numbers("3/2", dtype), 4)
    assert_equals(currents, [["9/8"]] * 4, dtype)  # 3/2 / 4 * (4 - 1)


def test_the_ann_output_scenario_presents_the_activation_at_every_step():
    assert reference.ann_output_currents(np.array([0.5, 1.5]), 2).tolist() == [[0.5, 1.5]] * 2


def test_all_scenarios_of_a_1_deliver_the_same_total_current():
    rng = generator()
    counts, weight = rng.integers(0, 9, 5), numbers(rng.integers(-4, 5, (3, 5)), object)
    theta = numbers("3/2", object)[()]
    totals = [
        currents.sum(axis=0).tolist()
        for currents in (
            reference.spike_currents(weight, reference.random_spikes(counts, 8, rng), theta),
            reference.spike_currents(weight, reference.uniform_spikes(counts, 8), theta),
            reference.expected_currents(weight, counts, theta, 8),
            reference.ann_output_currents(weight @ counts * theta / 8, 8),
        )
    ]
    assert totals[0] == totals[1] == totals[2] == totals[3]


def test_only_the_constant_expected_current_makes_every_count_equal_its_level():
    """A.1's experiment: θ = 1.5 and 2, T = 8, W uniform in [-1, 1], here with exact weights in 1/16."""
    rng = generator()
    counts, weight = rng.integers(0, 9, 20), numbers(rng.integers(-16, 17, (200, 20)), object) / 16
    before, theta = numbers(["3/2", 2], object)
    x = reference.expected_currents(weight, counts, before, 8)
    level = reference.level(x[0], threshold=theta, levels=8, quantizer="floor")

    def mismatches(currents):
        run = reference.simulate(currents, v_init=0, parameters=reference.IFParameters(theta))
        return int((run.spike_count != level).sum())

    random = reference.spike_currents(weight, reference.random_spikes(counts, 8, rng), before)
    uniform = reference.spike_currents(weight, reference.uniform_spikes(counts, 8), before)
    assert mismatches(x) == 0
    assert mismatches(random) > 0
    assert mismatches(uniform) > 0


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_float64_threshold_never_widens_the_expected_current(dtype):
    currents = reference.expected_currents(np.ones((1, 2), dtype), np.array([1, 1]), np.float64(1), 4)
    assert currents.dtype == dtype
