"""The bars that every command shows while it works."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)


def progress_on(console: Console, *more: ProgressColumn) -> Progress:
    """Return bars that show how far the work is, on a terminal only, with `more` columns at their end."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        *more,
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
