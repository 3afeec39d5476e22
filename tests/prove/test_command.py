import json
import subprocess
import sys
from pathlib import Path

import pytest

from qvm_verify.claims import claim
from qvm_verify.exits import Exit, InputError, run_command
from qvm_verify.proofs import real, session
from qvm_verify.proofs.judge import Judgement
from qvm_verify.proofs.solvers import discharge
from qvm_verify.proofs.witness import Witness
from qvm_verify.prove.command import command, exit_code, export
from qvm_verify.verdict import Evidence, Verdict


def judgement(name: str, verdict: Verdict, *, witnessed: bool = False) -> Judgement:
    evidence = Evidence(claim=name, arithmetic="real", verdict=verdict)
    witness = Witness({"z": 1}) if witnessed else None
    return Judgement(
        claim=claim(name), evidence=evidence, witness=witness, solvers={}, questions=1, seconds=0
    )


AS_EXPECTED = judgement("theorem-1", Verdict.PROVED)
REFUTED = judgement("theorem-2-printed", Verdict.REFUTED, witnessed=True)


@pytest.mark.parametrize(
    ("judgements", "expected"),
    [
        ([AS_EXPECTED, REFUTED], Exit.AS_EXPECTED),
        ([AS_EXPECTED, judgement("theorem-2", Verdict.REFUTED, witnessed=True)], Exit.COUNTEREXAMPLE),
        ([AS_EXPECTED, judgement("theorem-2", Verdict.UNKNOWN)], Exit.INCONCLUSIVE),
        ([judgement("theorem-2-printed", Verdict.REFUTED)], Exit.INCONCLUSIVE),
        ([judgement("theorem-2-printed", Verdict.PROVED)], Exit.INCONCLUSIVE),
        (
            [judgement("theorem-2", Verdict.REFUTED, witnessed=True), judgement("theorem-1", Verdict.ERROR)],
            Exit.CONTRADICTION,
        ),
        ([], Exit.INCONCLUSIVE),
    ],
)
def test_exit_codes(judgements: list[Judgement], expected: Exit) -> None:
    assert exit_code(judgements) is expected


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["theorem-9"], "unknown claim 'theorem-9'"),
        (["theorem-1", "--solvers", "z3,yices"], "unknown solver 'yices'"),
        (["--solvers", ""], "unknown solver ''"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(command, arguments) == Exit.BAD_INPUT
    assert complaint in capsys.readouterr().err


def test_a_claim_is_proved_with_what_it_rests_on(tmp_path: Path) -> None:
    assert command(["theorem-2", "theorem-2-printed", "--report", str(tmp_path)]) is Exit.AS_EXPECTED
    content = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    verdicts = {one["id"]: one["verdict"] for one in content["claims"]}
    assert verdicts == {
        "scaling": "PROVED",
        "level-scaling": "PROVED",
        "theorem-2": "PROVED",
        "theorem-2-printed": "REFUTED",
    }
    (refuted,) = [one for one in content["claims"] if one["verdict"] == "REFUTED"]
    assert refuted["witness"] == {"time_steps": "1", "threshold": "1", "v_init": "1", "current": ["1"]}
    (proved,) = [one for one in content["claims"] if one["id"] == "theorem-2"]
    assert proved["certificates"] == proved["certifiable"] == 3
    assert set(proved["answered"]) == {"z3", "cvc5"}


def test_a_missing_solver_is_said_aloud_and_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("qvm_verify.prove.command.available_solvers", lambda: ("z3",))
    assert command(["theorem-1", "--report", str(tmp_path)]) is Exit.AS_EXPECTED
    assert "cvc5 is not installed" in capsys.readouterr().err
    content = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    assert set(content["claims"][0]["answered"]) == {"z3"}


def test_no_solver_at_all_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qvm_verify.prove.command.available_solvers", lambda: ())
    assert command(["floor-law"]) is Exit.INCONCLUSIVE


def test_what_a_claim_rests_on_comes_before_it() -> None:
    names = [one.id for one in session.with_used([claim("section-6.3-only-at-L")])]
    assert names == ["scaling", "level-scaling", "theorem-3-floor-every-current", "section-6.3-only-at-L"]


def test_the_command_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "qvm_verify.prove", "floor-law"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "1 of 1 claims as expected" in done.stdout


def test_every_obligation_is_exported_as_a_file_that_another_solver_answers(tmp_path: Path) -> None:
    obligations = {"theorem-1": real.obligations(claim("theorem-1"))}
    files = sorted(export(obligations, tmp_path / "smtlib").iterdir())
    assert len(files) == len(obligations["theorem-1"])
    for path, obligation in zip(files, obligations["theorem-1"], strict=True):
        assert f"; expected: {obligation.expect}" in path.read_text(encoding="utf-8")
        assert discharge(path.read_text(encoding="utf-8"), "cvc5", 20.0).status == obligation.expect


def test_an_unknown_claim_is_refused_with_those_that_are_close() -> None:
    with pytest.raises(InputError, match="did you mean theorem-1"):
        command(["theorem1"])


def test_the_ledger_of_what_was_asked_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "claims.md"
    assert run_command(command, ["floor-law", "--ledger", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert "floor-law" in text
    assert "PROVED" in text
