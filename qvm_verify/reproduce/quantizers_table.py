"""Table 4: the numbers of Figure 4 at T = 1, 2, 4, 8, 16, 32."""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from qvm_verify.reproduce.curves import COLUMNS, Curve, batches_of, curve, subjects
from qvm_verify.reproduce.outcome import Facts, Outcome
from qvm_verify.reproduce.quantizers import LEVELS, QUANTIZERS, V_INITS, compared, on_which
from qvm_verify.reproduce.settings import Settings

TIME_STEPS = (1, 2, 4, 8, 16, 32)


def run(settings: Settings) -> Outcome:
    """Return Table 4 on the data at hand."""
    chosen = subjects(settings, [("digits_cnn", quantizer, LEVELS) for quantizer in QUANTIZERS])
    batches = batches_of(settings)
    curves = [
        curve(subject, v_init, batches, TIME_STEPS, replace(settings, time_steps=max(TIME_STEPS)))
        for subject in chosen
        for v_init in V_INITS
    ]
    facts = Facts()
    return Outcome(
        name="table4",
        title="Table 4: three quantizers, three initial potentials",
        columns=COLUMNS,
        rows=[row for one in curves for row in one.rows()],
        facts=facts,
        paragraph=f"{on_which(curves, settings, facts)} {compared(curves, facts)}",
        figure=_figure(curves),
    )


def _figure(curves: list[Curve]) -> Figure:
    """Return the table as a picture: a line for each quantizer and V0, a column for each T."""
    figure = Figure(figsize=(7, 0.32 * len(curves) + 1.2), layout="constrained")
    axis = figure.subplots()
    shares = [[100 * right / one.images for right in one.correct] for one in curves]
    image = axis.imshow(shares, aspect="auto", vmin=0, vmax=100, cmap="viridis")
    for line, one in enumerate(curves):
        for column, share in enumerate(shares[line]):
            colour = "white" if share < 60 else "black"
            axis.text(column, line, one.at(TIME_STEPS[column]), ha="center", va="center", color=colour)
    axis.set_xticks(range(len(TIME_STEPS)), [str(t) for t in TIME_STEPS])
    names = [f"{one.subject.quantizer}, L = {one.subject.levels}, V0 = {one.v_init:g} θ" for one in curves]
    axis.set_yticks(range(len(curves)), names)
    axis.set_xlabel("time-steps T")
    figure.colorbar(image, label="accuracy (%)")
    return figure
