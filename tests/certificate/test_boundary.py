"""Bisection and sweep are two ways to the same certificate, and bisection knows what it may not decide."""

import functools
from typing import Any

import pytest
import torch

from qvm_verify.certificate import boundary, certify
from qvm_verify.exits import InputError
from qvm_verify.snn import (
    QUANTIZERS,
    IFNeuron,
    IFSettings,
    QuantizedActivation,
    Quantizer,
    StepNeuron,
    ordinals,
)
from qvm_verify.snn.ordinals import ordinal_range, to_floats, to_ordinals
from tests.certificate.sites import LEVELS, decide, pair, random_thresholds, without_method

HALVES = (torch.float16, torch.bfloat16)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_ordinals_order_every_bit_pattern_and_lead_back_to_it(dtype: torch.dtype) -> None:
    patterns = torch.arange(-(1 << 15), 1 << 15, dtype=torch.int32).to(torch.int16)
    floats = patterns.view(dtype)
    places = to_ordinals(floats)
    assert torch.equal(to_floats(places, dtype).view(torch.int16), patterns)
    assert torch.equal(places.sort().values, torch.arange(-(1 << 15), 1 << 15))
    lowest, highest = ordinal_range(dtype)
    numbers = to_floats(torch.arange(lowest, highest + 1), dtype).double()
    assert numbers[0] == -torch.inf
    assert numbers[-1] == torch.inf
    assert bool((numbers[1:] >= numbers[:-1]).all())
    assert int((numbers[1:] == numbers[:-1]).sum()) == 1  # -0.0 and 0.0
    outside = (places < lowest) | (places > highest)
    assert torch.equal(outside, floats.isnan())


@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_boundary_equals_exhaustive_in_half_precision(
    dtype: torch.dtype, levels: int, quantizer: Quantizer
) -> None:
    for threshold in random_thresholds(dtype, 4, seed=levels):
        activation, neuron = pair(levels, quantizer, threshold, dtype)
        found = {
            method: decide(activation, neuron, activation, method) for method in ("boundary", "exhaustive")
        }
        assert without_method(found["boundary"]) == without_method(found["exhaustive"]), threshold
        assert found["exhaustive"].monotone


@pytest.mark.nightly
@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("number", range(50))
def test_boundary_equals_exhaustive_in_float32(number: int, levels: int, quantizer: Quantizer) -> None:
    (threshold,) = random_thresholds(torch.float32, 1, seed=number)
    activation, neuron = pair(levels, quantizer, threshold)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    bisected = decide(activation, neuron, activation, "boundary")
    swept = decide(activation.to(device), neuron.to(device), activation, "exhaustive", device=device)
    assert without_method(bisected) == without_method(swept), threshold


@pytest.mark.parametrize("time_steps", [1, 3, 8, 12])
@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5, 1.0])
def test_boundary_equals_exhaustive_where_the_conversion_is_unmatched(
    time_steps: int, fraction: float
) -> None:
    for threshold in random_thresholds(torch.float16, 4, seed=time_steps):
        activation, _ = pair(8, "round", threshold, torch.float16)
        neuron = IFNeuron(activation.threshold, activation.threshold * fraction, IFSettings(time_steps))
        bisected, swept = (
            decide(activation, neuron, activation, method, time_steps=time_steps)
            for method in ("boundary", "exhaustive")
        )
        assert without_method(bisected) == without_method(swept), threshold


@pytest.mark.parametrize("levels", [2, 4, 8, 16])
def test_floor_with_a_power_of_two_levels_is_lossless_at_threshold_one(levels: int) -> None:
    activation, neuron = pair(levels, "floor", 1.0)
    assert decide(activation, neuron, activation, "boundary").mismatches == 0


def test_floor_with_six_levels_fails_on_one_float32() -> None:
    activation, neuron = pair(6, "floor", 1.0)
    certificate = decide(activation, neuron, activation, "boundary")
    (failing,) = certificate.intervals
    assert certificate.mismatches == failing.inputs == 1
    assert float.fromhex(failing.first) == float.fromhex("0x1.aaaaaap-1") == 0.8333333134651184
    assert (failing.level, failing.spike_count) == (5, 4)


@pytest.mark.parametrize(("levels", "failing"), [(4, 4), (8, 8)])
def test_round_half_up_fails_on_as_many_float32_as_was_measured(levels: int, failing: int) -> None:
    activation, neuron = pair(levels, "round", 1.0)
    certificate = decide(activation, neuron, activation, "boundary")
    assert certificate.mismatches == failing
    for interval in certificate.intervals:
        for end in (interval.first, interval.last):
            x = torch.tensor([float.fromhex(end)])
            assert activation.level(x).item() == interval.level
            assert neuron.spike_count(x).item() == interval.spike_count != interval.level


@pytest.mark.parametrize("quantizer", ["floor", "round"])
def test_float64_is_decided_too(quantizer: Quantizer) -> None:
    activation, neuron = pair(6, quantizer, 1.0, torch.float64)
    certificate = decide(activation, neuron, activation, "boundary")
    assert certificate.inputs_checked == 2 * 0x7FF0_0000_0000_0000 + 2
    for function, steps in (
        (activation.level, certificate.level_steps),
        (neuron.spike_count, certificate.count_steps),
    ):
        at = torch.tensor([float.fromhex(step) for step in steps], dtype=torch.float64)
        below = torch.nextafter(at, torch.full_like(at, -torch.inf))
        assert function(at).tolist() == [1, 2, 3, 4, 5, 6]
        assert function(below).tolist() == [0, 1, 2, 3, 4, 5]


