"""The accelerated converter in PyTorch: quantized activation, integrate-and-fire neuron, Algorithm 1.

It imports nothing of the reference, which judges it.
"""

from qvm_verify.snn.conversion import MATCHED_V_INIT, StreamingNetwork, convert
from qvm_verify.snn.if_neuron import CURRENTS, FIRINGS, RESETS, Currents, Firing, IFNeuron, IFSettings, Reset
from qvm_verify.snn.quantized_activation import QUANTIZERS, QuantizedActivation, Quantizer

__all__ = [
    "CURRENTS",
    "FIRINGS",
    "MATCHED_V_INIT",
    "QUANTIZERS",
    "RESETS",
    "Currents",
    "Firing",
    "IFNeuron",
    "IFSettings",
    "QuantizedActivation",
    "Quantizer",
    "Reset",
    "StreamingNetwork",
    "convert",
]
