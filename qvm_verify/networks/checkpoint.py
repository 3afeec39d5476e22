"""Checkpoints: architecture, levels, quantizer and weights in one file, and never any code.

Two containers hold the same content: PyTorch's zip (`weights_only`), and safetensors for a `.safetensors`
name. The header is what a bare state dict lacks: without levels and quantizer no conversion can be judged.
Bare state dicts of other projects are read too, where what they lack is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from qvm_verify.exits import InputError
from qvm_verify.networks.architectures import Architecture, architecture_of, build
from qvm_verify.networks.blocks import Pooling
from qvm_verify.networks.containers import Stored, read
from qvm_verify.networks.recognition import Given, Recognised, recognise
from qvm_verify.networks.users_own import build_users_own
from qvm_verify.snn import QuantizedActivation, Quantizer
from qvm_verify.whole_files import written_whole

FORMAT = "qvm-verify/checkpoint/1"
MOST_LEVELS = 4096  # what the commands take; an audit has a table entry and a time-step for each


def save(network: nn.Module, path: str | Path) -> None:
    """Write a network of `qvm_verify.networks` to `path`; the file appears whole or not at all.

    Raises ValueError for a network of another origin, which nothing would know how to build again, for one
    that is not in float32, the precision of checkpoints, and for one that is not calibrated.
    """
    architecture = architecture_of(network)
    if architecture is None:
        raise ValueError(
            f"{type(network).__name__} was not built by qvm_verify.networks, so no file can name it"
        )
    if unknown := uncalibrated(network):
        raise ValueError(f"the threshold of {unknown[0]!r} is not known; calibrate the network first")
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
            # By a file that is open: given a path, PyTorch writes the temporary name into the file.
            with temporary.open("wb") as file:
                torch.save({"header": header, "weights": weights}, file)


def load(
    path: str | Path,
    *,
    levels: int | None = None,
    quantizer: Quantizer | None = None,
    pooling: Pooling | None = None,
    arch: str | None = None,
) -> nn.Module:
    """Return the network of a checkpoint, in evaluation mode.

    Read are this project's own checkpoints, and bare state dicts, PyTorch's or safetensors: of these
    networks under whatever names other projects give their modules, or, with `arch` ("package.module:
    factory"), of a network of one's own. `levels`, `quantizer` and `pooling` are what a bare state dict
    cannot hold. A state dict of a ReLU network holds no thresholds: they are NaN until `calibrate` sets them
    (`uncalibrated`).

    Raises InputError, in one sentence that names the file, where it is missing, truncated, no checkpoint,
    holds code, names or resembles no known architecture, carries weights that do not fit or are not finite
    or thresholds that are not positive, contradicts what is given, or needs what is not.
    """
    path = Path(path)
    stored = read(path)
    try:
        found = _recognised(stored, Given(levels, quantizer, pooling), arch)
        state = found.skeleton.state_dict()
        unknown = {} if stored.header else _thresholds_of_relu(found)
        _check_weights({name: state[name] for name in state.keys() - unknown.keys()}, found.weights)
        found.skeleton.load_state_dict({**found.weights, **unknown}, assign=True)
        if not unknown:
            _check_thresholds(found.skeleton)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return found.skeleton.eval()


def uncalibrated(network: nn.Module) -> list[str]:
    """Return the sites whose threshold is not known yet: those of a ReLU network's checkpoint."""
    return [name for name, site in _sites(network).items() if bool(site.threshold.isnan())]


def _thresholds_of_relu(found: Recognised) -> dict[str, Tensor]:
    """Return NaN for every threshold, by its name in the state dict, where the weights hold none."""
    modules = found.skeleton.named_modules(remove_duplicate=False)
    names = [name for name, module in modules if isinstance(module, QuantizedActivation)]
    thresholds = {f"{name}.threshold".removeprefix("."): torch.tensor(torch.nan) for name in names}
    return {} if found.weights.keys() & thresholds.keys() else thresholds


def _sites(network: nn.Module) -> dict[str, QuantizedActivation]:
    modules = network.named_modules()
    return {name: module for name, module in modules if isinstance(module, QuantizedActivation)}


def _recognised(stored: Stored, given: Given, arch: str | None) -> Recognised:
    if arch is not None:
        found = _users_own(arch, stored, given)
    elif stored.header:
        found = Recognised(_skeleton(stored.header), dict(stored.tensors))
    else:
        return recognise(stored, given)
    for name, wanted in given._asdict().items():
        kept = stored.header.get(name)
        if wanted is not None and kept is None and name == "pooling":
            raise InputError(f"--pooling {wanted}: this network has no pooling to choose")
        if wanted is not None and kept is not None and str(wanted) != str(kept):
            raise InputError(f"--{name} {wanted}: it was trained with {kept}, and says so itself")
    return found


def _skeleton(header: Mapping[str, Any]) -> nn.Module:
    """Return the network that a header names, without memory for its weights: the header may be lying."""
    if header.get("format") != FORMAT:
        raise InputError(f"format {header.get('format')!r} is not {FORMAT!r}, so this tool cannot read it")
    try:
        architecture = Architecture(
            name=header["name"],
            levels=_number("levels", header["levels"], MOST_LEVELS),
            quantizer=header["quantizer"],
            classes=_number("classes", header["classes"]),
            variant=header.get("variant"),
            pooling=header.get("pooling"),
            channels=None if header.get("channels") is None else _number("channels", header["channels"]),
        )
        with torch.device("meta"):
            return build(architecture)
    except KeyError as error:
        raise InputError(f"the header does not say {error}") from error
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"the header is wrong: {str(error).splitlines()[0]}") from error


