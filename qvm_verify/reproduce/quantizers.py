"""Figure 4: each quantizer under each initial potential, over the number of time-steps."""

from __future__ import annotations

from matplotlib.figure import Figure

from qvm_verify.reproduce.curves import COLUMNS, Curve, Subject, batches_of, curve, subjects
from qvm_verify.reproduce.outcome import Facts, Outcome
from qvm_verify.reproduce.settings import Settings
from qvm_verify.snn import MATCHED_V_INIT, Quantizer

QUANTIZERS: tuple[Quantizer, ...] = ("floor", "round", "ceil")
V_INITS = (0.0, 0.5, 1.0)
LEVELS = 8


def run(settings: Settings) -> Outcome:
    """Return Figure 4 on the data at hand."""
    steps = range(1, settings.time_steps + 1)
    chosen = subjects(settings, [("digits_cnn", quantizer, LEVELS) for quantizer in QUANTIZERS])
    batches = batches_of(settings)
    curves = [curve(subject, v_init, batches, steps, settings) for subject in chosen for v_init in V_INITS]
    facts = Facts()
    return Outcome(
        name="fig4",
        title=f"Figure 4: three quantizers, three initial potentials, T = 1 to {settings.time_steps}",
        columns=COLUMNS,
        rows=[row for one in curves for row in one.rows()],
        facts=facts,
        paragraph=f"{on_which(curves, settings, facts)} {compared(curves, facts)}",
        figure=_figure(curves, chosen),
    )


def on_which(curves: list[Curve], settings: Settings, facts: Facts) -> str:
    """Return the sentence that says what was measured."""
    steps = curves[0].time_steps
    return (
        f"On {settings.data} ({facts('images', curves[0].images)} images), "
        f"T from {facts('smallest T', steps[0])} to {facts('largest T', steps[-1])}."
    )


def compared(curves: list[Curve], facts: Facts) -> str:
    """Return a sentence for each network: the ANN, the best T with the matched V0, T = L, the other V0."""
    return " ".join(
        _compared([one for one in curves if one.subject is subject], facts)
        for subject in dict.fromkeys(one.subject for one in curves)
    )


def _compared(own: list[Curve], facts: Facts) -> str:
    subject = own[0].subject
    matched = next(one for one in own if one.v_init == MATCHED_V_INIT[subject.quantizer])
    key = f"{subject.name}, {subject.quantizer}, L = {subject.levels}"

    def fact(name: str, value: object) -> str:
        return facts(f"{key}: {name}", value)

    sentence = (
        f"{subject.name} with {subject.quantizer} and L = {fact('L', subject.levels)}: the ANN has "
        f"{fact('ANN', matched.ann_correct)} images right; with the matched V0 = "
        f"{fact('V0', matched.v_init)} θ the most are right at T = {fact('best T', matched.best)}, "
        f"{fact('right at the best T', max(matched.correct))}"
    )
    if subject.levels in matched.time_steps:
        right = matched.correct[matched.time_steps.index(subject.levels)]
        like = "as many as" if right == matched.ann_correct else "not as many as"
        optimum = "an optimum" if right == max(matched.correct) else "not the optimum"
        sentence += f", and {fact('right at T = L', right)} at T = L, {like} the ANN: T = L is {optimum}"
    others = [max(one.correct) for one in own if one.v_init != matched.v_init]
    if others:
        sentence += f"; with another V0 at most {fact('right with another V0', max(others))} at any T"
    return sentence + "."


def _figure(curves: list[Curve], chosen: list[Subject]) -> Figure:
    figure = Figure(figsize=(4.2 * len(chosen), 3.4), layout="constrained")
    axes = figure.subplots(1, len(chosen), sharey=True, squeeze=False)[0]
    for axis, subject in zip(axes, chosen, strict=True):
        for one in curves:
            if one.subject is subject:
                accuracy = [100 * right / one.images for right in one.correct]
                axis.plot(one.time_steps, accuracy, marker=".", label=f"V0 = {one.v_init:g} θ")
                ann = 100 * one.ann_correct / one.images
        axis.axhline(ann, color="grey", linestyle="--", linewidth=1, label="ANN")
        axis.axvline(subject.levels, color="tab:red", linewidth=1, label="T = L")
        axis.set_title(f"{subject.name}, {subject.quantizer}, L = {subject.levels}")
        axis.set_xlabel("time-steps T")
    axes[0].set_ylabel("accuracy (%)")
    axes[-1].legend(fontsize="small")
    return figure
