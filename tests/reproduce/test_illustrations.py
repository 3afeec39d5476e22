import pytest

from qvm_verify import reference
from qvm_verify.reproduce import conversion_errors, current_traces
from qvm_verify.reproduce.settings import Settings


def test_panel_a_errs_by_unevenness_alone():
    matched, _ = conversion_errors.panels()
    assert matched.error(matched.constant) == (0, 0)
    assert matched.error(matched.uneven)[0] > 0


def test_panel_b_errs_under_the_constant_current_too_and_is_clipped():
    _, unmatched = conversion_errors.panels()
    assert unmatched.error(unmatched.constant, ~unmatched.clipped)[1] > 0
    assert unmatched.activation[-1] - unmatched.constant[-1] == pytest.approx(0.5)
    assert unmatched.error(unmatched.uneven)[0] > unmatched.error(unmatched.constant)[0]


def test_both_currents_of_figure_2_have_the_same_total_and_only_the_even_one_gives_the_level():
    found = current_traces.traces()
    assert found.uneven.sum() == pytest.approx(found.even.sum())
    uneven, even = found.counts
    assert even == found.level != uneven


def test_the_potential_of_figure_2_is_conserved():
    found = current_traces.traces()
    for current, simulation in ((found.uneven, found.of_uneven), (found.even, found.of_even)):
        assert simulation.residual == pytest.approx(
            reference.conserved_potential(
                v_init=0, total_current=current.sum(), threshold=1.0, spike_count=simulation.spike_count
            )
        )


def test_pictures_are_labelled_and_the_same_every_time(tmp_path):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        outcome = conversion_errors.run(Settings())
        outcome.write(tmp_path / folder)
    assert all(len(row) == len(outcome.columns) for row in outcome.rows)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name
    bottom = [axis for axis in outcome.figure.axes if axis.get_subplotspec().is_last_row()]
    assert all(axis.get_xlabel() for axis in bottom)
