"""The spiking network against its ANN, each compiled as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from benchmarks.results import Result, one, ratio
from benchmarks.subject import Setting, ann_of, runner, snn_of
from benchmarks.targets import SNN_OVER_ANN
from benchmarks.timing import interleaved
from qvm_verify import snn
from qvm_verify.snn import IFNeuron


class PlainLoop(nn.Module):
    """A neuron that runs step by step, whatever is compiled around it."""

    def __init__(self, neuron: IFNeuron) -> None:
        super().__init__()
        self.neuron = neuron

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, x: Tensor) -> Tensor:
        """Return what the neuron returns."""
        output: Tensor = self.neuron(x)
        return output


def with_plain_loops(network: nn.Module) -> nn.Module:
    """Return a converted network whose neurons stay as they are when it is compiled, in place."""
    for parent in list(network.modules()):
        for name, child in list(parent._modules.items()):
            if isinstance(child, IFNeuron) and not isinstance(parent, PlainLoop):
                setattr(parent, name, PlainLoop(child))
    return network


def measure(setting: Setting) -> Iterator[Result]:
    """Yield SNN / ANN, and what both take, once the SNN is held against the step-by-step loop."""
    ann, images = ann_of(setting), setting.images()
    spiking = snn_of(ann)
    fast = runner(snn.compiled(spiking), images)
    by_steps = runner(snn.compiled(with_plain_loops(snn.convert(ann))), images)
    same = "the same bits as" if torch.equal(fast(), by_steps()) else "NOT the same bits as"
    cases = {"ANN": runner(snn.compiled(ann), images), "SNN": fast}
    times = interleaved(cases, setting.rounds)
    detail = f"both compiled as a whole; the SNN's scores are {same} with the step-by-step loop"
    yield ratio("forward", SNN_OVER_ANN, times, "SNN", "ANN", detail)
    for name in cases:
        yield one("forward", f"{name} forward", "s", times[name])
