"""Re-execute the counterexamples of a report: `python -m qvm_verify.replay`."""

from qvm_verify.replay.judges import Judgement, Status, judge
from qvm_verify.report.reading import counterexamples_of
from qvm_verify.verdict import Counterexample

__all__ = ["Judgement", "Status", "counterexamples_of", "judge", "replay"]


def replay(counterexample: Counterexample) -> bool:
    """Tell whether a counterexample comes out again as the report has it."""
    return judge(counterexample).status is Status.REPRODUCED
