"""Modules as another project would write them: they share nothing with ours but the names of attributes."""

import torch
from torch import nn
from torch.nn import functional as F


class ForeignActivation(nn.Module):
    """A floor activation with plain attributes instead of parameters."""

    levels = 4
    quantizer = "floor"
    threshold = 1.0

    def forward(self, x):
        return torch.floor(x * 4).clamp(0, 4) / 4


class HalfEvenActivation(ForeignActivation):
    """Says that it rounds half up, and does what torch.round does."""

    quantizer = "round"

    def forward(self, x):
        return torch.round(x * 4).clamp(0, 4) / 4


class ForeignNeuron(nn.Module):
    """An integrate-and-fire loop of somebody else; `fires_at` is what it does, `threshold` what it says."""

    time_steps = 4
    threshold = 1.0

    def __init__(self, v_init=0.0, fires_at=1.0):
        super().__init__()
        self.v_init, self.fires_at = v_init, fires_at

        self.starts_at = v_init

    def start(self, x):
        return torch.full_like(x, self.starts_at)

    def forward(self, x):
        v, count = self.start(x), torch.zeros_like(x)
        for _ in range(4):
            v = v + x
            spikes = (v >= self.fires_at).to(x.dtype)
            v, count = v - spikes * self.fires_at, count + spikes
        self.left = v
        return count / 4


class StatefulNeuron(ForeignNeuron):
    """Forgets to reset its membrane potential between images."""

    left = None

    def start(self, x):
        return super().start(x) if self.left is None else self.left


class HalfEvenNeuron(ForeignNeuron):
    """Agrees with HalfEvenActivation everywhere, and is no integrate-and-fire neuron."""

    def forward(self, x):
        return torch.round(x * 4).clamp(0, 4) / 4


class OffGridNeuron(ForeignNeuron):
    """Returns something between two spike counts."""

    def forward(self, x):
        return super().forward(x) + 0.1


class Chain(nn.Module):
    """Sites with linear layers of one weight between them: one neuron a site."""

    def __init__(self, *sites, gain=1.0):
        super().__init__()
        self.sites = nn.ModuleList(sites)
        self.weights = nn.ParameterList([torch.tensor([[gain]]) for _ in sites])
        self.eval()

    def forward(self, x):
        for site, weight in zip(self.sites, self.weights, strict=True):
            x = F.linear(site(x), weight)
        return x


class With(nn.Module):
    """A network followed by any function, to plant an operation that no module shows."""

    def __init__(self, network, function):
        super().__init__()
        self.network, self.function = network, function
        self.eval()

    def forward(self, x):
        return self.function(self.network(x))
