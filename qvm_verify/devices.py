"""The device that a command is told to compute on."""

from __future__ import annotations

import torch

from qvm_verify.exits import InputError


def available_device(name: str) -> torch.device:
    """Return the device of that name. Raises InputError where PyTorch cannot compute on it here."""
    try:
        device = torch.device(name)
        torch.ones(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].split(". ")[0][:120]
        raise InputError(f"--device {name}: not available here ({reason})") from error
    return device
