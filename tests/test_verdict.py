from itertools import combinations_with_replacement

import pytest

from qvm_verify.exits import Exit, exit_for
from qvm_verify.verdict import Counterexample, Evidence, Verdict, merge

V = Verdict


def evidence(verdict):
    return Evidence(claim="c", arithmetic="float32", verdict=verdict, inputs=7, domain="all float16")


def test_verdicts_are_ordered_from_worst_to_best():
    assert V.REFUTED < V.ERROR < V.UNKNOWN < V.TESTED < V.EXHAUSTED < V.PROVED
    assert len(V) == 6


@pytest.mark.parametrize("pair", list(combinations_with_replacement(V, 2)))
def test_the_worst_verdict_wins_in_either_order(pair):
    assert merge(map(evidence, pair)) is merge(map(evidence, reversed(pair))) is min(pair)


def test_no_evidence_is_unknown_and_never_better():
    assert merge([]) is V.UNKNOWN


def test_tested_says_how_often_and_exhausted_over_what():
    with pytest.raises(ValueError, match="number of inputs"):
        Evidence(claim="c", arithmetic="float32", verdict=V.TESTED)
    with pytest.raises(ValueError, match="number of inputs"):
        Evidence(claim="c", arithmetic="float32", verdict=V.TESTED, inputs=0)
    with pytest.raises(ValueError, match="domain"):
        Evidence(claim="c", arithmetic="float32", verdict=V.EXHAUSTED)


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (V.TESTED, "TESTED on 7 inputs in float32"),
        (V.EXHAUSTED, "EXHAUSTED over all float16 in float32"),
        (V.PROVED, "PROVED in float32"),
        (V.REFUTED, "REFUTED in float32"),
    ],
)
def test_evidence_is_printed_with_its_scope_and_nothing_tested_reads_as_proved(verdict, text):
    assert str(evidence(verdict)) == text


def test_every_verdict_has_its_exit_code():
    assert {v.name: int(exit_for(v)) for v in V} == {
        "REFUTED": 1,
        "ERROR": 3,
        "UNKNOWN": 4,
        "TESTED": 0,
        "EXHAUSTED": 0,
        "PROVED": 0,
    }
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 4]


def counterexample(**changes):
    zero = (0.0).hex()
    content = {
        "id": "C1",
        "mode": "shadow",
        "site": "act",
        "input": 3,
        "neuron": (1, 2),
        "dtype": "float32",
        "quantizer": "floor",
        "levels": 4,
        "activation_threshold": (1.0).hex(),
        "activation_current": zero,
        "threshold": (1.0).hex(),
        "v_init": zero,
        "time_steps": 4,
        "firing": ">=",
        "reset": "reset_by_subtraction",
        "currents": (zero,) * 4,
        "level": 1,
        "spike_count": 2,
        "reference_level": 1,
        "reference_spike_count": 2,
    }
    return Counterexample(**(content | changes))


def test_a_counterexample_reads_as_one_line_that_names_neuron_image_and_counts():
    assert str(counterexample()) == "act[1, 2], image 3 (shadow): M = 1 of L = 4, N = 2 of T = 4"


def test_a_counterexample_says_where_the_reference_sees_something_else():
    assert str(counterexample(reference_spike_count=1)) == (
        "act[1, 2], image 3 (shadow): M = 1 of L = 4, N = 2 of T = 4 (the reference: M = 1, N = 1)"
    )
    assert str(counterexample(level=None)).endswith("(the reference: M = 1, N = 2)")
