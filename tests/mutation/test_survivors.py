import pytest

from tests.mutation.survivors import Change, explained, is_current, lines_of

EXPLAINED = explained()
THETA = Change("qvm_verify/reference/neuron.py", "if_step", "u = v + current", "u = v - current")


@pytest.mark.parametrize("change", EXPLAINED, ids=str)
def test_a_survivor_is_explained_only_while_its_code_exists(change):
    assert is_current(change)


@pytest.mark.parametrize("change", EXPLAINED, ids=str)
def test_an_explanation_changes_something_and_says_why_nobody_minds(change):
    assert change.before != change.after
    assert len(EXPLAINED[change].split()) >= 4


def test_an_explanation_goes_stale_with_its_line_its_function_and_its_file():
    assert is_current(THETA)
    assert not is_current(Change(THETA.file, THETA.function, "u = v + charge", THETA.after))
    assert not is_current(Change(THETA.file, "count_spikes", THETA.before, THETA.after))
    assert not is_current(Change("qvm_verify/reference/gone.py", THETA.function, THETA.before, THETA.after))


def test_a_method_is_found_within_its_class():
    assert lines_of("qvm_verify/reference/ops.py", "NumpyOps.floor")[0].startswith("def floor(self")
    assert lines_of("qvm_verify/reference/ops.py", "NumpyOps.gone") == []
