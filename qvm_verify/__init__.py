"""qvm-verify: decides whether a converted spiking network is really lossless.

The names below are resolved when they are first used, so that `import qvm_verify` stays light: it loads
neither PyTorch nor NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qvm_verify.lazy_names import lazily

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
    **dict.fromkeys(("datasets", "networks", "reference", "snn"), ""),
}

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

__getattr__, __dir__ = lazily(__name__, _HOMES)
