"""Activations that conversion left behind.

A spiking network has no nonlinearity but its neurons and its max-pools. Every other one that runs between
the sites, as a module or as a function call, was not converted, and a verdict on the sites would be silent
about it. The operations are seen as they run, so no spelling escapes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

NONLINEAR = frozenset(
    {
        "abs",
        "celu",
        "clamp",
        "clamp_max",
        "clamp_min",
        "elu",
        "erf",
        "exp",
        "gelu",
        "glu",
        "hardsigmoid",
        "hardswish",
        "hardtanh",
        "leaky_relu",
        "log_sigmoid",
        "log_sigmoid_forward",
        "maximum",
        "minimum",
        "mish",
        "prelu",
        "relu",
        "relu6",
        "rrelu",
        "rrelu_with_noise",
        "selu",
        "sigmoid",
        "sign",
        "silu",
        "softplus",
        "softshrink",
        "square",
        "tanh",
        "threshold",
    }
)
"""The element-wise ATen operations that networks use as activations; trailing "_" and overloads aside."""


def unconverted_activations(
    network: nn.Module, sites: dict[str, nn.Module], x: Tensor
) -> list[tuple[str, str]]:
    """Run `network` on x and return (module, operation) for every nonlinearity outside its sites."""
    watch = _Watch()
    with ExitStack() as stack:
        for name, module in network.named_modules():
            enter, leave = watch.hooks(name or "(network)", inside_site=(name or "(network)") in sites)
            stack.callback(module.register_forward_pre_hook(enter).remove)
            stack.callback(module.register_forward_hook(leave).remove)
        with watch:
            network(x)
    return list(dict.fromkeys(watch.found))


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own class is untyped
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[tuple[str, str]] = []
        self._path: list[str] = []
        self._sites_entered = 0

    def hooks(self, name: str, *, inside_site: bool) -> tuple[Callable[..., None], Callable[..., None]]:
        """Return the hooks that keep track of which module is running."""

        def enter(module: nn.Module, inputs: Any) -> None:
            self._path.append(name)
            self._sites_entered += inside_site

        def leave(module: nn.Module, inputs: Any, output: Any) -> None:
            self._path.pop()
            self._sites_entered -= inside_site

        return enter, leave

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        operation = func.overloadpacket.__name__.rstrip("_")
        if operation in NONLINEAR and not self._sites_entered:
            self.found.append((self._path[-1] if self._path else "(network)", operation))
        return func(*args, **(kwargs or {}))
