"""The sweep finds every planted fault, wherever it is, and trusts nothing of the two callables."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from qvm_verify.certificate import sweep
from qvm_verify.certificate.runs import RunCollector
from qvm_verify.snn import IFNeuron, IFSettings
from qvm_verify.snn.ordinals import ordinal_range, to_floats, to_ordinals
from tests.certificate.sites import decide, next_up, pair

HALVES = (torch.float16, torch.bfloat16)
FAULTY_PLACES = (-torch.inf, -65504.0, -1.0, -6e-8, -0.0, 0.0, 6e-8, 0.2998046875, 1.0, 65504.0, torch.inf)

Counter = Callable[[Tensor], Tensor]


def faulty_at(count: Counter, place: float) -> Counter:
    """Return `count` with one more spike on one single float; -0.0 is another float than 0.0."""
    bits = torch.tensor(place, dtype=torch.float16).view(torch.int16)

    def faulty(x: Tensor) -> Tensor:
        return count(x) + (x.view(torch.int16) == bits)

    return faulty


@pytest.mark.parametrize("place", FAULTY_PLACES)
def test_a_fault_on_one_single_float_is_caught(place: float) -> None:
    activation, neuron = pair(4, "floor", 1.0, torch.float16)
    certificate = decide(activation, faulty_at(neuron.spike_count, place), activation, "exhaustive")
    (failing,) = certificate.intervals
    assert certificate.mismatches == failing.inputs == 1
    assert failing.first == failing.last == float(torch.tensor(place, dtype=torch.float16)).hex()
    assert failing.spike_count == (failing.level or 0) + 1
    assert decide(activation, neuron, activation, "exhaustive").mismatches == 0


def v_init_one_ulp_up() -> Counter:
    """V0 = 0 moved up by an ulp of θ / 2."""
    activation, neuron = pair(8, "floor", 1.0, torch.float16)
    return IFNeuron(activation.threshold, next_up(neuron.v_init + 0.5) - 0.5, IFSettings(8)).spike_count


def hard_reset() -> Counter:
    activation, neuron = pair(8, "floor", 1.0, torch.float16)
    return IFNeuron(activation.threshold, neuron.v_init, IFSettings(8, reset="reset_to_zero")).spike_count


def saturating_add(x: Tensor) -> Tensor:
    """Accumulate in a register that holds at most 1.25 θ."""
    v, count = torch.zeros_like(x), torch.zeros_like(x)
    for _ in range(8):
        u = (v + x).clamp(max=1.25)
        count, v = count + (u >= 1), torch.where(u >= 1, u - 1, u)
    return count


def coarse_accumulation(x: Tensor) -> Tensor:
    """Keep the potential in bfloat16, between steps that are the neuron's own."""
    _, neuron = pair(8, "floor", 1.0, torch.float16)
    v, count = torch.zeros_like(x), torch.zeros_like(x)
    for _ in range(8):
        spikes, v = neuron.step(x, v)
        count, v = count + spikes, v.to(torch.bfloat16).to(x.dtype)
    return count


@pytest.mark.parametrize(
    "neuron",
    [v_init_one_ulp_up(), hard_reset(), saturating_add, coarse_accumulation],
    ids=["V0 an ulp up", "hard reset", "saturating add", "coarse accumulation"],
)
def test_a_wrong_neuron_is_caught_and_every_failing_input_really_fails(neuron: Counter) -> None:
    activation, right = pair(8, "floor", 1.0, torch.float16)
    assert decide(activation, right, activation, "exhaustive").mismatches == 0
    certificate = decide(activation, neuron, activation, "exhaustive")
    x = to_floats(
        torch.arange(ordinal_range(torch.float16)[0], ordinal_range(torch.float16)[1] + 1), torch.float16
    )
    assert certificate.mismatches == int((neuron(x) != activation.level(x)).sum()) > 0
    for interval in certificate.intervals:
        ends = torch.tensor(
            [float.fromhex(interval.first), float.fromhex(interval.last)], dtype=torch.float16
        )
        assert activation.level(ends).tolist() == [interval.level] * 2
        assert neuron(ends).tolist() == [interval.spike_count] * 2


@pytest.mark.nightly
def test_float16_accumulation_inside_a_float32_neuron_is_caught() -> None:
    activation, _ = pair(4, "floor", 1.0)

    def coarse(x: Tensor) -> Tensor:
        v, count = torch.zeros_like(x), torch.zeros_like(x)
        for _ in range(4):
            u = (v + x).to(torch.float16).to(torch.float32)
            count, v = count + (u >= 1), torch.where(u >= 1, u - 1, u)
        return count

    assert decide(activation, coarse, activation, "exhaustive").mismatches > 0


def test_a_fault_on_one_single_float32_is_caught_by_a_sweep_over_all_of_them() -> None:
    activation, neuron = pair(6, "floor", 1.0)
    own, planted = float.fromhex("0x1.aaaaaap-1"), float.fromhex("0x1.234566p-40")
    certificate = decide(
        activation, lambda x: neuron.spike_count(x) + (x == planted), activation, "exhaustive"
    )
    assert certificate.inputs_checked == 4_278_190_082
    assert [one.first for one in certificate.intervals] == [planted.hex(), own.hex()]
    assert certificate.mismatches == 2


