"""Writing and reading `report.json`."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema

from qvm_verify.exits import InputError, exit_for
from qvm_verify.report.model import SCHEMA, Report, verdict_word
from qvm_verify.verdict import Verdict
from qvm_verify.whole_files import write_text


def schema() -> dict[str, Any]:
    """Return the JSON Schema of `report.json`."""
    text = files("qvm_verify.report").joinpath("schema.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def save_report(report: Report, folder: str | Path) -> Path:
    """Write `report.json` into `folder` and return its path; the older one stays until this is whole.

    Raises InputError where the folder cannot be written.
    """
    path = Path(folder) / "report.json"
    content = plain(report.to_json())
    for counterexample in content["counterexamples"]:
        counterexample["replay"] = f"python -m qvm_verify.replay '{path}#{counterexample['id']}'"
    jsonschema.validate(content, schema())
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(path, text)
    return path


def plain(value: Any) -> Any:
    """Return `value` with tuples as lists and non-finite floats as None, which is all that JSON can hold."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


def read_report(path: str | Path) -> dict[str, Any]:
    """Return the content of a `report.json`.

    Raises InputError where the file is missing, is no JSON, or does not follow the schema.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is no file")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON file ({error})") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        other = content.get("schema") if isinstance(content, dict) else None
        what = f", but of {other!r}" if isinstance(other, str) else ""
        raise InputError(f"{path}: is no report of schema {SCHEMA!r}{what}")
    problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema()).iter_errors(content))
    if problem is not None:
        raise InputError(f"{path}: breaks the schema at {problem.json_path}: {problem.message[:200]}")
    worst = min((Verdict[claim["verdict"]] for claim in content["claims"]), default=Verdict.UNKNOWN)
    said = content["verdict"], content["exit_code"]
    if said != (verdict_word(worst), exit_for(worst)):
        raise InputError(
            f"{path}: says {said[0]} with exit code {said[1]}, and its worst claim is {worst.name}"
        )
    ids = [counterexample["id"] for counterexample in content["counterexamples"]]
    if len(set(ids)) != len(ids):
        raise InputError(f"{path}: has two counterexamples of one id")
    return content
