"""Names of a package that are imported when they are first used.

A package that imports what it offers at once cannot be told to stop meanwhile: `python -m PACKAGE` imports
PACKAGE before its `__main__` can take care of anything, an interrupt for one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package; `homes` has the module of each name.

    A name without a home ("") is a module of the package itself.
    """

    def resolve(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        return getattr(import_module(home), name) if home else import_module(f"{package}.{name}")

    return resolve, lambda: sorted(homes)
