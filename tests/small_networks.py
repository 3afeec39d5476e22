"""Small networks whose every weight is a short binary fraction, so that no sum is ever rounded in float32.

What PyTorch and the reference make of them must then be the same bits, in whatever order they add.
"""

import torch
from torch import nn

from qvm_verify import reference
from qvm_verify.networks.blocks import BasicBlock
from qvm_verify.snn import QuantizedActivation


class TinyNetwork(nn.Module):
    """Stem, max-pool, residual block, average pool, linear layer: three sites, for images [1, 4, 4]."""

    def __init__(self, quantizer="floor", levels=4, seed=0):
        super().__init__()

        def activation():
            return QuantizedActivation(levels, quantizer, threshold=1.5)

        self.stem = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2))
        self.act = activation()
        self.pool = nn.MaxPool2d(2)
        self.block = BasicBlock(2, 2, activation=activation)
        self.head = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(2, 3))
        random = torch.Generator().manual_seed(seed)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
                for parameter in module.parameters(recurse=False):
                    eighths = torch.randint(-8, 9, parameter.shape, generator=random) / 8
                    parameter.data = eighths
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 0.0
                module.running_var.fill_(4.0)  # its root is exact
                module.running_mean = torch.randint(-4, 5, module.running_mean.shape, generator=random) / 8
                module.weight.data = module.weight.abs() + 1
        self.eval()

    def forward(self, x):
        return self.head(self.block(self.pool(self.act(self.stem(x)))))


def dyadic_images(count=6, seed=0, size=4):
    """Images [count, 1, size, size] of eighths in [-1, 2]."""
    random = torch.Generator().manual_seed(seed)
    return torch.randint(-8, 17, (count, 1, size, size), generator=random) / 8


def as_reference(module, dtype):
    """Return a TinyNetwork, or one of its layers, as the layers of the reference in `dtype`."""

    def array(tensor):
        return None if tensor is None else reference.as_dtype(tensor.detach().numpy(), dtype)

    if isinstance(module, TinyNetwork):
        children = (module.stem, module.act, module.pool, module.block, module.head)
        return tuple(layer for child in children for layer in as_reference(child, dtype))
    if isinstance(module, nn.Sequential):
        return tuple(layer for child in module for layer in as_reference(child, dtype))
    if isinstance(module, BasicBlock):
        children = (module.conv1, module.act1, module.conv2)
        body = tuple(layer for child in children for layer in as_reference(child, dtype))
        return (reference.Residual(body=body), *as_reference(module.act2, dtype))
    if isinstance(module, nn.Conv2d):
        weight, bias = array(module.weight), array(module.bias)
        where = {"stride": module.stride, "padding": module.padding, "groups": module.groups}
        return (reference.Conv2d(weight=weight, bias=bias, **where),)
    if isinstance(module, nn.BatchNorm2d):
        scale = module.weight.detach() / (module.running_var + module.eps).sqrt()
        mean = array(module.running_mean)
        return (reference.BatchNorm(mean=mean, scale=array(scale), shift=array(module.bias)),)
    if isinstance(module, nn.Linear):
        return (reference.Dense(weight=array(module.weight), bias=array(module.bias)),)
    if isinstance(module, QuantizedActivation):
        site = {"levels": module.levels, "quantizer": module.quantizer}
        return (reference.Activation(threshold=array(module.threshold)[()], **site),)
    pools = {nn.MaxPool2d: reference.MaxPool2d, nn.AvgPool2d: reference.AvgPool2d}
    if type(module) in pools:
        window = {"kernel": (module.kernel_size,) * 2, "stride": (module.stride,) * 2}
        return (pools[type(module)](**window),)
    assert isinstance(module, nn.Flatten)
    return (reference.Flatten(),)


class OneSite(nn.Module):
    """One module between two fixed linear maps: the smallest network with something behind its site."""

    def __init__(self, site, gain=1.0):
        super().__init__()
        self.before = nn.Linear(1, 1, bias=False)
        self.site = site
        self.after = nn.Linear(1, 1, bias=False)
        self.before.weight.data.fill_(1.0)
        self.after.weight.data.fill_(gain)
        self.eval()

    def forward(self, x):
        return self.after(self.site(self.before(x)))


def column(*values, dtype=torch.float32):
    """Return values as a batch [values, 1] of images with one pixel."""
    return torch.tensor(values, dtype=dtype).unsqueeze(1)
