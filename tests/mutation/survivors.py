"""The mutants that no test can or should kill, each with its reason: `survivors.toml`."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXPLANATIONS = Path(__file__).with_name("survivors.toml")


@dataclass(frozen=True)
class Change:
    """What a mutant is, whatever number the tool gives it: lines of one function, before and after."""

    file: str  # from the root of the project
    function: str  # with its class: "Certificate._evidence"
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.function}: `{self.before}` becomes `{self.after}`"


def explained() -> dict[Change, str]:
    """Return the reason of every explained survivor. Raises ValueError where one is explained twice."""
    entries = tomllib.loads(EXPLANATIONS.read_text(encoding="utf-8"))["survivor"]
    reasons: dict[Change, str] = {}
    for entry in entries:
        for after in entry["after"]:
            change = Change(entry["file"], entry["function"], entry["before"], after)
            if change in reasons:
                raise ValueError(f"explained twice: {change}")
            reasons[change] = entry["reason"]
    return reasons


def lines_of(file: str, function: str) -> list[str]:
    """Return the lines of a function without their indentation; none where there is no such function."""
    path = ROOT / file
    if not path.exists():
        return []
    source = path.read_text(encoding="utf-8")
    scope: list[ast.stmt] = ast.parse(source).body
    for name in function.split("."):
        found = [
            node for node in scope if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name
        ]
        if not found:
            return []
        scope = found[0].body
    lines = source.splitlines()[found[0].lineno - 1 : found[0].end_lineno]
    return [line.strip() for line in lines]


def is_current(change: Change) -> bool:
    """Tell whether the lines that a change would replace are still in its function."""
    wanted, lines = change.before.split("\n"), lines_of(change.file, change.function)
    return any(lines[start : start + len(wanted)] == wanted for start in range(len(lines)))
