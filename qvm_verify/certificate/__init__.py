"""All inputs, not samples: the certificate of one activation against one neuron."""

from qvm_verify.certificate.composition import Composition, compose
from qvm_verify.certificate.decide import Certificate, Method, certify
from qvm_verify.certificate.graphs import Obstacle
from qvm_verify.certificate.repair import Repair, convert, find_repair
from qvm_verify.verdict import FloatClass, Interval

__all__ = [
    "Certificate",
    "Composition",
    "FloatClass",
    "Interval",
    "Method",
    "Obstacle",
    "Repair",
    "certify",
    "compose",
    "convert",
    "find_repair",
]
