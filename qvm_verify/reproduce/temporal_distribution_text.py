"""What Figure 6 says, compared with what A.1 prints."""

from __future__ import annotations

from qvm_verify.reproduce.outcome import Facts
from qvm_verify.reproduce.unevenness import NEURONS, SEED, TIME_STEPS, Choice, Measured, Scenario

PRINTED_ERROR: dict[Scenario, float] = {  # A.1, subfigures (e) to (h)
    "random": 0.1430,
    "uniform": 0.0912,
    "ANN input": 0.0,
    "expected current": 0.0,
}
PRINTED_R: dict[Scenario, float] = {  # A.1, subfigures (a) to (d)
    "random": 0.971,
    "uniform": 0.944,
    "ANN input": 1.0,
    "expected current": 1.0,
}
TRAINS: tuple[Scenario, ...] = ("random", "uniform")
Results = dict[Choice, dict[Scenario, Measured]]


def paragraph(main: Choice, measured: dict[Scenario, Measured], others: Results, facts: Facts) -> str:
    """Return all sentences: on the choices of `main`, on each scenario, and on all `others`."""
    trials = len(measured["random"].errors)
    return " ".join(
        (
            _chosen(main, trials, facts),
            *(_against_print(one, facts) for one in measured.values()),
            _which_belongs(measured, facts),
            _sensitivity(others, facts),
            _nearest_setting(others, facts),
            _constant_currents(others, facts),
        )
    )


def _chosen(choice: Choice, trials: int, facts: Facts) -> str:
    return (
        f"{facts('neurons', NEURONS)} neurons, {facts('trials', trials)} trials, seed {facts('seed', SEED)}, "
        f"T = L = {facts('T', TIME_STEPS)}. The paper does not say how many inputs there are, how a "
        "fractional count becomes spikes, when evenly spaced ones start, or which quantizer is used; here "
        f"{facts('inputs', choice.inputs)} inputs, counts rounded to the nearest with the ANN seeing the "
        f"rounded ones (a = φ at the input), uniform trains {choice.phase}, and {choice.quantizer} with its "
        "V0."
    )


def _against_print(one: Measured, facts: Facts) -> str:
    def fact(name: str, value: object) -> str:
        return facts(f"{one.scenario}: {name}", value)

    return (
        f"{one.scenario[0].upper()}{one.scenario[1:]}: mean |a - φ| {fact('error', one.error[0])} ± "
        f"{fact('standard deviation of the error', one.error[1])} (printed "
        f"{fact('printed error', PRINTED_ERROR[one.scenario])}), R = {fact('R', one.correlation[0])} ± "
        f"{fact('standard deviation of R', one.correlation[1])} (printed "
        f"{fact('printed R', PRINTED_R[one.scenario])})."
    )


def nearest(value: float, measured: dict[Scenario, Measured], what: str) -> Scenario:
    """Return which of the two spike trains comes nearest to a printed value of "error" or "correlation"."""
    return min(TRAINS, key=lambda scenario: abs(getattr(measured[scenario], what)[0] - value))


def _which_belongs(measured: dict[Scenario, Measured], facts: Facts) -> str:
    sentences = []
    for what, name, printed in (("error", "error", PRINTED_ERROR), ("correlation", "R", PRINTED_R)):
        for scenario in TRAINS:
            found = nearest(printed[scenario], measured, what)
            verdict = "as printed" if found == scenario else f"not with {scenario}, where it is printed"
            value = facts(f"{scenario}: printed {name}", printed[scenario])
            sentences.append(f"the printed {name} {value} goes with {found}, {verdict}")
    return f"By what is nearest, {'; '.join(sentences)}."


def _sensitivity(others: Results, facts: Facts) -> str:
    trials = len(next(iter(others.values()))["random"].errors)
    inputs = [choice.inputs for choice in others]
    ordered = sum(of["uniform"].error[0] < of["random"].error[0] for of in others.values())
    correlated = sum(of["uniform"].correlation[0] > of["random"].correlation[0] for of in others.values())
    printed = sum(
        of["uniform"].error[0] < of["random"].error[0]
        and of["uniform"].correlation[0] < of["random"].correlation[0]
        for of in others.values()
    )
    return (
        f"In {facts('settings', len(others))} settings of {facts('trials of a setting', trials)} trials each "
        f"({facts('fewest inputs', min(inputs))} to {facts('most inputs', max(inputs))} inputs, three "
        "treatments of fractions, three quantizers, uniform trains that start at once or half an interval "
        "later) the uniform trains have the smaller error in "
        f"{facts('settings with a smaller error of uniform', ordered)} and the higher R in "
        f"{facts('settings with a higher R of uniform', correlated)}; the printed combination, less error at "
        f"a lower R, occurs in {facts('settings with the printed combination', printed)}."
    )


def _misses(measured: dict[Scenario, Measured], *, exchanged: bool) -> float:
    """Return by how much the four printed numbers of both trains are missed at most.

    `exchanged` reads each printed R as that of the other train.
    """
    of_r = dict(zip(TRAINS, TRAINS[::-1] if exchanged else TRAINS, strict=True))
    return max(
        max(
            abs(measured[train].error[0] - PRINTED_ERROR[train]),
            abs(measured[train].correlation[0] - PRINTED_R[of_r[train]]),
        )
        for train in TRAINS
    )


def _nearest_setting(others: Results, facts: Facts) -> str:
    sentences = []
    for exchanged, reading in ((False, "as printed"), (True, "with the two R exchanged")):
        missed = {choice: _misses(of, exchanged=exchanged) for choice, of in others.items()}
        best = min(missed, key=missed.__getitem__)
        sentences.append(
            f"{reading}, the setting that comes nearest misses none by more than "
            f"{facts(f'{reading}: largest miss', missed[best])} "
            f"({facts(f'{reading}: inputs', best.inputs)} inputs, {best.counts}, {best.quantizer}, "
            f"uniform trains {best.phase})"
        )
    return f"The four printed numbers of both trains: {'; '.join(sentences)}."


def _constant_currents(others: Results, facts: Facts) -> str:
    wrong = {
        quantizer: max(of["ANN input"].error[0] for c, of in others.items() if c.quantizer == quantizer)
        for quantizer in ("floor", "round", "ceil")
    }
    lossless = max(of["expected current"].error[0] for of in others.values())
    return (
        f"The expected current errs by at most {facts('largest error of the expected current', lossless)} in "
        "any setting; the ANN's output as current by "
        f"{facts('ANN input: largest error with floor', wrong['floor'])} with floor, "
        f"{facts('ANN input: largest error with round', wrong['round'])} with round, but "
        f"{facts('ANN input: largest error with ceil', wrong['ceil'])} with ceil, whose V0 = θ fires once "
        "too often on a whole z."
    )
