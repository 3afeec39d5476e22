"""What a report says in words, the same words in every format.

Every function takes the content of `report.json` and returns plain text; escaping is up to the format.
"""

from __future__ import annotations

from typing import Any

from qvm_verify.report.reading import counterexample_of
from qvm_verify.verdict import Evidence, Verdict

Content = dict[str, Any]

MEANINGS = {
    Verdict.REFUTED: "there is a counterexample, and it was replayed before it was printed",
    Verdict.ERROR: "the tool contradicts itself: two judges disagree, or a counterexample does not replay",
    Verdict.UNKNOWN: "something was not looked at, or could not be decided",
    Verdict.TESTED: "held on every input that was tried; says nothing of any other input",
    Verdict.EXHAUSTED: "holds for every input of the finite domain that is named",
    Verdict.PROVED: "holds for every input, in the arithmetic that is named and in no other",
}
"""What each verdict means, from worst to best."""


def verdict_sentence(content: Content) -> str:
    """Return why the verdict is what it is."""
    if content["verdict"] == "lossless":
        return (
            f"N = M at every neuron of every site on these {content['output']['samples']} images, and the "
            f"scores are equal. {_nearest(content)}TESTED in {content['environment']['dtype']}; this says "
            "nothing of other images."
        )
    worst = min((Verdict[claim["verdict"]] for claim in content["claims"]), default=Verdict.UNKNOWN)
    reasons = [claim["detail"] for claim in content["claims"] if claim["verdict"] == worst.name]
    text = ". ".join(reasons)
    if content["verdict"] == "not-lossless":
        where = content["first_divergence"]
        names = ", ".join(f"{mode}: {site}" for mode, site in where.items() if site is not None)
        return f"{text}. First diverging layer — {names}."
    return f"{worst.name}: {text}."


def facts(content: Content) -> list[str]:
    """Return what else is worth knowing, a line each; lines on single sites are indented."""
    lines = [_latency_fact(content), _accuracy_fact(content), *_reference_facts(content)]
    return [line for line in [*lines, *_certificate_facts(content)] if line]


def finding_sentence(finding: Content) -> str:
    """Return what forbids the verdict `lossless`."""
    return f"{finding['site']} {finding['sentence']} ({finding['kind']})"


def counterexample_sentence(item: Content) -> str:
    """Return where M and N differ, and what they are."""
    return str(counterexample_of(item))


def scope_of(claim: Content) -> str:
    """Return a verdict with what it rests on: "TESTED on 360 inputs in float32", never the bare word."""
    return str(Evidence(**{**claim, "verdict": Verdict[claim["verdict"]]}))


def _nearest(content: Content) -> str:
    """Return how near the data came to a decision boundary, where a firing rule would show."""
    rows = content["layers"]
    margins = [(row["margin_ulps"], row["site"]) for row in rows if row["margin_ulps"] is not None]
    if not margins:
        return ""
    margin, site = min(margins)
    return f"The nearest current came within {margin} ulp of a decision boundary, at {site}. "


def _latency_fact(content: Content) -> str:
    sites, steps, total = (content["latency"][key] for key in ("sites", "time_steps", "total_steps"))
    if not sites:
        return ""
    each = "different time-steps" if steps is None else f"{steps} time-steps"
    why = (
        "layers overlap"
        if content["currents"] == "streaming"
        else "Eq. 9 needs the whole spike count of the layer before"
    )
    return f"latency: {total} steps, for {sites} sites of {each}: {why}"


def _accuracy_fact(content: Content) -> str:
    output = content["output"]
    what = "classes" if content["currents"] == "streaming" else "scores"
    different = f"{what} differ on {output['mismatches']}"
    if output["ann_correct"] is None or output["snn_correct"] is None:
        return f"{different} of {output['samples']} images"
    labelled = output["labelled"]
    ann, snn = output["ann_correct"] / labelled, output["snn_correct"] / labelled
    return f"accuracy: ANN {ann:.2%}, SNN {snn:.2%} of {labelled} images; {different}"


def _reference_facts(content: Content) -> list[str]:
    reference = content["reference"]
    worst = reference["worst_share_of_bound"]
    share = "" if worst is None else f" (the worst uses {worst:.1%} of it)"
    lines = [
        f"reference: {reference['neuron_mismatches']} of {reference['neurons_checked']} sampled neurons "
        f"differ in a bit; {reference['sums_outside_bound']} of {reference['sums_checked']} sampled sums "
        f"leave their error bound{share}"
    ]
    if reference["unchecked"]:
        lines.append(f"not held against the reference: {', '.join(reference['unchecked'])}")
    return lines


def mending(entry: Content) -> str:
    """Return what would mend a site that fails on some numbers, as far as the audit looked."""
    repair = entry["repair"]
    how = "bisection" if entry["method"] == "boundary" else "sweeps"
    return f"mended by: {repair['change']}" if repair else f"no repair found by {how}"


def _first_hit(content: Content, site: str) -> str:
    """Return at which image and neuron the data first hit a failing number of a site."""
    for c in content["counterexamples"]:
        if (c["site"], c["mode"]) == (site, "shadow"):
            return f", first at image {c['input']}, neuron {c['neuron']} ({c['id']})"
    return ""


def _certificate_facts(content: Content) -> list[str]:
    entries = content["certificate"]
    decided = [entry for entry in entries if entry["mismatching_inputs"] is not None]
    if not decided:
        reasons = sorted({entry["detail"] for entry in entries})
        return [f"certificate: no site is decided for every number: {'; '.join(reasons)}"] if reasons else []
    failing = [entry for entry in decided if entry["mismatching_inputs"]]
    lines = [
        f"certificate: N = M for every {decided[0]['dtype']} number at {len(decided) - len(failing)} of "
        f"{len(entries)} sites, by {decided[0]['method']} ({decided[0]['rests_on']})"
    ]
    for entry in failing:
        nearest = entry["nearest_ulps"]
        near = "" if nearest is None else f", the others stay {nearest} ulp away"
        first = "".join(f", first {interval['first']}" for interval in entry["mismatches"][:1])
        lines.append(
            f"  {entry['site']} fails on {entry['mismatching_inputs']} numbers{first}; the data hit "
            f"{entry['reached']}{_first_hit(content, entry['site'])}{near}; {mending(entry)}"
        )
    composition = content["composition"]
    lines.append(f"whole network: {composition['verdict']}: {composition['detail']}")
    return lines
