"""The accelerated converter in PyTorch: quantized activation, integrate-and-fire neuron, Algorithm 1.

It imports nothing of the reference, which judges it.
"""

from qvm_verify.snn.conversion import MATCHED_V_INIT, StreamingNetwork, convert
from qvm_verify.snn.fused import LoopNeuron, can_compile, compile_function, compiled, fuse, left_as_loops
from qvm_verify.snn.if_neuron import CURRENTS, FIRINGS, RESETS, Currents, Firing, IFNeuron, IFSettings, Reset
from qvm_verify.snn.quantized_activation import QUANTIZERS, QuantizedActivation, Quantizer
from qvm_verify.snn.step_neuron import StepNeuron, why_no_table

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
    "LoopNeuron",
    "QuantizedActivation",
    "Quantizer",
    "Reset",
    "StepNeuron",
    "StreamingNetwork",
    "can_compile",
    "compile_function",
    "compiled",
    "convert",
    "fuse",
    "left_as_loops",
    "why_no_table",
]
