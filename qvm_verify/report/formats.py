"""The other forms of a report, each made from the content of `report.json` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qvm_verify.report.html import render_html
from qvm_verify.report.junit import render_junit
from qvm_verify.report.markdown import render_markdown
from qvm_verify.whole_files import write_text

FORMATS = {"report.html": render_html, "report.md": render_markdown, "junit.xml": render_junit}


def save_formats(content: dict[str, Any], folder: str | Path) -> list[Path]:
    """Write every format into `folder` and return the paths.

    Raises InputError where the folder cannot be written.
    """
    paths = []
    for name, render in FORMATS.items():
        path = Path(folder) / name
        write_text(path, render(content))
        paths.append(path)
    return paths
