"""Fused neurons against the loop: the same bits on every input, and a wrong table is caught."""

import copy

import pytest
import torch

from qvm_verify import snn
from qvm_verify.snn import IFNeuron, IFSettings, LoopNeuron, QuantizedActivation, StepNeuron
from tests.certificate.sites import decide, next_up, pair, random_thresholds
from tests.small_networks import OneSite, TinyNetwork, dyadic_images

BITS = {torch.float16: torch.int16, torch.bfloat16: torch.int16, torch.float32: torch.int32}
EVERY_HALF = torch.arange(-(1 << 15), 1 << 15).to(torch.int16)
LOOPS = [
    {"firing": ">"},
    {"reset": "reset_to_zero"},
    {"v_init": 1.5},
    {"v_init": -0.5},
    {"currents": "streaming"},
]


def neuron_of(time_steps, v_init, threshold, dtype, **settings):
    theta = torch.tensor(threshold, dtype=dtype)
    return IFNeuron(theta, theta * v_init, IFSettings(time_steps, **settings))


def awkward_currents(threshold, dtype=torch.float32):
    """NaN, infinities, zeros of both signs, subnormal numbers, and the floats around k θ / 48."""
    special = [float("nan"), -float("nan"), torch.inf, -torch.inf, 0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38]
    near = torch.arange(-48, 97, dtype=dtype) * (threshold / 48)
    below = torch.nextafter(near, torch.full_like(near, -torch.inf))
    return torch.cat([torch.tensor(special, dtype=dtype), near, next_up(near), below])