@pytest.mark.parametrize("compiler", [True, False])
def test_the_certificate_says_how_the_sweep_was_evaluated(
    compiler: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/c++" if compiler else None)
    activation, neuron = pair(4, "floor", 1.0)
    blocks = sweep._Blocks(activation.level, neuron.spike_count, torch.float32, torch.device("cpu"))
    expected = "fused evaluation" if compiler else "plain evaluation (no C++ compiler)"
    assert blocks.evaluation == expected
    coarse = sweep._Blocks(lambda x: x.half().float(), torch.relu, torch.float32, torch.device("cpu"))
    assert coarse.evaluation == "plain evaluation (half precision)"


def test_one_float32_fails_with_six_levels_when_every_float_around_is_looked_at() -> None:
    activation, neuron = pair(6, "floor", 1.0)
    x = to_floats(torch.arange(0x3F500000, 0x3F600000), torch.float32)  # [13/16, 7/8)
    failing = x[activation.level(x) != neuron.spike_count(x)]
    assert failing.tolist() == [float.fromhex("0x1.aaaaaap-1")]


def test_a_count_that_falls_is_called_not_monotone() -> None:
    activation, neuron = pair(4, "floor", 1.0, torch.float16)
    falling = decide(
        activation, lambda x: torch.where(x == 0.5, 0.0, neuron.spike_count(x)), activation, "exhaustive"
    )
    assert not falling.monotone
    rising = decide(activation, neuron, activation, "exhaustive")
    assert rising.monotone
    falling_level = decide(
        lambda x: torch.where(x > 2, 0.0, activation.level(x)), neuron, activation, "exhaustive"
    )
    assert not falling_level.monotone


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_every_bit_pattern_is_in_one_class(dtype: torch.dtype) -> None:
    activation, neuron = pair(4, "round", 1.5, dtype)
    certificate = decide(activation, neuron, activation, "exhaustive")
    mantissas, exponents = {torch.float16: (1 << 10, 30), torch.bfloat16: (1 << 7, 254)}[dtype]
    by_sign = {"infinity": 1, "normal": mantissas * exponents, "subnormal": mantissas - 1, "zero": 1}
    expected = {f"{sign} {name}": n for sign in ("negative", "positive") for name, n in by_sign.items()}
    expected["NaN"] = 2 * (mantissas - 1)
    assert {name: found.inputs for name, found in certificate.classes.items()} == expected
    assert sum(expected.values()) == 1 << 16
    assert certificate.inputs_checked == (1 << 16) - expected["NaN"]
    numbers = (found.mismatches for name, found in certificate.classes.items() if name != "NaN")
    assert sum(numbers) == certificate.mismatches


def test_ceil_fires_on_a_silent_input_and_the_classes_say_so() -> None:
    activation, neuron = pair(4, "ceil", 1.0, torch.float16)
    classes = decide(activation, neuron, activation, "exhaustive").classes
    assert classes["positive zero"].mismatches == classes["negative zero"].mismatches == 1
    assert classes["negative subnormal"].mismatches == classes["negative subnormal"].inputs
    assert classes["positive subnormal"].mismatches == 0
    assert classes["negative infinity"].mismatches == classes["positive infinity"].mismatches == 0


def test_a_neuron_that_fires_on_nan_is_reported() -> None:
    activation, neuron = pair(4, "floor", 1.0, torch.float16)
    certificate = decide(activation, lambda x: neuron.spike_count(x) + x.isnan(), activation, "exhaustive")
    assert certificate.mismatches == 0
    assert certificate.classes["NaN"].mismatches == certificate.classes["NaN"].inputs == 2046
    silent = decide(activation, neuron, activation, "exhaustive")
    assert silent.classes["NaN"].mismatches == 0


@pytest.mark.parametrize(
    ("dtype", "patterns"),
    [(torch.bfloat16, 2**7 - 1), (torch.float16, 2**10 - 1), (torch.float32, 2**23 - 1)],
)
def test_the_nans_of_both_signs_are_counted(dtype: torch.dtype, patterns: int) -> None:
    cpu = torch.device("cpu")
    assert sweep._nan_counts(torch.zeros_like, torch.ones_like, dtype, cpu) == (2 * patterns,) * 3
    assert sweep._nan_counts(torch.abs, torch.zeros_like, dtype, cpu) == (2 * patterns, 0, 0)
    found = sweep._nan_counts(torch.abs, lambda x: x.signbit().to(dtype), dtype, cpu)
    assert found == (2 * patterns, 0, patterns)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_a_sweep_says_how_it_was_evaluated(dtype: torch.dtype) -> None:
    found = sweep.sweep(torch.zeros_like, torch.zeros_like, dtype=dtype, device=torch.device("cpu"))
    assert found.evaluation == "plain evaluation (half precision)"


def test_half_precision_is_seen_among_several_results() -> None:
    half = torch.ones(2, dtype=torch.float16)
    with sweep._DtypesSeen() as seen:
        half.max(0)
    assert seen.narrow


def steps_at(*places: float) -> Counter:
    """Return how many of these places are at or below each number."""
    return lambda x: sum(((x >= place).to(x.dtype) for place in places), torch.zeros_like(x))


def blocks_of(level: Counter, count: Counter, monkeypatch: pytest.MonkeyPatch) -> sweep._Blocks:
    """Return blocks of float32 that believe to be fused."""
    monkeypatch.setattr(sweep, "can_compile", lambda device: True)
    monkeypatch.setattr(sweep, "compile_function", lambda function: function)
    blocks = sweep._Blocks(level, count, torch.float32, torch.device("cpu"))
    assert blocks.fused
    return blocks


def test_the_table_of_mantissas_misses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    table = blocks_of(torch.zeros_like, torch.zeros_like, monkeypatch)._table
    (one,) = ordinals(1.0)
    assert torch.equal(to_ordinals(table), torch.arange(one, one + (1 << 23)))


def ordinals(*places: float) -> list[int]:
    return [int(to_ordinals(torch.tensor([place]))) for place in places]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_block_is_cut_where_a_count_changes(sign: float, monkeypatch: pytest.MonkeyPatch) -> None:
    places = sorted(sign * place for place in (1.25, 1.5, 1.75))
    level, count = steps_at(places[0], places[2]), steps_at(places[1])
    first, last = sorted(ordinals(sign, sign * float.fromhex("0x1.fffffep+0")))
    collector = RunCollector()
    blocks_of(level, count, monkeypatch).collect(first, last, collector)
    at = ordinals(*places)
    starts, ends = [first, *at], [*(place - 1 for place in at), last]
    values = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (2.0, 1.0)]
    assert [tuple(run) for run in collector.runs] == [
        (start, end, *value) for start, end, value in zip(starts, ends, values, strict=True)
    ]


