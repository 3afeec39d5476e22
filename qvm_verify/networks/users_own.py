"""A network of the user's own code, named as "package.module:factory"."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any

from torch import nn

from qvm_verify.exits import InputError

DESCRIBED = ("levels", "quantizer", "classes")
"""The keywords that a factory is called with, if it accepts them."""


def build_users_own(name: str, **known: Any) -> nn.Module:
    """Return what the factory `name` makes of what is `known` of levels, quantizer and classes (not None).

    The working folder is searched first, as `python -m` does. Raises InputError where the factory cannot be
    imported, needs what is not known, raises, or returns no module.
    """
    factory = _imported(name)
    keywords = _accepted(name, factory, {key: known.get(key) for key in DESCRIBED})
    try:
        network = factory(**keywords)
    except Exception as error:  # it is anybody's code
        raise InputError(f"--arch {name}: the factory raised {_in_a_line(error)}") from error
    if not isinstance(network, nn.Module):
        raise InputError(
            f"--arch {name}: the factory returned something of type {type(network).__name__}, not a module"
        )
    return network


def _imported(name: str) -> Callable[..., Any]:
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise InputError(f"--arch {name}: must be package.module:factory")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # it is anybody's code
        raise InputError(f"--arch {name}: cannot be imported: {_in_a_line(error)}") from error
    if not callable(factory):
        raise InputError(f"--arch {name}: is of type {type(factory).__name__}, and cannot be called")
    return factory  # type: ignore[no-any-return]  # what getattr returns is anything


def _accepted(name: str, factory: Callable[..., Any], known: dict[str, Any]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # a callable without a signature gets nothing
        return {}
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    for key, value in known.items():
        if value is None and key in named and named[key].default is inspect.Parameter.empty:
            how = "which this file does not tell" if key == "classes" else f"give --{key}"
            raise InputError(f"--arch {name}: the factory needs {key}; {how}")
    return {key: value for key, value in known.items() if value is not None and (takes_all or key in named)}


def _in_a_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
