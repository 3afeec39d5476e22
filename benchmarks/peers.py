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
from benchmarks.timing import interleaved
from qvm_verify import snn
from qvm_verify.snn import Currents, IFNeuron

CONSTANT: Currents = "constant"
STREAMING: Currents = "streaming"
INSTALL = (  # with its dependencies it would bring a torch of its own
    "pip install --no-deps spikingjelly; pip install loguru SciencePlots tensorboard h5py scipy tqdm requests"
)
LOOPS = {CONSTANT: "eager constant-current loop", STREAMING: "eager streaming loop"}
SPIKINGJELLYS = {CONSTANT: "SpikingJelly constant-current", STREAMING: "SpikingJelly multi-step"}


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
    """Yield how many times longer the others take, for the constant current and for streaming.

    Agreement is looked at before anything is compiled: compiled batch-norms round otherwise.
    """
    ann, images = ann_of(setting), setting.images()
    plain = {currents: snn.convert(ann, currents=currents) for currents in snn.CURRENTS}
    networks = {"SNN": snn_of(ann), "fused streaming": snn.fuse(plain[STREAMING])}
    kinds = {"SNN": CONSTANT, "fused streaming": STREAMING}
    others = {LOOPS[currents]: network for currents, network in plain.items()}
    try:
        nodes = importlib.import_module("spikingjelly.activation_based.neuron")
    except ImportError as error:
        yield Skipped(benchmark="peers", reason=f"SpikingJelly cannot be imported ({error}): {INSTALL}")
    else:
        others |= {SPIKINGJELLYS[currents]: with_peers(network, nodes) for currents, network in plain.items()}
        kinds |= {name: currents for currents, name in SPIKINGJELLYS.items()}
    outputs = {name: runner(network, images)() for name, network in {**networks, **others}.items()}
    details = {
        name: agreement(name, outputs[name], LOOPS[kind], outputs[LOOPS[kind]])
        for name, kind in kinds.items()
    }
    cases = {name: runner(snn.compiled(network), images) for name, network in networks.items()}
    cases |= {name: runner(network, images) for name, network in others.items()}
    times = interleaved(cases, max(3, setting.rounds // 3))
    for name in ("fused streaming", *others):
        yield ratio("peers", f"{name} / SNN forward", times, name, "SNN", details.get(name, ""))
    for name in (LOOPS[STREAMING], SPIKINGJELLYS[STREAMING]):
        if name in times:
            yield ratio("peers", f"{name} / fused streaming", times, name, "fused streaming")


def agreement(name: str, ours: Tensor, other: str, theirs: Tensor) -> str:
    """Return in words how well two outputs agree. Raises DisagreementError where they do not."""
    if torch.equal(ours, theirs):
        return f"the same bits as {other}"
    difference = float((ours - theirs).abs().max())
    if difference > 1e-4 * float(theirs.abs().max()):
        raise DisagreementError(f"{name} and {other} differ by up to {difference:.3g}: no use in timing them")
    return f"the scores of {other} up to {difference:.1e}, by another order of sums"
