"""Thresholds measured on data: what turns a trained ReLU network into a quantized one."""

from qvm_verify.calibration.calibrate_sites import METHODS, Method, calibrate

__all__ = ["METHODS", "Method", "calibrate"]
