"""How many faults in the verifier's own code its tests notice: mutation testing, by mutmut.

Trying every mutant takes hours, and mutmut remembers what it has tried. So `measure` reads the results that
mutmut has of the code as it is now, function by function, and runs it only where it has none at all. What an
interrupted run has not reached is counted as such. To go on with it, or to try survivors again by name:

    HYPOTHESIS_PROFILE=mutation mutmut run --max-children 1 [NAME ...]
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from tests.mutation.survivors import Change, explained
from tests.scorecard.part import Effort, Line, Part, Table

if TYPE_CHECKING:
    from tests.mutation.results import Mutant

OUTCOMES = ("killed", "survived", "timed out", "crashed", "not reached")


def measure(effort: Effort) -> Part:
    """Return how many mutants of each room were killed, or are explained one by one."""
    from tests.mutation import results  # mutmut is needed to measure, not to test

    def work() -> Part:
        effort.on_progress("making the mutants of the code as it is")
        results.generate()
        if all(mutant.outcome == "not reached" for mutant in results.mutants()):
            effort.on_progress("mutmut tries every mutant, which takes hours")
            results.run()
        effort.on_progress("reading the results of mutmut")
        return summary(list(results.mutants()), explained())

    return results.in_the_project(work)


def summary(mutants: Sequence[Mutant], reasons: Mapping[Change, str]) -> Part:
    """Return the part of the scorecard for these mutants, given the reasons why some survive."""
    survivors = [(mutant, mutant.change) for mutant in mutants if mutant.outcome == "survived"]
    left = [str(change) for _, change in survivors if change not in reasons]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant in mutants:
        counts[mutant.file][mutant.outcome] += 1
    for mutant, change in survivors:
        counts[mutant.file]["explained"] += change in reasons
    rooms: dict[str, Counter[str]] = defaultdict(Counter)
    for file, count in counts.items():
        rooms["/".join(PurePath(file).parts[1:2])].update(count)
    rows = tuple((file, *(str(counts[file][what]) for what in (*OUTCOMES, "explained"))) for file in counts)
    excused = tuple((str(change), reasons[change]) for _, change in survivors if change in reasons)
    return Part(
        title="Mutation testing",
        lines=tuple(_line(room, count) for room, count in rooms.items()),
        tables=(
            Table("Mutants, file by file", ("file", *OUTCOMES, "explained"), rows),
            Table("Survivors that are explained", ("mutant", "reason"), excused),
            Table("Survivors that are not", ("mutant",), tuple((change,) for change in left)),
        ),
        remarks=(
            "Mutants are made by mutmut: one changed operator, number, string, argument or assignment in a "
            "function. Code outside functions, such as the table of the claims, and the bodies of properties "
            "are not mutated. A room is held by its own tests, without those that take minutes.",
        ),
    )


def _line(room: str, count: Counter[str]) -> Line:
    """Return the line of a room. A mutant that hangs or breaks an import is noticed, but counted apart."""
    noticed = {what: count[what] for what in ("killed", "timed out", "crashed", "explained")}
    tried = sum(count[what] for what in OUTCOMES) - count["not reached"]
    parts = [f"{number} {what}" for what, number in noticed.items() if number]
    if count["not reached"]:
        parts.append(f"{count['not reached']} more not reached")
    return Line(f"mutants of {room}", tried, sum(noticed.values()), ", ".join(parts))
