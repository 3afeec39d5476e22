import pytest
import torch

from qvm_verify.snn import IFNeuron, IFSettings


def neuron(threshold=1.0, v_init=0.5, **settings):
    return IFNeuron(
        torch.tensor(threshold), torch.tensor(v_init), IFSettings(**({"time_steps": 3} | settings))
    )


@pytest.mark.parametrize(
    ("firing", "reset", "count"),
    # θ = 1, V0 = 1/4, q = 3/4. Subtraction: U = 1, then 3/4 after a spike or 7/4 where ">" did not fire.
    [
        (">=", "reset_by_subtraction", 2),  # fires at 1; 3/4; 3/2
        (">", "reset_by_subtraction", 2),  # 1 is no spike; 7/4; 3/2
        (">=", "reset_to_zero", 2),
        (">", "reset_to_zero", 1),  # 1 is no spike; 7/4 fires, and 3/4 of charge is lost; 3/4
    ],
)
def test_the_count_under_a_constant_current_is_the_one_worked_out_by_hand(firing, reset, count):
    site = neuron(v_init=0.25, firing=firing, reset=reset)
    assert site.spike_count(torch.tensor([0.75])).tolist() == [count]
    assert site(torch.tensor([0.75])).tolist() == [torch.tensor(1.0).div(3).mul(count).item()]


def test_streaming_gives_scaled_spikes_step_by_step_and_neuron_by_neuron():
    site = neuron(threshold=2.0, v_init=1.0, currents="streaming")
    received = torch.tensor([[1.0, 0.0], [1.0, 0.5], [1.0, 0.5]])  # [T · batch of 1, neurons]
    assert site(received).tolist() == [[2, 0], [0, 0], [2, 2]]


def test_streaming_keeps_the_images_of_a_batch_apart():
    site = neuron(v_init=0.0, time_steps=2, currents="streaming")
    step_1, step_2 = [[1.0], [0.5]], [[0.0], [0.5]]
    assert site(torch.tensor(step_1 + step_2)).tolist() == [[1], [0], [0], [1]]


@pytest.mark.parametrize("currents", ["constant", "streaming"])
def test_no_state_outlives_a_call(currents):
    site = neuron(currents=currents)
    x = torch.tensor([[0.4]] * 3)
    assert torch.equal(site(x), site(x))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_the_dtype_of_the_current_is_kept(dtype):
    site = neuron().to(dtype)
    x = torch.ones(2, dtype=dtype)
    assert site.spike_count(x).dtype == site(x).dtype == dtype


@pytest.mark.parametrize("steps", [0, -1, 1.5, True])
def test_time_steps_that_are_no_positive_integer_are_refused(steps):
    with pytest.raises(ValueError, match="time_steps"):
        neuron(time_steps=steps)


@pytest.mark.parametrize("setting", ["firing", "reset", "currents"])
def test_an_unknown_rule_is_refused(setting):
    with pytest.raises(ValueError, match="'sometimes' is none of"):
        neuron(**{setting: "sometimes"})


def test_threshold_and_v_init_are_kept_in_the_state_dict_and_copied():
    threshold = torch.tensor(1.0)
    site = IFNeuron(threshold, threshold, IFSettings(2))
    threshold.fill_(7.0)
    assert {name: value.item() for name, value in site.state_dict().items()} == {"threshold": 1, "v_init": 1}


def test_printing_shows_the_setting():
    assert "threshold=1, v_init=0.5, time_steps=3, >=, reset_by_subtraction, constant" in repr(neuron())
