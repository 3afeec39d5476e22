import re
from pathlib import Path

from qvm_verify.exits import Exit, run_command
from qvm_verify.reproduce.paper.__main__ import command
from qvm_verify.reproduce.paper.report import report
from qvm_verify.reproduce.paper.sentences import sentences

COMMITTED = Path(__file__).parents[2] / "reports" / "paper.md"


def test_the_committed_report_is_what_the_code_makes():
    assert COMMITTED.read_text(encoding="utf-8") == report(), "run: python -m qvm_verify.reproduce.paper"


def test_inconsistencies_come_before_everything_that_was_checked():
    text = report()
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert headings[0] == "Inconsistencies"
    assert headings[-1] == "Every sentence with a number"
    assert text.index("is 9.70, not 9.30") < text.index("## What the tables show")


def test_every_link_leads_to_a_sentence():
    links = set(re.findall(r"\]\(#([^)]*)\)", report()))
    assert links
    assert links <= {one.id for one in sentences()}


def test_the_command_writes_the_report_and_says_what_it_found(tmp_path, capsys):
    path = tmp_path / "new" / "paper.md"
    assert command(["--report", str(path)]) is Exit.AS_EXPECTED
    assert path.read_text(encoding="utf-8") == report()
    assert capsys.readouterr().out.startswith("13 of 67 sentences contradict")


def test_a_folder_that_cannot_be_written_is_one_sentence_and_exit_code_2(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run_command(command, ["--report", str(tmp_path / "file" / "paper.md")]) == Exit.BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1
