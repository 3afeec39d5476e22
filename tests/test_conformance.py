"""The claims as property tests: on the reference, on mutants, on PyTorch's neuron, on somebody's own."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from qvm_verify.claims import CLAIMS, claim
from qvm_verify.claims.mutants import ResetsToZero
from qvm_verify.conformance import Implementation, check
from qvm_verify.reference import IFParameters
from qvm_verify.snn import IFNeuron, IFSettings, QuantizedActivation
from qvm_verify.verdict import Verdict

SEEDS = 20
TESTABLE = [one for one in CLAIMS if one.arithmetic != "bfloat16"]
FALSE_IN_FLOAT32 = [
    one.id for one in CLAIMS if one.arithmetic == "float32" and one.expected is Verdict.REFUTED
]


def torch_neuron(currents, threshold, v_init):
    """PyTorch's neuron, step by step, behind the interface that `Implementation` asks for."""
    theta = torch.tensor(np.asarray(threshold))
    neuron = IFNeuron(theta, torch.tensor(np.asarray(v_init)), IFSettings(len(currents)))
    v, spikes, potentials = neuron.v_init, [], []
    for current in currents:
        spike, v = neuron.step(torch.tensor(np.asarray(current)), v)
        spikes.append(bool(spike))
        potentials.append(v.numpy())
    return spikes, potentials


def torch_activation(current, threshold, levels, quantizer):
    activation = QuantizedActivation(int(levels), quantizer, float(threshold))
    activation = activation.to(torch.tensor(np.asarray(current)).dtype)
    return activation.level(torch.tensor(np.asarray(current))).detach().numpy()


TORCH = Implementation(neuron=torch_neuron, activation=torch_activation)


@pytest.mark.parametrize("one", TESTABLE, ids=lambda one: one.id)
def test_the_reference_does_what_a_true_claim_says_and_breaks_a_false_one(one):
    expected = Verdict.REFUTED if one.expected is Verdict.REFUTED else Verdict.TESTED
    outcome = check(one, examples=200 if expected is Verdict.REFUTED else 40)
    assert outcome.evidence.verdict is expected, str(outcome)
    assert (outcome.case is None) == (expected is Verdict.TESTED)


@pytest.mark.parametrize("name", FALSE_IN_FLOAT32)
def test_every_seed_finds_what_rounding_breaks_at_200_examples(name):
    missed = [seed for seed in range(SEEDS) if check(claim(name), examples=200, seed=seed).case is None]
    assert missed == []


@pytest.mark.parametrize("name", FALSE_IN_FLOAT32)
def test_pytorch_breaks_under_rounding_exactly_where_the_reference_does(name):
    outcome = check(claim(name), TORCH)
    assert outcome.case is not None
    assert claim(name).holds(outcome.case) is False


@pytest.mark.parametrize("name", ["theorem-1", "theorem-3-floor"])
def test_pytorch_in_float64_does_what_the_claim_says_where_no_sum_is_rounded(name):
    """Multiples of 1/64 of a dyadic threshold add up exactly in float64, so the real claim must hold."""
    one = claim(name)
    for time_steps in (1, 2, 4, 8):
        for sixty_fourths in range(0, 65, 3):
            case = {"threshold": np.float64(1), "time_steps": time_steps, "v_init": np.float64(0.25)}
            current = np.float64(sixty_fourths / 64)
            per_step = any(variable.per for variable in one.variables)
            case["current"] = (current,) * time_steps if per_step else current
            assert one.holds(case, TORCH) is True, case


@pytest.mark.parametrize(
    ("one", "name"),
    [(one, name) for one in TESTABLE for name in one.mutants if one.arithmetic == "real"],
    ids=lambda value: value if isinstance(value, str) else value.id,
)
def test_a_mutant_is_refuted_by_generated_cases_too(one, name):
    assert check(one, one.mutants[name](), examples=300).evidence.verdict is Verdict.REFUTED


def test_a_failing_case_shrinks_to_the_paper_s_own_exception():
    case = check(claim("theorem-2-printed"), seed=7).case
    assert case is not None
    assert (case["time_steps"], case["threshold"], case["v_init"], case["current"]) == (1, 1, 1, (1,))


def test_somebody_s_hard_reset_is_refuted_and_the_sentence_shows_the_numbers():
    def hard_reset(currents, threshold, v_init):
        steps = ResetsToZero().run(currents, v_init, IFParameters(threshold))
        return [step.spike for step in steps], [step.v for step in steps]

    outcome = check(claim("theorem-3-floor"), Implementation(neuron=hard_reset))
    assert outcome.evidence.verdict is Verdict.REFUTED
    assert "time_steps = " in str(outcome)
    assert "current = " in str(outcome)


def test_nothing_generated_is_unknown_and_never_tested():
    impossible = replace(claim("theorem-1"), assumptions=lambda case, subject: [False])
    assert check(impossible, examples=20).evidence.verdict is Verdict.UNKNOWN


def test_bfloat16_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"'bfloat16' cannot be tested"):
        check(claim("theorem-1"), arithmetic="bfloat16")


def test_what_an_implementation_leaves_out_is_the_references():
    only_activation = Implementation(activation=torch_activation)
    assert check(claim("conservation"), only_activation, examples=20).evidence.verdict is Verdict.TESTED
    only_neuron = Implementation(neuron=torch_neuron)
    assert check(claim("level-scaling"), only_neuron, examples=20).evidence.verdict is Verdict.TESTED


def test_an_outcome_reads_as_a_sentence_with_every_value_of_its_case():
    assert str(check(claim("floor-law"), examples=20)).startswith("floor-law: TESTED on ")
    streaming = str(check(claim("theorem-3-floor-streaming")))
    assert "REFUTED" in streaming
    assert "current = (" in streaming
    in_floats = str(check(claim("theorem-3-floor-float32-T6")))
    assert "current = 0.8333333" in in_floats
    assert "(0x1.aaaaa" in in_floats
