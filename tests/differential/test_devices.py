"""CPU against CUDA, with TF32 on and off; skipped, and said so, where there is no such device."""

from contextlib import contextmanager

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qvm_verify import snn
from qvm_verify.snn import IFNeuron, QuantizedActivation
from tests.differential.networks import build, plans
from tests.differential.pairs import ALL, TABLES, every_kind_of_torch, same_kinds
from tests.differential.runs import same_numbers, spike_count, torch_run

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="no CUDA device: CPU against CUDA was not compared"
    ),
]


@contextmanager
def tf32(allowed):
    """Let convolutions and matrix products round their factors to 11 bits, or not."""
    backends = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [backend.allow_tf32 for backend in backends]
    for backend in backends:
        backend.allow_tf32 = allowed
    try:
        yield
    finally:
        for backend, value in zip(backends, before, strict=True):
            backend.allow_tf32 = value


@pytest.mark.parametrize("allowed", [False, True], ids=["tf32 off", "tf32 on"])
@settings(max_examples=40)
@given(data=st.data())
def test_a_network_of_short_fractions_gives_the_same_numbers_on_both_devices(allowed, data):
    """Its weights and activations have fewer bits than TF32 keeps, so neither sums nor factors round."""
    plan = data.draw(plans("dyadic", ALL))
    with tf32(allowed):
        there = every_kind_of_torch(plan, torch.float32, "cuda")
    assert same_kinds(plan, there, every_kind_of_torch(plan, torch.float32)) == []


@pytest.mark.parametrize("allowed", [False, True], ids=["tf32 off", "tf32 on"])
@settings(max_examples=40)
@given(data=st.data())
def test_any_site_given_the_same_currents_counts_the_same_on_both_devices(allowed, data):
    """TF32 changes what a site receives, never what it makes of it."""
    plan = data.draw(plans("float", ALL))
    ann = build(plan)
    spiking = plan.convert(ann)
    with torch.no_grad(), tf32(allowed):
        for network in (ann, spiking):
            run = torch_run(network.cuda(), plan.images().cuda())
            network.cpu()
            sites = [m for m in network.modules() if isinstance(m, IFNeuron | QuantizedActivation)]
            for module, site in zip(sites, run.sites, strict=True):
                x = torch.from_numpy(site.current)
                out = module(x)
                count = spike_count(module, x, out) if isinstance(module, IFNeuron) else module.level(x)
                assert same_numbers(count.numpy(), site.count)
                assert same_numbers(out.numpy(), site.output)


@settings(max_examples=40)
@given(plan=plans("float", TABLES))
def test_tables_give_the_numbers_of_the_loops_on_the_device(plan):
    spiking, images = plan.convert(build(plan)).cuda(), plan.images().cuda()
    one, other = torch_run(spiking, images), torch_run(snn.fuse(spiking), images)
    assert [s.count.tolist() for s in one.sites] == [s.count.tolist() for s in other.sites]


def test_tf32_does_round_where_it_is_on():
    """The tests above would show nothing if the switch did nothing."""
    factor = torch.rand(64, 64, generator=torch.Generator().manual_seed(0)).cuda()
    with tf32(True):
        rounded = factor @ factor
    with tf32(False):
        exact = factor @ factor
    assert not torch.equal(rounded, exact)
