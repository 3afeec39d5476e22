from typing import NamedTuple

from tests.mutation.measure import summary
from tests.mutation.survivors import Change

EXCUSED = Change("qvm_verify/reference/ops.py", "cast", "a = 1", "a = 2")
LEFT = Change("qvm_verify/reference/neuron.py", "if_step", "b = 1", "b = 2")


class Mutant(NamedTuple):
    file: str
    outcome: str
    change: Change = LEFT


MUTANTS = [
    *[
        Mutant("qvm_verify/reference/neuron.py", what)
        for what in ("killed", "killed", "timed out", "survived")
    ],
    Mutant("qvm_verify/reference/ops.py", "survived", EXCUSED),
    Mutant("qvm_verify/reference/ops.py", "crashed"),
    Mutant("qvm_verify/verdict.py", "killed"),
    Mutant("qvm_verify/verdict.py", "not reached"),
]


def test_a_room_counts_killed_timed_out_crashed_and_explained_apart_and_a_survivor_against_it():
    reference, verdict = summary(MUTANTS, {EXCUSED: "equivalent"}).lines
    assert (reference.what, reference.tried, reference.good) == ("mutants of reference", 6, 5)
    assert reference.note == "2 killed, 1 timed out, 1 crashed, 1 explained"
    assert (verdict.what, verdict.tried, verdict.good) == ("mutants of verdict.py", 1, 1)
    assert verdict.note == "1 killed, 1 more not reached"


def test_the_tables_name_every_file_every_reason_and_every_survivor_without_one():
    files, excused, left = summary(MUTANTS, {EXCUSED: "equivalent"}).tables
    assert files.headings == (
        "file",
        "killed",
        "survived",
        "timed out",
        "crashed",
        "not reached",
        "explained",
    )
    assert files.rows == (
        ("qvm_verify/reference/neuron.py", "2", "1", "1", "0", "0", "0"),
        ("qvm_verify/reference/ops.py", "0", "1", "0", "1", "0", "1"),
        ("qvm_verify/verdict.py", "1", "0", "0", "0", "1", "0"),
    )
    assert excused.rows == ((str(EXCUSED), "equivalent"),)
    assert left.rows == ((str(LEFT),),)
