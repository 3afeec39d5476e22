"""The files that hold checkpoints, read without running anything that they hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import torch
from torch import Tensor

from qvm_verify.exits import InputError
from qvm_verify.torch_files import load_tensors

NESTS = ("state_dict", "model", "net", "model_state_dict")
"""Where training scripts put the state dict beside their epoch and optimizer."""
WRAPPERS = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""


class Stored(NamedTuple):
    """The content of a file: `header` is empty for a bare state dict, whose order may be lost."""

    header: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    ordered: bool  # as the modules were defined


def read(path: Path) -> Stored:
    """Return what a file holds. Raises InputError where it is missing, truncated, or holds anything else."""
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder, not a checkpoint' if path.is_dir() else 'no such file'}")
    stored = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    for name, tensor in stored.tensors.items():
        if not _is_plain(tensor):
            raise InputError(f"{path}: {name!r} is no plain tensor of numbers")
    return stored


def _read_torch(path: Path) -> Stored:
    content = load_tensors(path)
    if isinstance(content, dict) and isinstance(content.get("header"), dict):
        header, content = content["header"], content.get("weights")
        if isinstance(content, dict) and _is_state_dict(content):
            return Stored(header, content, ordered=True)
    for _ in NESTS:  # a nest may hold another, and a hostile one itself
        if not isinstance(content, dict) or _is_state_dict(content):
            break
        content = next((content[name] for name in NESTS if name in content), None)
    if not _is_state_dict(content):
        raise InputError(f"{path}: holds no header with levels and quantizer, and is no state dict either")
    return Stored({}, _unwrapped(content), ordered=True)


def _read_safetensors(path: Path) -> Stored:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: not readable as safetensors (truncated, or of another kind)") from error
    ours = "levels" in header or str(header.get("format", "")).startswith("qvm-verify/")
    return Stored(header, tensors, False) if ours else Stored({}, _unwrapped(tensors), ordered=False)


def _is_plain(tensor: Tensor) -> bool:
    """Tell whether every number of a tensor is there: views may repeat one number a trillion times."""
    if tensor.layout is not torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
        return False
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def _is_state_dict(content: Any) -> bool:
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(name, str) and isinstance(item, Tensor) for name, item in content.items())
    )


def _unwrapped(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return the tensors by the names that the network itself gave them."""
    for wrapper in WRAPPERS:
        if tensors and all(name.startswith(wrapper) for name in tensors):
            return _unwrapped({name.removeprefix(wrapper): tensor for name, tensor in tensors.items()})
    return tensors
