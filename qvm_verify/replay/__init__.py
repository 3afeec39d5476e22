"""Re-execute the counterexamples of a report: `python -m qvm_verify.replay`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qvm_verify.lazy_names import lazily

if TYPE_CHECKING:
    from qvm_verify.replay.judges import Judgement, Status, judge
    from qvm_verify.report.reading import counterexamples_of
    from qvm_verify.verdict import Counterexample

__all__ = ["Judgement", "Status", "counterexamples_of", "judge", "replay"]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Judgement": "qvm_verify.replay.judges",
        "Status": "qvm_verify.replay.judges",
        "counterexamples_of": "qvm_verify.report.reading",
        "judge": "qvm_verify.replay.judges",
    },
)


def replay(counterexample: Counterexample) -> bool:
    """Tell whether a counterexample comes out again as the report has it."""
    from qvm_verify.replay import judges

    return judges.judge(counterexample).status is judges.Status.REPRODUCED
