import pytest

from qvm_verify.claims import CLAIMS, Claim, Subject, claim
from qvm_verify.proofs import witness
from qvm_verify.verdict import Verdict

REAL = [one for one in CLAIMS if one.arithmetic == "real"]
FLOAT = [one for one in CLAIMS if one.arithmetic != "real"]
MUTANTS = [pytest.param(one, m, id=f"{one.id}: {name}") for one in CLAIMS for name, m in one.mutants.items()]
REFUTED = [pytest.param(one, id=one.id) for one in CLAIMS if one.expected is Verdict.REFUTED]


def test_every_claim_has_an_id_of_its_own() -> None:
    assert len({one.id for one in CLAIMS}) == len(CLAIMS)


def test_every_claim_names_a_mutant() -> None:
    assert [one.id for one in CLAIMS if not one.mutants] == []


@pytest.mark.parametrize(
    ("name", "source", "says"),
    [
        ("theorem-3-round", "Theorem 3", "V_0 = θ/2 and 0 <= q <= θ imply N = clip(⌊z + 1/2⌋, 0, T)"),
        (
            "theorem-3-floor-streaming",
            "Theorem 3, without Eq. 9",
            "currents of any sign and size give N = clip(⌊Q_tot/θ⌋, 0, T), as constant ones do",
        ),
        (
            "theorem-3-round-streaming-bounded",
            "repair of Theorem 3",
            "0 <= q_t <= θ at every step implies N = clip(⌊Q_tot/θ + 1/2⌋, 0, T), whatever their order",
        ),
        (
            "theorem-3-floor-float32-T2",
            "Theorem 3",
            "Theorem 3 for floor at θ = 1, T = 2, for every current from 0 to θ",
        ),
        (
            "equation-10-floor-printed",
            "Eq. 10",
            "⌊V_0/θ + z⌋ = clip(floor(z), 0, T) for every real z, with the matched V_0",
        ),
        (
            "equation-10-ceil",
            "repair of Eq. 10",
            "clip(⌊V_0/θ + z⌋, 0, T) = clip(ceil(z), 0, T) for every real z that is no integer",
        ),
        ("equation-14", "Eq. 14", "|⌊z + δ⌋ - ⌊z⌋| <= ⌊|δ|⌋ + 1"),
    ],
)
def test_a_claim_that_is_put_together_says_what_it_is(name: str, source: str, says: str) -> None:
    assert (claim(name).source, claim(name).says) == (source, says)


def test_a_claim_has_a_smallest_counterexample_where_it_is_refuted_for_all_sizes_and_else_none() -> None:
    for one in CLAIMS:
        wanted = one.expected is Verdict.REFUTED and one.arithmetic == "real"
        assert bool(one.smallest) is wanted, one.id
        assert isinstance(one.smallest, dict)


def test_each_claim_about_streams_comes_before_its_repair() -> None:
    found = [one.id for one in CLAIMS if "streaming" in one.id]
    assert found == [
        f"theorem-3-{quantizer}-streaming{repair}"
        for quantizer in ("floor", "round")
        for repair in ("", "-bounded")
    ]


def test_claims_about_one_threshold_in_floats_stand_alone() -> None:
    for one in FLOAT:
        assert one.uses == ()
        assert list(one.mutants) == ["V0 too high", "one level down"]


def test_equation_14_rests_on_theorem_3_and_has_a_faulty_clip_where_it_clips() -> None:
    for sharp in ("", "-sharp"):
        plain, clipped = claim(f"equation-14{sharp}"), claim(f"equation-14{sharp}-clipped")
        assert (list(plain.mutants), plain.uses) == (["no + 1"], ())
        assert list(clipped.mutants) == ["no + 1", "doubled"]
        assert clipped.uses == ("theorem-3-floor-every-current",)


def test_repairs_and_what_a_proof_rests_on_are_claims_that_hold() -> None:
    for one in CLAIMS:
        for name in (*one.uses, *one.repaired_by):
            assert claim(name).expected is Verdict.PROVED, f"{one.id} -> {name}"


def test_every_refuted_statement_of_the_paper_has_a_repair() -> None:
    assert [one.id for one in REAL if one.expected is Verdict.REFUTED and not one.repaired_by] == []


@pytest.mark.parametrize(("one", "mutant"), MUTANTS)
def test_the_mutant_refutes_the_claim(one: Claim, mutant: type[Subject]) -> None:
    found = witness.first(one, mutant)
    assert found is not None
    assert one.holds(found.values, mutant()) is False


@pytest.mark.parametrize("one", REFUTED)
def test_the_counterexample_breaks_the_claim_on_the_reference(one: Claim) -> None:
    found = witness.first(one)
    assert found is not None
    assert one.holds(found.values) is False


@pytest.mark.parametrize("one", [pytest.param(one, id=one.id) for one in REAL])
def test_claims_expected_to_hold_have_no_small_counterexample(one: Claim) -> None:
    if one.expected is Verdict.PROVED:
        for sizes in (dict.fromkeys(witness.size_names(one), n) for n in (1, 2)):
            assert witness.simplest(one, sizes, largest=9) is None


def test_the_smallest_counterexample_of_theorem_2_is_one_step_at_full_potential() -> None:
    found = witness.first(claim("theorem-2-printed"))
    assert str(found) == "time_steps = 1, threshold = 1, v_init = 1, current = (1)"


def test_a_silent_input_breaks_theorem_3_for_ceil() -> None:
    found = witness.first(claim("theorem-3-ceil"))
    assert found is not None
    assert (found.values["time_steps"], found.values["current"]) == (1, 0)


def test_half_to_even_fails_at_one_half() -> None:
    found = witness.first(claim("theorem-3-round-half-even"))
    assert found is not None
    assert 2 * found.values["current"] == 1


def test_the_error_grows_with_one_more_step_at_four_levels() -> None:
    found = witness.first(claim("section-6.3-case-1"))
    assert found is not None
    assert (found.values["levels"], found.values["time_steps"]) == (4, 2)


def test_floor_at_six_steps_fails_at_one_float_only() -> None:
    found = witness.first(claim("theorem-3-floor-float32-T6"))
    assert found is not None
    assert float(found.values["current"]).hex() == "0x1.aaaaaa0000000p-1"


def test_the_values_of_a_variable_are_numbered_from_one() -> None:
    made: list[tuple[str, str]] = []
    claim("equation-15").case(lambda name, kind: made.append((name, kind)), {"time_steps": 3, "inputs": 2})
    assert made == [
        ("z", "number"),
        ("weight_1", "number"),
        ("weight_2", "number"),
        ("count_error_1", "integer"),
        ("count_error_2", "integer"),
    ]


def test_a_case_that_breaks_an_assumption_says_nothing() -> None:
    case = {"threshold": -1, "v_init": 0, "current": (0,), "time_steps": 1}
    assert claim("theorem-1").holds(case) is None
