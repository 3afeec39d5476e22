from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest

from qvm_verify import reference
from qvm_verify.reproduce import worst_case
from qvm_verify.reproduce.worst_case import envelope, extreme_trains

TIME_STEPS = 4


def brute_force(weight, counts, *, threshold, v_init, time_steps, bias=0):
    """Run the reference neuron on all Π_i C(T, n_i) orders."""
    places = [list(combinations(range(time_steps), n)) for n in counts]
    found = set()
    for fired in product(*places):
        currents = [
            bias + sum(w for w, at in zip(weight, fired, strict=True) if t in at) for t in range(time_steps)
        ]
        steps = reference.if_steps(currents, v_init, reference.IFParameters(threshold=threshold))
        found.add(int(reference.count_spikes(steps)))
    return min(found), max(found)


def drawn(seed, inputs=3):
    rng = np.random.default_rng(seed)
    weight = [Fraction(int(w), 4) for w in rng.integers(-8, 9, inputs)]
    counts = rng.integers(0, TIME_STEPS + 1, inputs)
    threshold = Fraction(int(rng.integers(1, 7)), 4)
    v_init = threshold * Fraction(int(rng.integers(0, 5)), 4)
    return (
        weight,
        counts,
        {"threshold": threshold, "v_init": v_init, "bias": Fraction(int(rng.integers(-2, 3)), 4)},
    )


@pytest.mark.parametrize("seed", range(150))
def test_the_closed_form_is_what_every_order_tried_gives(seed):
    weight, counts, rest = drawn(seed)
    found = envelope(np.array([weight], dtype=object), counts, time_steps=TIME_STEPS, **rest)
    assert (found.smallest[0], found.largest[0]) == brute_force(
        weight, counts.tolist(), time_steps=TIME_STEPS, **rest
    )


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_the_extremes_are_attained_by_trains_with_those_counts(seed, largest):
    weight, counts, rest = drawn(seed, inputs=6)
    trains = extreme_trains(np.array(weight), counts, TIME_STEPS, largest=largest)
    assert trains.sum(0).tolist() == counts.tolist()
    currents = [rest["bias"] + sum(np.array(weight)[row]) for row in trains]
    steps = reference.if_steps(currents, rest["v_init"], reference.IFParameters(threshold=rest["threshold"]))
    found = envelope(np.array([weight], dtype=object), counts, time_steps=TIME_STEPS, **rest)
    assert reference.count_spikes(steps) == (found.largest if largest else found.smallest)[0]


def test_brute_force_tells_a_wrong_closed_form_apart(monkeypatch):
    cumulative = worst_case.cumulative
    monkeypatch.setattr(worst_case, "cumulative", lambda n, t, *, early: cumulative(n, t, early=True))
    weight, counts, rest = (
        [Fraction(1), Fraction(-1)],
        [2, 2],
        {"threshold": Fraction(1), "v_init": Fraction(0)},
    )
    wrong = envelope(np.array([weight], dtype=object), counts, time_steps=4, **rest)
    assert brute_force(weight, counts, time_steps=4, **rest) == (0, 2)
    assert (wrong.smallest[0], wrong.largest[0]) != (0, 2)


def test_random_orders_stay_inside():
    rng = np.random.default_rng(0)
    weight, counts = rng.uniform(-1, 1, (50, 20)), rng.integers(0, 9, 20)
    bounds = envelope(weight, counts, threshold=1.0, v_init=0.5, time_steps=8)
    widths = []
    for _ in range(50):
        currents = reference.spike_currents(weight, reference.random_spikes(counts, 8, rng), 1.0)
        n = reference.simulate(
            currents, v_init=0.5, parameters=reference.IFParameters(threshold=1.0)
        ).spike_count
        assert ((bounds.smallest <= n) & (n <= bounds.largest)).all()
        widths.append(n)
    assert (np.max(widths, 0) > np.min(widths, 0)).any()


def test_a_count_that_does_not_fit_into_the_time_steps_is_refused():
    with pytest.raises(ValueError, match=r"must lie in \[0, 4\], got 5"):
        envelope([[1.0]], [5], threshold=1.0, v_init=0.0, time_steps=4)
