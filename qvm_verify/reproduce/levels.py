"""Figure 5: the number of levels L against the number of time-steps T, with floor and V0 = 0."""

from __future__ import annotations

from matplotlib.figure import Figure

from qvm_verify.reproduce.curves import COLUMNS, ON_DIGITS, Curve, batches_of, curve, subjects
from qvm_verify.reproduce.outcome import Facts, Outcome
from qvm_verify.reproduce.quantizers import compared, on_which
from qvm_verify.reproduce.settings import Settings
from qvm_verify.snn import MATCHED_V_INIT

LEVELS = (4, 6, 8)


def run(settings: Settings) -> Outcome:
    """Return Figure 5 on the data at hand; each network with the V0 that its quantizer wants."""
    steps = range(1, settings.time_steps + 1)
    chosen = subjects(settings, [(name, "floor", levels) for levels in LEVELS for name in ON_DIGITS])
    batches = batches_of(settings)
    curves = [
        curve(subject, MATCHED_V_INIT[subject.quantizer], batches, steps, settings) for subject in chosen
    ]
    at_levels = [one for one in curves if one.subject.levels in one.time_steps]
    optimal = sum(
        one.correct[one.time_steps.index(one.subject.levels)] == max(one.correct) for one in at_levels
    )
    facts = Facts()
    paragraph = (
        f"{on_which(curves, settings, facts)} No T has more images right than T = L in "
        f"{facts('curves with T = L an optimum', optimal)} of {facts('curves', len(at_levels))} curves. "
        f"{compared(curves, facts)}"
    )
    return Outcome(
        name="fig5",
        title=f"Figure 5: levels L against time-steps T = 1 to {settings.time_steps}",
        columns=COLUMNS,
        rows=[row for one in curves for row in one.rows()],
        facts=facts,
        paragraph=paragraph,
        figure=_figure(curves),
    )


def _figure(curves: list[Curve]) -> Figure:
    every = sorted({one.subject.levels for one in curves})
    figure = Figure(figsize=(4.2 * len(every), 4.2), layout="constrained")
    axes = figure.subplots(1, len(every), sharey=True, squeeze=False)[0]
    for axis, levels in zip(axes, every, strict=True):
        for colour, one in enumerate(one for one in curves if one.subject.levels == levels):
            accuracy = [100 * right / one.images for right in one.correct]
            name = f"{one.subject.name}, {one.subject.quantizer}"
            axis.plot(one.time_steps, accuracy, marker=".", color=f"C{colour}", label=name)
            ann = 100 * one.ann_correct / one.images
            axis.axhline(ann, color=f"C{colour}", linestyle="--", linewidth=1)
        axis.axvline(levels, color="tab:red", linewidth=1)
        axis.set_title(f"L = {levels} (dashed: the ANN; red: T = L)", fontsize="medium")
        axis.set_xlabel("time-steps T")
        axis.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.18))  # hides no curve
    axes[0].set_ylabel("accuracy (%)")
    return figure
