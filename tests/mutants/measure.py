"""How many planted faults an audit refutes, localises and replays; how many sound variations it passes."""

from __future__ import annotations

from collections.abc import Sequence

from tests.mutants.catalogue import FAMILIES, FAULTS, VARIATIONS, Fault, Variation
from tests.mutants.examine import Outcome, audited, examine
from tests.scorecard.part import Effort, Line, Part, Table

Examined = Sequence[tuple[Fault, Outcome]]
Passed = Sequence[tuple[Variation, str]]


def measure(effort: Effort) -> Part:
    """Plant every fault of the catalogue, and audit every sound variation."""
    examined, passed = [], []
    for number, fault in enumerate(FAULTS, start=1):
        effort.on_progress(f"fault {number} of {len(FAULTS)}: {fault.name}")
        examined.append((fault, examine(fault)))
    for number, variation in enumerate(VARIATIONS, start=1):
        effort.on_progress(f"variation {number} of {len(VARIATIONS)}: {variation.name}")
        passed.append((variation, audited(variation).verdict))
    return part_of(examined, passed)


def part_of(examined: Examined, passed: Passed) -> Part:
    """Return what the scorecard shows of these outcomes."""
    missed = sum(outcome.verdict == "lossless" for _, outcome in examined)
    alarms = sum(verdict == "not-lossless" for _, verdict in passed)
    return Part(
        title="Planted faults",
        lines=(*_fault_lines(examined), _sound_line(passed, alarms)),
        wrong_verdicts=missed + alarms,
        tables=(_by_family(examined), _every_fault(examined), _by_kind(passed)),
        remarks=(
            "Localised: the first site that fails is the planted one; for a fault between sites, the next "
            "one. A counterexample is REPRODUCED from its numbers alone, by the reference and by PyTorch. It "
            "is UNSEEN where the numbers are right and only the module's code is wrong, which the report "
            "cannot hold.",
        ),
    )


def _fault_lines(examined: Examined) -> list[Line]:
    expected = {
        status: [o for f, o in examined if f.replays == status] for status in ("REPRODUCED", "UNSEEN", "none")
    }
    silent = f"{len(expected['none'])} have no neuron to replay, and say why"
    return [
        Line(
            "planted faults refuted",
            len(examined),
            sum(o.refuted for _, o in examined),
            f"in {len({f.family for f, _ in examined})} families",
        ),
        Line("planted faults localised", len(examined), sum(o.localised for _, o in examined)),
        Line(
            "planted faults with a counterexample that replays",
            len(expected["REPRODUCED"]),
            sum(o.replayed for o in expected["REPRODUCED"]),
            silent,
        ),
        Line(
            "faults of a module's code, shown as UNSEEN",
            len(expected["UNSEEN"]),
            sum("UNSEEN" in o.statuses for o in expected["UNSEEN"]),
            "the report has no code: its numbers are right",
        ),
    ]


def _sound_line(passed: Passed, alarms: int) -> Line:
    return Line(
        "sound variations passed as lossless",
        len(passed),
        sum(verdict == "lossless" for _, verdict in passed),
        f"false alarms: {alarms}",
    )


def _by_family(examined: Examined) -> Table:
    rows = []
    for family in FAMILIES:
        found = [(f, o) for f, o in examined if f.family == family]
        numbers = (
            len(found),
            sum(o.refuted for _, o in found),
            sum(o.localised for _, o in found),
            sum(o.replayed for _, o in found),
            sum(f.replays == "UNSEEN" and "UNSEEN" in o.statuses for f, o in found),
            sum("certificate" in o.found_by for _, o in found),
        )
        rows.append((family, *map(str, numbers)))
    headings = ("family", "planted", "refuted", "localised", "REPRODUCED", "UNSEEN", "by certificate, too")
    return Table("Detection by family", headings, tuple(rows))


def _every_fault(examined: Examined) -> Table:
    rows = tuple(
        (
            fault.family,
            fault.name,
            outcome.verdict,
            outcome.site or "-",
            ", ".join(outcome.found_by),
            next((status for status in ("REPRODUCED", "UNSEEN") if status in outcome.statuses), fault.why),
        )
        for fault, outcome in examined
    )
    return Table("Every planted fault", ("family", "fault", "verdict", "site", "found by", "replay"), rows)


def _by_kind(passed: Passed) -> Table:
    kinds = dict.fromkeys(variation.kind for variation, _ in passed)
    rows = []
    for kind in kinds:
        verdicts = [verdict for variation, verdict in passed if variation.kind == kind]
        rows.append((kind, str(len(verdicts)), str(verdicts.count("lossless"))))
    return Table("Sound variations", ("kind", "tried", "lossless"), tuple(rows))
