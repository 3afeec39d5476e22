"""Activations that conversion left behind.

A spiking network has no nonlinearity but its neurons and its max-pools. Any other one that runs between the
sites, as a module or as a function call, was not converted, and a verdict on the sites would be silent about
it. So the operations are seen as they run, and each must be known to be linear, a pooling, or a matter of
shape; whatever is not on the list is reported, however it is spelled.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

LINEAR = frozenset(
    {
        "_adaptive_avg_pool2d",
        "_native_batch_norm_legit",
        "_native_batch_norm_legit_no_training",
        "adaptive_avg_pool2d",
        "add",
        "addmm",
        "avg_pool2d",
        "batch_norm",
        "bmm",
        "cat",
        "constant_pad_nd",
        "conv2d",
        "convolution",
        "cudnn_batch_norm",
        "cudnn_convolution",
        "cumsum",
        "linear",
        "matmul",
        "mean",
        "miopen_batch_norm",
        "mkldnn_convolution",
        "mm",
        "mv",
        "native_batch_norm",
        "neg",
        "reflection_pad2d",
        "replication_pad2d",
        "rsub",
        "sub",
        "sum",
        "upsample_bilinear2d",
        "upsample_nearest2d",
    }
)
POOLING = frozenset({"adaptive_max_pool2d", "max_pool2d", "max_pool2d_with_indices"})
SHAPE = frozenset(
    {
        "_reshape_alias",
        "_to_copy",
        "_unsafe_view",
        "alias",
        "as_strided",
        "chunk",
        "clone",
        "contiguous",
        "copy",
        "detach",
        "dropout",
        "empty",
        "empty_like",
        "expand",
        "flatten",
        "flip",
        "im2col",
        "index_select",
        "narrow",
        "ones",
        "ones_like",
        "permute",
        "pixel_shuffle",
        "pixel_unshuffle",
        "repeat",
        "reshape",
        "roll",
        "select",
        "slice",
        "split",
        "split_with_sizes",
        "squeeze",
        "stack",
        "t",
        "transpose",
        "unbind",
        "unflatten",
        "unfold",
        "unsqueeze",
        "view",
        "zeros",
        "zeros_like",
    }
)
SCORES = frozenset({"_log_softmax", "_softmax", "log_softmax", "softmax"})
SCALING = frozenset({"mul", "div"})
"""ATen operations that need no conversion; scaling only by a number or a parameter."""

BRANCHING = frozenset({"_local_scalar_dense", "equal", "is_nonzero"})
"""Operations that hand a computed value to Python, which may decide by it what runs next."""


def unconverted_activations(
    network: nn.Module, sites: dict[str, nn.Module], x: Tensor
) -> dict[str, list[str]]:
    """Run `network` on x; return the operations outside its sites that are not known, by module."""
    watch = _Watch({tensor.data_ptr() for tensor in (*network.parameters(), *network.buffers())})
    with ExitStack() as stack:
        for name, module in network.named_modules():
            enter, leave = watch.hooks(name or "(network)", inside_site=(name or "(network)") in sites)
            stack.callback(module.register_forward_pre_hook(enter).remove)
            stack.callback(module.register_forward_hook(leave).remove)
        with watch:
            network(x)
    found: dict[str, list[str]] = {}
    for module_name, operation in dict.fromkeys(watch.found):
        found.setdefault(module_name, []).append(operation)
    return found


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own class is untyped
    def __init__(self, parameters: set[int]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[tuple[str, str]] = []
        self._parameters = parameters
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
        if not self._sites_entered and not self._needs_no_conversion(operation, args):
            self.found.append((self._path[-1] if self._path else "(network)", operation))
        return func(*args, **(kwargs or {}))

    def _needs_no_conversion(self, operation: str, args: Any) -> bool:
        if operation in SCALING:
            return any(not isinstance(factor, Tensor) or self._is_constant(factor) for factor in args[:2])
        return operation in LINEAR | POOLING | SHAPE | SCORES

    def _is_constant(self, factor: Tensor) -> bool:
        return factor.numel() == 1 or factor.data_ptr() in self._parameters