def test_faults_at_the_ends_of_small_blocks_are_found_one_by_one() -> None:
    (first,) = ordinals(1.0)
    faults = [first + sweep.SMALL_BLOCK - 1, first + sweep.SMALL_BLOCK, first + sweep.SMALL_BLOCK + 7]
    floats = to_floats(torch.tensor(faults), torch.float32)

    def faulty(x: Tensor) -> Tensor:
        return torch.isin(x, floats).to(x.dtype)

    blocks = sweep._Blocks(faulty, torch.zeros_like, torch.float32, torch.device("cpu"))
    collector = RunCollector()
    assert blocks._collect_plain(first, first + 3 * sweep.SMALL_BLOCK, collector) == [0.0, 1.0, 0.0, 0.0]
    wrong = [(run.first, run.last) for run in collector.runs if run.level == 1]
    assert wrong == [(faults[0], faults[1]), (faults[2], faults[2])]
    assert collector.runs[-1].last == first + 3 * sweep.SMALL_BLOCK


def test_a_block_without_a_change_is_looked_at_fused_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = blocks_of(torch.zeros_like, torch.ones_like, monkeypatch)
    plain: list[tuple[int, int]] = []
    monkeypatch.setattr(blocks, "_collect_plain", lambda first, last, _: plain.append((first, last)))
    collector, size = RunCollector(), 1 << 23
    (one, infinity) = ordinals(1.0, torch.inf)
    blocks.collect(one, one + size - 1, collector)
    assert [tuple(run) for run in collector.runs] == [(one, one + size - 1, 0.0, 1.0)]
    assert plain == []
    alone = [(0, size - 1), (-size, -1), (infinity, infinity)]  # subnormal numbers, and no block
    for block in alone:
        blocks.collect(*block, collector)
    assert plain == alone


def test_no_number_is_equal_to_no_number_and_to_nothing_else() -> None:
    a, b = (
        torch.tensor(values)
        for values in ([1.0, 1.0, torch.nan, 1.0, torch.nan], [1.0, 2.0, 1.0] + [torch.nan] * 2)
    )
    assert sweep._equal(a, b).tolist() == [True, False, False, False, True]


def test_progress_reaches_every_number() -> None:
    activation, neuron = pair(4, "floor", 1.0, torch.float16)
    seen: list[int] = []
    certificate = decide(activation, neuron, activation, "exhaustive", on_inputs=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == certificate.inputs_checked


def test_a_fused_evaluation_that_differs_from_the_plain_one_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extremes = [torch.tensor(value) for value in (0.0, 1.0, 0.0, 1.0)]
    monkeypatch.setattr(torch, "compile", lambda function, **_: lambda table, scale: extremes)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/c++")
    with pytest.raises(sweep.FusionError, match="plain evaluation"):
        sweep.sweep(torch.zeros_like, torch.zeros_like, dtype=torch.float32, device=torch.device("cpu"))


def test_no_sweep_over_float64() -> None:
    activation, neuron = pair(4, "floor", 1.0, torch.float64)
    with pytest.raises(ValueError, match="no sweep ends"):
        sweep.sweep(activation.level, neuron.spike_count, dtype=torch.float64, device=torch.device("cpu"))
