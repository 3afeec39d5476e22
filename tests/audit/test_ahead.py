"""The ANN's forward pass runs just ahead of the spiking network's, and otherwise as it would alone."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

import qvm_verify as qvm
from qvm_verify.audit.ahead import Ahead
from qvm_verify.exits import InputError
from qvm_verify.snn import QuantizedActivation
from tests.small_networks import TinyNetwork, dyadic_images


@pytest.fixture
def thread():
    with ThreadPoolExecutor(max_workers=1) as only:
        yield only


class Paused:
    """A computation of three steps that notes how far it is."""

    def __init__(self, fails_at=None):
        self.steps, self.fails_at, self.ahead, self.cleaned_up = [], fails_at, None, False

    def __call__(self):
        try:
            for step in range(3):
                if step == self.fails_at:
                    raise ValueError("it fails")
                self.steps.append((step, threading.current_thread()))
                self.ahead.pause()
        finally:
            self.cleaned_up = True
        return torch.ones(1)


def test_it_runs_from_pause_to_pause_and_only_while_its_owner_waits(thread):
    work = Paused()
    with Ahead(work, thread) as work.ahead:
        assert work.steps == []
        for step in range(3):
            assert work.ahead.go_on()
            assert len(work.steps) == step + 1
        assert not work.ahead.go_on()
        assert work.ahead.result() == 1
    assert {thread is threading.main_thread() for _, thread in work.steps} == {False}


def test_its_error_is_raised_where_its_owner_asks(thread):
    work = Paused(fails_at=1)
    with Ahead(work, thread) as work.ahead:
        assert work.ahead.go_on()
        with pytest.raises(ValueError, match="it fails"):
            work.ahead.go_on()


def test_an_owner_that_leaves_stops_it_where_it_pauses(thread):
    work = Paused()
    with Ahead(work, thread) as work.ahead:
        work.ahead.go_on()
    assert len(work.steps) == 1
    assert work.cleaned_up
    with Ahead(lambda: torch.ones(2), thread) as ahead:  # in the same thread, which is free again
        assert ahead.result().sum() == 2


@pytest.mark.parametrize("grad", [True, False])
def test_it_records_gradients_where_its_owner_does(grad, thread):
    with torch.set_grad_enabled(grad), Ahead(lambda: torch.ones(1, requires_grad=True) + 1, thread) as ahead:
        assert ahead.result().requires_grad is grad


@pytest.mark.parametrize("state", [torch.autocast("cpu", torch.bfloat16), torch.inference_mode()])
def test_it_computes_in_its_owners_thread_where_another_would_compute_otherwise(state, thread):
    x = torch.full((2, 2), 1 / 3)
    with state:
        expected = x @ x
        with Ahead(lambda: x @ x, thread) as ahead:
            found = ahead.result()
    assert (found.dtype, found.is_inference()) == (expected.dtype, expected.is_inference())
    assert torch.equal(found, expected)


class Autocasting(nn.Module):
    """Runs a network under autocast, sites and all."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        with torch.autocast("cpu", torch.float16):
            return self.network(x)


def test_its_thread_is_kept_for_the_whole_audit_and_ends_with_it():
    ann, seen = TinyNetwork(), []
    snn = qvm.convert(ann)
    ann.register_forward_pre_hook(lambda module, inputs: seen.append(threading.current_thread()))
    qvm.verify(ann, snn, [dyadic_images()] * 3, certify="off")
    gc.collect()
    ahead = {thread for thread in seen if thread.name.startswith("ANN")}
    assert len(ahead) == 1
    for thread in ahead:
        thread.join(60)
        assert not thread.is_alive()


def test_what_the_ann_sets_around_its_sites_does_not_reach_the_spiking_network():
    ann, x = TinyNetwork(), dyadic_images()
    assert Autocasting(ann)(x).dtype == torch.float16
    seen = []
    snn = qvm.convert(ann)
    for module in (snn.stem, snn.block, snn.head):
        module.register_forward_pre_hook(lambda module, inputs: seen.append(torch.is_autocast_enabled("cpu")))
    qvm.verify(Autocasting(ann), snn, [x], certify="off")
    assert seen
    assert not any(seen)


def test_a_site_in_a_dtype_that_the_reference_does_not_know_is_refused_by_name():
    ann = TinyNetwork()
    with (
        torch.autocast("cpu", torch.bfloat16),
        pytest.raises(InputError, match=r"act: computes in .*bfloat16"),
    ):
        qvm.verify(ann, qvm.convert(ann), [dyadic_images()], certify="off")


def test_currents_are_let_go_when_both_networks_have_passed_their_site():
    alive, most = [], []

    class Watching(nn.Identity):
        def forward(self, x):
            gc.collect()
            most.append(sum(one() is not None for one in alive))
            output = x + 0
            alive.append(weakref.ref(output))
            return output

    ann = nn.Sequential(
        *(layer for _ in range(8) for layer in (nn.Linear(4, 4), Watching(), QuantizedActivation(4, "floor")))
    ).eval()
    gc.freeze()  # what was there before need not be looked through each time
    try:
        report = qvm.verify(ann, qvm.convert(ann), [torch.rand(5, 4)], certify="off")
    finally:
        gc.unfreeze()
    assert len({layer.site for layer in report.layers}) == 8
    assert max(most) <= 4