def same_bits(a, b):
    return a.dtype == b.dtype and torch.equal(a.view(BITS[a.dtype]), b.view(BITS[b.dtype]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("time_steps", [1, 2, 3, 8, 16])
@pytest.mark.parametrize("v_init", [0.0, 0.25, 0.5, 1.0])
def test_a_table_is_the_loop_on_every_bit_pattern_of_half_precision(time_steps, v_init, dtype):
    for threshold in random_thresholds(dtype, 2, seed=time_steps):
        neuron = neuron_of(time_steps, v_init, threshold, dtype)
        table, x = StepNeuron(neuron), EVERY_HALF.view(dtype)
        assert same_bits(table(x), neuron(x))
        assert same_bits(table.spike_count(x), neuron.spike_count(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("time_steps", [1, 3, 8, 33])
def test_a_table_is_the_loop_on_awkward_currents(time_steps, dtype):
    for v_init in (0.0, 0.5, 1.0):
        neuron = neuron_of(time_steps, v_init, 0.7, dtype)
        x = awkward_currents(0.7, dtype)
        assert StepNeuron(neuron)(x).tolist() == neuron(x).tolist()
        assert not StepNeuron(neuron)(x).signbit().any()  # zero, too, is positive


def around(steps):
    """Return the 65 floats around each step; neither function changes anywhere else."""
    below, above = [steps], [steps]
    for _ in range(32):
        below.append(torch.nextafter(below[-1], torch.full_like(steps, -torch.inf)))
        above.append(next_up(above[-1]))
    return torch.stack(below + above[1:])


@pytest.mark.parametrize("time_steps", [1, 4, 8, 64])
def test_a_table_is_the_loop_around_every_step_and_one_ulp_is_seen(time_steps):
    for dtype in (torch.float32, torch.float64):
        for threshold in random_thresholds(dtype, 3, seed=time_steps):
            neuron = neuron_of(time_steps, 0.5, threshold, dtype)
            table = StepNeuron(neuron)
            x = around(table.steps)
            assert torch.equal(table(x), neuron(x))
            table.steps[-1] = next_up(table.steps[-1])
            assert not torch.equal(table(x), neuron(x))


def test_the_certificate_finds_table_and_loop_the_same_on_every_half():
    activation, neuron = pair(6, "round", 1.3, torch.float16)
    table = StepNeuron(neuron)
    certificate = decide(neuron.spike_count, table, activation, "exhaustive")
    assert certificate.mismatches == 0
    assert certificate == decide(neuron.spike_count, neuron, activation, "exhaustive")  # NaN, too
    assert decide(activation, table, activation, "boundary") == decide(
        activation, neuron, activation, "boundary"
    )


@pytest.mark.nightly
@pytest.mark.parametrize("threshold", random_thresholds(torch.float32, 5, seed=7))
def test_the_certificate_finds_table_and_loop_the_same_on_every_float32(threshold):
    activation, neuron = pair(8, "round", threshold)
    certificate = decide(neuron.spike_count, StepNeuron(neuron), activation, "exhaustive")
    assert certificate.mismatches == 0
    assert certificate.inputs_checked == 4_278_190_082


@pytest.mark.parametrize("k", range(6))
@pytest.mark.parametrize("towards", [-torch.inf, torch.inf])
def test_a_boundary_that_is_one_ulp_off_is_caught(k, towards):
    activation, neuron = pair(6, "round", 1.3, torch.float16)
    table = StepNeuron(neuron)
    table.steps[k] = torch.nextafter(table.steps[k], torch.tensor(towards, dtype=torch.float16))
    certificate = decide(neuron.spike_count, table, activation, "exhaustive")
    assert certificate.mismatches == 1


def test_a_table_that_does_not_ascend_is_refused_by_the_boundary_method():
    activation, neuron = pair(6, "round", 1.3)
    table = StepNeuron(neuron)
    table.steps[:2] = table.steps[:2].flip(0).clone()
    with pytest.raises(ValueError, match="does not ascend"):
        decide(activation, table, activation, "boundary")


@pytest.mark.parametrize("change", LOOPS, ids=str)
def test_a_neuron_that_is_not_proved_monotone_stays_a_loop_and_says_why(change):
    loop = {"v_init": 0.5} | change
    neuron = neuron_of(4, loop.pop("v_init"), 1.0, torch.float32, **loop)
    with pytest.raises(ValueError, match=r"theorem|streaming"):
        StepNeuron(neuron)
    network = snn.fuse(torch.nn.Sequential(neuron))
    assert isinstance(network[0], LoopNeuron)
    (reason,) = snn.left_as_loops(network).values()
    assert reason in repr(network)


def test_a_subclass_with_dynamics_of_its_own_is_left_alone():
    class Leaky(IFNeuron):
        pass

    neuron = Leaky(torch.tensor(1.0), torch.tensor(0.5), IFSettings(4))
    with pytest.raises(ValueError, match="Leaky"):
        StepNeuron(neuron)
    assert type(snn.fuse(torch.nn.Sequential(neuron))[0]) is Leaky


def test_a_table_follows_its_neuron_to_another_dtype_and_another_state():
    _, neuron = pair(6, "round", 1.3)
    table, x = StepNeuron(neuron).half(), EVERY_HALF.view(torch.float16)
    assert same_bits(table(x), neuron.half()(x))
    other = StepNeuron(pair(6, "round", 2.7, torch.float16)[1])
    other.load_state_dict(table.state_dict())
    assert torch.equal(other.steps, table.steps)
    assert set(table.state_dict()) == set(neuron.state_dict())
    assert same_bits(copy.deepcopy(table)(x), table(x))


def test_on_an_input_of_another_dtype_the_loop_runs():
    _, neuron = pair(6, "round", 1.3)
    x = awkward_currents(1.3, torch.float64)
    assert StepNeuron(neuron)(x).tolist() == neuron(x).tolist()
    assert StepNeuron(neuron).spike_count(x).dtype == torch.float64


@pytest.mark.parametrize("quantizer", snn.QUANTIZERS)
def test_a_fused_network_gives_the_same_bits_and_the_one_it_was_made_from_is_left_alone(quantizer):
    network = snn.convert(TinyNetwork(quantizer))
    fused, images = snn.fuse(network), dyadic_images()
    assert same_bits(fused(images), network(images))
    assert [type(m) for m in fused.modules()].count(StepNeuron) == 3
    assert not any(isinstance(module, StepNeuron) for module in network.modules())
    assert snn.left_as_loops(fused) == {}


def test_a_shared_neuron_stays_shared_and_a_lone_one_is_replaced():
    neuron = neuron_of(4, 0.5, 1.0, torch.float32)
    fused = snn.fuse(torch.nn.Sequential(neuron, neuron))
    assert fused[0] is fused[1]
    assert isinstance(snn.fuse(neuron), StepNeuron)


@pytest.mark.parametrize("change", [{"currents": "streaming"}, {"firing": ">"}], ids=str)
def test_a_compiled_loop_gives_the_bits_of_the_loop_in_every_layout(change):
    neuron = neuron_of(2, 0.5, 0.7, torch.float32, **change)
    loop = LoopNeuron(neuron)
    x = torch.randn(6, 4, 3, 5, generator=torch.Generator().manual_seed(0))
    x.flatten()[: len(awkward_currents(0.7)[:200])] = awkward_currents(0.7)[:200]
    for given in (x, x.to(memory_format=torch.channels_last), x[:, ::2], x.half(), x[0:0], x[:, :, 0, 0]):
        out, expected = loop(given), neuron(given)
        assert out.dtype == expected.dtype
        assert out.stride() == expected.stride()
        assert out.tolist() == expected.tolist()


def test_a_compiled_network_gives_the_bits_of_the_network():
    activation, _ = pair(4, "round", 0.7)
    network, images = snn.convert(OneSite(activation, gain=0.5)), awkward_currents(0.7)[2:].unsqueeze(1)
    with torch.inference_mode():
        assert same_bits(snn.compiled(snn.fuse(network))(images), network(images))


def test_without_a_compiler_everything_runs_as_it_is(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    network = snn.convert(TinyNetwork("round"), currents="streaming")
    fused, images = snn.fuse(network), dyadic_images()
    assert snn.compiled(fused) is fused
    assert same_bits(fused(images), network(images))


def test_an_activation_is_no_neuron():
    site = torch.nn.Sequential(QuantizedActivation(4, "floor"))
    assert type(snn.fuse(site)[0]) is QuantizedActivation


def test_every_function_is_compiled_however_many_share_their_code():
    def adding(number):
        def add(x):
            return x + number

        return add

    with torch._dynamo.config.patch(error_on_recompile=True):
        for number in range(3):
            assert snn.compile_function(adding(number))(torch.zeros(2)).tolist() == [number, number]
