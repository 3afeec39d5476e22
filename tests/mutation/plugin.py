"""A pytest plugin for the runs of mutmut: which tests speak for which function, and the fast ones first."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from mutmut.state import state

import qvm_verify

# Few examples, no shrinking: a mutant that only the eightieth example kills is one that a test should name.
settings.register_profile(
    "mutation",
    derandomize=True,
    deadline=None,
    max_examples=25,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)

# A room is held by its own tests: what kills a mutant of the reference is a test of the reference.
HELD_BY = {
    "qvm_verify.verdict.": ("tests/test_verdict.py",),
    "qvm_verify.reference.": ("tests/reference/",),
    "qvm_verify.claims.": ("tests/claims/", "tests/proofs/"),
    "qvm_verify.certificate.": ("tests/certificate/",),
}
TOO_SLOW = (
    "single_float32",  # a minute; the sweeps of float16 take the same way
    "bfloat16",  # float16 asks the same
    "[equation-15: doubled]",
    "test_cvc5_agrees",
    "test_questions_are_the_same_text",
    "test_a_question_about_concrete_values",
)
CLAIMS = "qvm_verify.claims."
RESTS_ON_CLAIMS = ("qvm_verify.claims", "qvm_verify.proofs", "qvm_verify.conformance")
_at_import: set[str] = set()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Import the claims anew where one of their functions is mutated: many run while they are imported."""
    gc.freeze()  # what was imported before the fork stays; to look through it takes longer than the tests
    if os.environ.get("MUTANT_UNDER_TEST", "").startswith(CLAIMS):
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or ""
            if name.startswith(RESTS_ON_CLAIMS) or "/tests/claims/" in file or "/tests/proofs/" in file:
                del sys.modules[name]
                vars(qvm_verify).pop(name.removeprefix("qvm_verify."), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes seconds; run what is known to be fast first: one failing test ends a mutant."""
    slow = [item for item in items if any(name in item.nodeid for name in TOO_SLOW)]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]
    stats = Path("mutmut-stats.json")
    if stats.exists():
        seconds = json.loads(stats.read_text(encoding="utf-8"))["duration_by_test"]
        items.sort(key=lambda item: seconds.get(item.nodeid, 0))


def pytest_collection_finish() -> None:
    """Note the functions that ran while modules were imported: every test rests on them."""
    _at_import.update(state()._stats)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Leave to mutmut only those functions that this test speaks for."""
    reached = state()._stats | _at_import
    state()._stats.clear()
    state()._stats.update(name for name in reached if _speaks_for(item.nodeid, name))


def _speaks_for(test: str, function: str) -> bool:
    return any(function.startswith(room) and test.startswith(tests) for room, tests in HELD_BY.items())
