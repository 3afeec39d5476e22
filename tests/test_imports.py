"""Who may import whom, as the plan of the house has it, and that `import qvm_verify` stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import qvm_verify

PACKAGE = Path(qvm_verify.__file__).parent

ROOMS = {  # room: (other rooms, third-party packages) that it may import
    "reference": (set(), {"numpy"}),
    "verdict": (set(), set()),
    "exits": ({"verdict"}, set()),
    "lazy_names": (set(), set()),
    "loading": ({"exits"}, {"torch"}),
    "option_types": (set(), set()),
    "progress_bars": (set(), {"rich"}),
    "devices": ({"exits"}, {"torch"}),
    "whole_files": ({"exits"}, set()),
    "zips": ({"exits"}, set()),
    "plain_pickle": ({"exits"}, set()),
    "torch_files": ({"exits", "plain_pickle", "zips"}, {"torch"}),
    "snn": (set(), {"torch"}),
    "networks": ({"snn", "exits", "torch_files", "whole_files"}, {"torch", "safetensors"}),
    "datasets": ({"exits", "plain_pickle", "zips"}, {"torch", "numpy", "PIL", "sklearn"}),
    "calibration": ({"snn", "exits"}, {"torch"}),
    "folding": ({"snn", "exits", "verdict"}, {"torch"}),
    "training": ({"snn", "exits", "loading", "torch_files", "whole_files"}, {"torch", "numpy", "PIL"}),
    "train": (
        {
            "devices",
            "progress_bars",
            "option_types",
            "calibration",
            "datasets",
            "exits",
            "networks",
            "snn",
            "training",
            "whole_files",
        },
        {"torch", "rich"},
    ),
    "reproduce": (
        {
            *("audit", "calibration", "datasets", "exits", "networks", "option_types", "reference"),
            *("progress_bars", "report", "snn", "training", "whole_files"),
        },
        {"matplotlib", "numpy", "rich", "torch"},
    ),
    "report": (
        {"verdict", "exits", "lazy_names", "whole_files"},
        {"jsonschema", "rich", "jinja2", "markupsafe"},
    ),
    "certificate": ({"snn", "exits", "verdict"}, {"torch"}),
    "counterexamples": ({"reference", "verdict"}, {"numpy"}),
    "claims": ({"reference", "verdict"}, set()),
    "conformance": ({"claims", "reference", "verdict"}, {"hypothesis", "numpy"}),
    "proofs": ({"claims", "reference", "verdict"}, {"bitwuzla", "cvc5", "numpy", "sympy", "z3"}),
    "prove": (
        {"progress_bars", "option_types", "claims", "proofs", "exits", "verdict", "whole_files"},
        {"rich"},
    ),
    "pytest_plugin": (
        {"audit", "counterexamples", "exits", "networks", "option_types", "report"},
        {"pytest"},
    ),  # all but pytest when asked for
    "replay": (
        {"counterexamples", "networks", "report", "snn", "verdict", "exits", "lazy_names", "whole_files"},
        {"numpy", "torch"},  # torch only when it is asked for
    ),
}
HEAVY = [
    "torch",
    "numpy",
    "z3",
    "hypothesis",
    "sklearn",
    "jsonschema",
    "rich",
    "safetensors",
    "PIL",
    "jinja2",
]


def python_files(room):
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def imported(path):
    """Yield the dotted names of all modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from submodules if node.module == "qvm_verify" else [node.module]


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_imports_only_what_it_may(room):
    rooms, packages = ROOMS[room]
    assert python_files(room)
    for path in python_files(room):
        for name in imported(path):
            top, *rest = name.split(".")
            if top == "qvm_verify":
                assert rest[0] in rooms | {room}, f"{path} imports {name}"
            elif top not in sys.stdlib_module_names:
                assert top in packages, f"{path} imports {name}"


def test_the_converter_shares_nothing_with_the_reference_that_judges_it():
    for path in python_files("snn"):
        assert "reference" not in "".join(imported(path))
    for path in python_files("reference"):
        assert "torch" not in "".join(imported(path))


def test_every_room_that_exists_is_in_the_table_or_free_to_import_everything():
    free = {"audit", "__init__", "__main__"}
    rooms = {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - free == set(ROOMS)


def test_importing_the_package_loads_nothing_heavy_and_names_resolve_when_used():
    code = f"""
import sys, qvm_verify as qvm
loaded = [name for name in {HEAVY} if name in sys.modules]
assert not loaded, loaded
assert "verify" in dir(qvm)
assert qvm.reference.level and "torch" not in sys.modules
assert qvm.verify.__module__.startswith("qvm_verify.audit")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("name", qvm_verify.__all__)
def test_every_public_name_resolves(name):
    assert getattr(qvm_verify, name) is getattr(qvm_verify, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = qvm_verify.nothing
