"""What the command is told, for every experiment that asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Data and networks to run on, and how to report progress."""

    data: str = "digits"  # as `--data` of the audit
    models: tuple[Path, ...] = ()  # checkpoints; small networks are trained on digits where there is none
    limit: int | None = None  # images
    time_steps: int = 32  # the largest T
    seed: int = 0
    on_progress: Callable[[str, int, int], None] = lambda what, done, total: None
