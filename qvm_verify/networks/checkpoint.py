"""Checkpoints: architecture, levels, quantizer and weights in one file, and never any code.

Two containers hold the same content: PyTorch's zip (`weights_only`), and safetensors for a `.safetensors`
name. The header is what a bare state dict lacks: without levels and quantizer no conversion can be judged.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from qvm_verify.exits import InputError
from qvm_verify.networks.architectures import Architecture, architecture_of, build
from qvm_verify.snn import QuantizedActivation
from qvm_verify.whole_files import written_whole

FORMAT = "qvm-verify/checkpoint/1"


def save(network: nn.Module, path: str | Path) -> None:
    """Write a network of `qvm_verify.networks` to `path`; the file appears whole or not at all.

    Raises ValueError for a network of another origin, which nothing would know how to build again, and for
    one that is not in float32, the precision of checkpoints.
    """
    architecture = architecture_of(network)
    if architecture is None:
        raise ValueError(
            f"{type(network).__name__} was not built by qvm_verify.networks, so no file can name it"
        )
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            raise ValueError(f"{name!r} is {tensor.dtype}; checkpoints are float32, so that no bit is lost")
    header = {"format": FORMAT, **architecture.header()}
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    path = Path(path)
    with written_whole(path) as temporary:
        if path.suffix == ".safetensors":
            metadata = {key: str(value) for key, value in header.items()}
            safetensors.torch.save_file(weights, temporary, metadata=metadata)
        else:
            torch.save({"header": header, "weights": weights}, temporary)


def load(path: str | Path) -> nn.Module:
    """Return the network of a checkpoint, in evaluation mode.

    Raises InputError, in one sentence that names the file, where it is missing, truncated, no checkpoint,
    holds code, names an unknown architecture, or carries weights that do not fit or are not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder, not a checkpoint' if path.is_dir() else 'no such file'}")
    header, weights = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    if header.get("format") != FORMAT:
        raise InputError(
            f"{path}: format {header.get('format')!r} is not {FORMAT!r}, so this tool cannot read it"
        )
    network = _skeleton(path, header)
    _check_weights(path, network.state_dict(), weights)
    network.load_state_dict(weights, assign=True)
    _check_thresholds(path, network)
    return network.eval()


def _skeleton(path: Path, header: Mapping[str, Any]) -> nn.Module:
    """Return the network that a header names, without memory for its weights: the header may be lying."""
    try:
        architecture = Architecture(
            name=header["name"],
            levels=_whole(header["levels"]),
            quantizer=header["quantizer"],
            classes=_whole(header["classes"]),
            variant=header.get("variant"),
            pooling=header.get("pooling"),
            channels=_whole(header.get("channels")),
        )
        with torch.device("meta"):
            return build(architecture)
    except KeyError as error:
        raise InputError(f"{path}: the header does not say {error}") from error
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: the header is wrong: {str(error).splitlines()[0]}") from error


def _whole(value: Any) -> Any:
    """Return the integer that safetensors could only keep as text; anything else is for `build` to judge."""
    return int(value) if isinstance(value, str) else value


def _read_torch(path: Path) -> tuple[Mapping[str, Any], Mapping[str, Tensor]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strange pickles; what cannot be read is said below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # whatever bytes a stranger sends: torch.load documents no list of errors
        with path.open("rb") as file:
            pickled = file.read(1) == b"\x80"  # a bare pickle of a protocol that the loader gives up on
        if pickled or re.search("unsupported global", str(error), re.IGNORECASE):
            raise InputError(f"{path}: refused, because loading it may run code that it holds") from error
        raise InputError(f"{path}: not a readable checkpoint (truncated, or of another kind)") from error
    if not (
        isinstance(content, dict)
        and isinstance(content.get("header"), dict)
        and isinstance(content.get("weights"), dict)
        and all(isinstance(tensor, Tensor) for tensor in content["weights"].values())
    ):
        raise InputError(
            f"{path}: holds no header with levels and quantizer, so it is not a checkpoint of this tool"
        )
    return content["header"], content["weights"]


def _read_safetensors(path: Path) -> tuple[Mapping[str, Any], Mapping[str, Tensor]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: not readable as safetensors (truncated, or of another kind)") from error


def _check_weights(path: Path, expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    for who, names in (
        ("the file lacks", expected.keys() - weights.keys()),
        ("the architecture does not know", weights.keys() - expected.keys()),
    ):
        if names:
            raise InputError(f"{path}: {who} {min(names)!r} ({len(names)} such weights)")
    for name, tensor in expected.items():
        if tensor.shape != weights[name].shape:
            shape = list(weights[name].shape)
            raise InputError(f"{path}: {name!r} has shape {shape}, the architecture {list(tensor.shape)}")
        if tensor.dtype != weights[name].dtype:
            raise InputError(f"{path}: {name!r} is {weights[name].dtype}, and must be {tensor.dtype}")
        if not torch.isfinite(weights[name]).all():
            raise InputError(f"{path}: {name!r} holds a weight that is not finite")


def _check_thresholds(path: Path, network: nn.Module) -> None:
    for name, module in network.named_modules():
        if isinstance(module, QuantizedActivation) and not module.threshold.item() > 0:
            raise InputError(
                f"{path}: the threshold of {name!r} is {module.threshold.item():.6g}, and must be positive"
            )
