"""The spiking network against SpikingJelly and against plain eager loops, once they agree on the outputs."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.results import Result, Skipped, ratio
from benchmarks.subject import Setting, ann_of, runner, snn_of
from benchmarks.targets import SPIKINGJELLY
from benchmarks.timing import interleaved
from qvm_verify import snn
from qvm_verify.snn import Currents, IFNeuron

CONSTANT: Currents = "constant"
STREAMING: Currents = "streaming"


class DisagreementError(RuntimeError):
    """Two simulations of one network differ, so that their times say nothing."""


class PeerNeuron(nn.Module):
    """SpikingJelly's multi-step IFNode in the place of a neuron of ours."""

    def __init__(self, neuron: IFNeuron, nodes: Any) -> None:
        super().__init__()
        self.time_steps, self.currents = neuron.time_steps, neuron.currents
        self.threshold, self.v_init = float(neuron.threshold), float(neuron.v_init)
        self.node = nodes.IFNode(v_threshold=self.threshold, v_reset=None, step_mode="m", detach_reset=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled rate under a constant current, the scaled spikes under streaming ones."""
        self.node.reset()
        self.node.v = self.v_init  # before the first step it becomes a tensor of the input's shape
        if self.currents == CONSTANT:
            count: Tensor = self.node(x.expand(self.time_steps, *x.shape)).sum(0)
            return self.threshold / self.time_steps * count
        spikes: Tensor = self.node(x.reshape(self.time_steps, -1, *x.shape[1:]))
        return spikes.flatten(0, 1) * self.threshold


def with_peers(network: nn.Module, nodes: Any) -> nn.Module:
    """Return a copy of a converted network with SpikingJelly's neurons."""
    network = copy.deepcopy(network)
    for parent in list(network.modules()):
        for name, child in list(parent._modules.items()):
            if isinstance(child, IFNeuron):
                setattr(parent, name, PeerNeuron(child, nodes))
    return network.eval()


def measure(setting: Setting) -> Iterator[Result | Skipped]:
    """Yield how many times longer the others take, for the constant current and for streaming."""
    ann, images = ann_of(setting), setting.images()
    plain = {currents: snn.convert(ann, currents=currents) for currents in snn.CURRENTS}
    cases = {
        "SNN forward": runner(snn.compiled(snn_of(ann)), images),
        "eager constant-current loop": runner(plain[CONSTANT], images),
        "fused streaming": runner(snn.fuse(plain[STREAMING]), images),
        "eager streaming loop": runner(plain[STREAMING], images),
    }
    agreeing = [("SNN forward", "eager constant-current loop"), ("fused streaming", "eager streaming loop")]
    peers = {"SpikingJelly multi-step": STREAMING, "SpikingJelly constant-current": CONSTANT}
    try:
        nodes = importlib.import_module("spikingjelly.activation_based.neuron")
    except ImportError as error:
        yield Skipped(benchmark="peers", reason=f"SpikingJelly is not installed ({error})")
        peers = {}
    for name, currents in peers.items():
        cases[name] = runner(with_peers(plain[currents], nodes), images)
    agreeing += [
        (name, "eager streaming loop" if currents == STREAMING else "eager constant-current loop")
        for name, currents in peers.items()
    ]
    details = {name: agreement(name, cases[name](), other, cases[other]()) for name, other in agreeing}
    times = interleaved(cases, max(3, setting.rounds // 3))
    for name in ("eager constant-current loop", "eager streaming loop", "fused streaming", *peers):
        title = SPIKINGJELLY if name == "SpikingJelly multi-step" else f"{name} / SNN forward"
        yield ratio("peers", title, times, name, "SNN forward", details.get(name, ""))
    for name in ("eager streaming loop", *(name for name in peers if peers[name] == STREAMING)):
        yield ratio("peers", f"{name} / fused streaming", times, name, "fused streaming")


def agreement(name: str, ours: Tensor, other: str, theirs: Tensor) -> str:
    """Return in words how well two outputs agree. Raises DisagreementError where they do not."""
    if torch.equal(ours, theirs):
        return f"the same bits as {other}"
    difference = float((ours - theirs).abs().max())
    if difference > 1e-4 * float(theirs.abs().max()):
        raise DisagreementError(f"{name} and {other} differ by up to {difference:.3g}: no use in timing them")
    return f"the scores of {other} up to {difference:.1e}, by another order of sums"
