"""What the plan of the house promises about its files, and that the linter looks at all of them."""

import inspect
import tomllib
from itertools import chain
from pathlib import Path

import pytest

import qvm_verify

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "qvm_verify"
FILES = sorted(
    [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_about_one_thing_and_of_readable_length(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 320


def test_the_folders_at_the_top_are_links_into_the_package():
    for name in ("reference", "proofs"):
        if (PACKAGE / name).exists():
            assert (ROOT / name).is_symlink()
            assert (ROOT / name).resolve() == (PACKAGE / name).resolve()


def test_no_public_function_bears_the_name_of_a_submodule():
    submodules = {path.stem for path in PACKAGE.iterdir()}
    functions = {name for name in qvm_verify.__all__ if not inspect.ismodule(getattr(qvm_verify, name))}
    assert not functions & submodules


def test_the_linter_excludes_no_file_of_the_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    for pattern in settings.get("exclude", []) + settings.get("extend-exclude", []):
        # a bare name excludes every folder of that name, at any depth
        assert not any(pattern in path.relative_to(ROOT).parts for path in FILES), pattern


def test_the_version_of_every_test_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower()
    names = [
        line.split(">=")[0]
        for line in [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
        if not line.startswith("qvm-verify")
    ]
    assert names
    missing = [name for name in names if f"{name.lower()}==" not in pinned]
    assert missing == []
