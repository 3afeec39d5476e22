"""qvm-verify: decides whether a converted spiking network is really lossless.

The names below are resolved when they are first used, so that `import qvm_verify` stays light: it loads
neither PyTorch nor NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qvm_verify import datasets, networks, reference, snn
    from qvm_verify.audit import assert_lossless, verify
    from qvm_verify.certificate import Certificate, certify, convert
    from qvm_verify.networks import load, save
    from qvm_verify.snn import IFNeuron, QuantizedActivation

_HOMES = {
    "Certificate": "qvm_verify.certificate",
    "IFNeuron": "qvm_verify.snn",
    "QuantizedActivation": "qvm_verify.snn",
    "assert_lossless": "qvm_verify.audit",
    "certify": "qvm_verify.certificate",
    "convert": "qvm_verify.certificate",
    "load": "qvm_verify.networks",
    "save": "qvm_verify.networks",
    "verify": "qvm_verify.audit",
}
_ROOMS = ("datasets", "networks", "reference", "snn")

__all__ = [
    "Certificate",
    "IFNeuron",
    "QuantizedActivation",
    "assert_lossless",
    "certify",
    "convert",
    "datasets",
    "load",
    "networks",
    "reference",
    "save",
    "snn",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
