"""The corpus: reports of every wrong conversion of the README's table, on the smallest networks."""

import copy

import torch

from qvm_verify.audit import verify
from qvm_verify.report import read_report, save_report
from qvm_verify.snn import QuantizedActivation, convert
from tests.audit.foreign import Chain, ForeignActivation, ForeignNeuron
from tests.small_networks import OneSite, TinyNetwork, column, dyadic_images

WRONG = {  # name: keywords of convert
    "v-init": {"v_init": 0.5},
    "time-steps": {"time_steps": 3},
    "reset": {"reset": "reset_to_zero"},
    "threshold": {"threshold_scale": 1.01},
    "streaming": {"currents": "streaming"},
    "firing": {"firing": ">"},
}
CORPUS = [*WRONG, "ceil", "half-even", "float16", "float32", "float64", "module", "unconverted"]


def report_of(name):
    """Return the report of an audit that refutes for the reason in its name."""
    if name in WRONG:
        ann = TinyNetwork()
        return verify(ann, convert(ann, **WRONG[name]), [dyadic_images()], certify="off")
    if name == "module":
        return verify(Chain(ForeignActivation()), Chain(ForeignNeuron(fires_at=0.9)), [column(0.23)])
    if name == "unconverted":
        ann = OneSite(QuantizedActivation(4, "floor"))
        spiking = convert(ann)
        spiking.before = torch.nn.Sequential(spiking.before, torch.nn.Tanh()).eval()
        return verify(ann, spiking, [column(0.9)])
    quantizer, levels, values = {
        "ceil": ("ceil", 4, [0.0, 0.25]),
        "half-even": ("round_half_even", 4, [0.125]),
        "float16": ("round", 6, [k / 1200 for k in range(1200)]),
        "float32": ("floor", 6, [0.8333333134651184]),
        "float64": ("round", 4, [0.375, 0.37499999999999994, 0.1249999999999999]),
    }[name]
    dtype = getattr(torch, name) if name.startswith("float") else torch.float32
    ann = OneSite(QuantizedActivation(levels, quantizer)).to(dtype)
    return verify(ann, convert(ann), [column(*values, dtype=dtype)], certify="off")


def written(name, folder):
    """Return the path of the report, written into `folder`."""
    return save_report(report_of(name), folder)


def changed(content, change):
    """Return a copy of a report's content with a change made in its first counterexample."""
    other = copy.deepcopy(content)
    change(other["counterexamples"][0])
    return other


__all__ = ["CORPUS", "changed", "read_report", "report_of", "written"]
