"""All inputs, not samples: the certificate of one activation against one neuron."""

from qvm_verify.certificate.decide import Certificate, Method, certify
from qvm_verify.certificate.runs import FloatClass, Interval

__all__ = ["Certificate", "FloatClass", "Interval", "Method", "certify"]