class Subclass(IFNeuron):
    pass


class SubclassedActivation(QuantizedActivation):
    pass


ACTIVATION, NEURON = pair(4, "floor", 1.0)
NEGATIVE, _ = pair(4, "floor", 1.0)
NEGATIVE.threshold.data.neg_()


def neuron_with(v_init: float = 0.0, threshold: float = 1.0, **settings: Any) -> IFNeuron:
    return IFNeuron(torch.tensor(threshold), torch.tensor(v_init), IFSettings(4, **settings))


@pytest.mark.parametrize(
    ("activation", "neuron"),
    [
        pytest.param(ACTIVATION, lambda x: NEURON.spike_count(x), id="a lambda"),
        pytest.param(lambda x: ACTIVATION.level(x), NEURON, id="a foreign activation"),
        pytest.param(ACTIVATION.forward, NEURON, id="another method"),
        pytest.param(NEURON.spike_count, NEURON.forward, id="the neuron's other method"),
        pytest.param(
            ACTIVATION, Subclass(NEURON.threshold, NEURON.v_init, NEURON.settings), id="a subclassed neuron"
        ),
        pytest.param(SubclassedActivation(4, "floor"), NEURON, id="a subclassed activation"),
        pytest.param(ACTIVATION, neuron_with(reset="reset_to_zero"), id="a hard reset"),
        pytest.param(ACTIVATION, neuron_with(v_init=-torch.finfo().tiny), id="V0 below 0"),
        pytest.param(ACTIVATION, neuron_with(v_init=1 + torch.finfo().eps), id="V0 above the threshold"),
        pytest.param(ACTIVATION, neuron_with(v_init=torch.nan), id="V0 that is no number"),
        pytest.param(ACTIVATION, neuron_with(threshold=1e-40), id="a subnormal threshold"),
        pytest.param(ACTIVATION, neuron_with(threshold=3e38), id="a threshold whose double is inf"),
        pytest.param(NEGATIVE, NEURON, id="a negative threshold"),
    ],
)
def test_boundary_refuses_what_no_theorem_speaks_of(activation: Any, neuron: Any) -> None:
    with pytest.raises(InputError, match="boundary cannot decide this"):
        decide(activation, neuron, ACTIVATION, "boundary")


def test_a_neuron_in_the_place_of_the_activation_is_bisected_without_a_guess() -> None:
    count = NEURON.spike_count
    found = certify(count, count, threshold=1.0, levels=4, time_steps=4)
    assert (found.mismatches, found.level_steps) == (0, found.count_steps)
    against = certify(count, ACTIVATION.level, threshold=1.0, levels=4, time_steps=4)
    assert against.level_steps == found.count_steps


@pytest.mark.parametrize("dtype", [*HALVES, torch.float32], ids=str)
@pytest.mark.parametrize(("quantizer", "offset"), [("floor", 0.0), ("round", 0.5), ("ceil", 1.0)])
def test_the_search_begins_where_the_levels_rise_over_the_reals(
    quantizer: Quantizer, offset: float, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    guesses: list[Any] = []

    def first_holding(condition: Any, count: int, dtype: Any, device: Any, guess: Any) -> torch.Tensor:
        guesses.append(guess)
        return ordinals.first_holding(condition, count, dtype, device, guess)

    monkeypatch.setattr(boundary, "first_holding", first_holding)
    activation, neuron = pair(48, quantizer, 1.7, dtype)
    for level in (activation.level, boundary.OrderedLevel(activation, boundary.ORDERS[1])):
        guesses.clear()
        sizes = {"levels": 48, "time_steps": 48, "dtype": dtype, "device": torch.device("cpu")}
        runs = boundary.boundary_runs(level, neuron.spike_count, **sizes)
        reals = [float(activation.threshold) * (k - offset) / 48 for k in range(1, 49)]
        expected = to_ordinals(torch.tensor(reals, dtype=torch.float64).to(dtype)).tolist()
        found = boundary.level_steps(level, 48, dtype, torch.device("cpu"))
        assert guesses[:2] == [expected, found]
        assert (runs[0].first, runs[-1].last) == ordinal_range(dtype)


def test_a_count_that_is_never_reached_makes_no_run() -> None:
    runs = boundary.boundary_runs(
        ACTIVATION.level,
        torch.zeros_like,
        levels=4,
        time_steps=4,
        dtype=torch.float32,
        device=torch.device("cpu"),
    )
    assert [(run.level, run.spike_count) for run in runs] == [(float(k), 0.0) for k in range(5)]
    assert all(run.inputs > 0 for run in runs)
    assert runs[-1].last == ordinal_range(torch.float32)[1]


def test_a_table_counts_as_monotone_where_it_ascends() -> None:
    table = StepNeuron(NEURON)
    assert boundary.why_not_monotone(table.spike_count) is None
    table.steps = torch.tensor([0.25, 0.5, 0.5, 1.0])
    assert boundary.why_not_monotone(table.spike_count) is None
    for places in ([0.25, 0.75, 0.5, 1.0], [0.5, 0.25, 0.75, 1.0], [0.25, 0.5, 1.0, 0.75]):
        table.steps = torch.tensor(places)
        assert boundary.why_not_monotone(table.spike_count) == "its table does not ascend"


def test_a_callable_of_which_nothing_is_known_is_named() -> None:
    forward = boundary.why_not_monotone(StepNeuron(NEURON).forward)
    assert forward == "no theorem says that StepNeuron.forward is monotone"
    nameless = functools.partial(NEURON.spike_count)
    assert boundary.why_not_monotone(nameless) == f"no theorem says that {nameless} is monotone"
