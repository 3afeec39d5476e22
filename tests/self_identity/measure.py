"""How many implementations are lossless beside themselves."""

from __future__ import annotations

from tests.scorecard.part import Effort, Line, Part, Table
from tests.self_identity.implementations import IDENTITIES


def measure(effort: Effort) -> Part:
    """Hold every implementation against itself."""
    found = {}
    for number, (name, compare) in enumerate(IDENTITIES.items(), start=1):
        effort.on_progress(f"{number} of {len(IDENTITIES)}: {name}")
        found[name] = compare()
    good = sum(compared.lossless for compared in found.values())
    rows = tuple(
        (name, compared.how, f"{compared.inputs:,}", "yes" if compared.lossless else "NO")
        for name, compared in found.items()
    )
    return Part(
        title="Self-identity",
        lines=(Line("implementations lossless beside themselves", len(found), good),),
        wrong_verdicts=len(found) - good,
        tables=(Table("Every implementation", ("what", "compared by", "inputs", "lossless"), rows),),
    )