def _number(name: str, value: Any, most: int = 2**31 - 1) -> int:
    """Return an integer, which safetensors could only keep as text. Raises ValueError for anything else."""
    number = int(value) if isinstance(value, str) else value
    if type(number) is not int or not 1 <= number <= most:
        raise ValueError(f"{name} {value!r:.40}: must be an integer from 1 to {most}")
    return number


def _users_own(arch: str, stored: Stored, given: Given) -> Recognised:
    """Return a network of the user's own code, and its weights by their own names."""
    rows = [tensor.shape[0] for tensor in stored.tensors.values() if tensor.dim() == 2]
    last_is_known = stored.ordered or len(rows) == 1
    kept = stored.header.get("levels")
    try:
        levels = given.levels or (None if kept is None else _number("levels", kept, MOST_LEVELS))
    except ValueError as error:
        raise InputError(f"the header is wrong: {error}") from error
    network = build_users_own(
        arch,
        levels=levels,
        quantizer=given.quantizer or stored.header.get("quantizer"),
        classes=rows[-1] if rows and last_is_known else None,
    )
    for name, site in _sites(network).items():
        for what, wanted in (("levels", given.levels), ("quantizer", given.quantizer)):
            if wanted not in (None, getattr(site, what)):
                has = f"the site {name!r} of this network has {getattr(site, what)}"
                raise InputError(f"--{what} {wanted}: {has}")
    return Recognised(network, dict(stored.tensors))


def _check_weights(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    for who, names in (
        ("the file lacks", expected.keys() - weights.keys()),
        ("the architecture does not know", weights.keys() - expected.keys()),
    ):
        if names:
            raise InputError(f"{who} {min(names)!r} ({len(names)} such weights)")
    for name, tensor in expected.items():
        if tensor.shape != weights[name].shape:
            shape = list(weights[name].shape)
            raise InputError(f"{name!r} has shape {shape}, the architecture {list(tensor.shape)}")
        if tensor.dtype != weights[name].dtype:
            raise InputError(f"{name!r} is {weights[name].dtype}, and must be {tensor.dtype}")
        if not torch.isfinite(weights[name]).all():
            raise InputError(f"{name!r} holds a weight that is not finite")


def _check_thresholds(network: nn.Module) -> None:
    for name, site in _sites(network).items():
        if not site.threshold.item() > 0:
            raise InputError(
                f"the threshold of {name!r} is {site.threshold.item():.6g}, and must be positive"
            )
