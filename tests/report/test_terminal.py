import io

import pytest
from rich.console import Console
from torch import nn

from qvm_verify.audit import verify
from qvm_verify.report import sentences
from qvm_verify.report.terminal import print_report
from qvm_verify.snn import QuantizedActivation, convert
from tests.audit.foreign import Chain
from tests.small_networks import column


def chain():
    return Chain(QuantizedActivation(4, "floor"), QuantizedActivation(4, "floor"))


def printed(ann, spiking, images):
    text = io.StringIO()
    print_report(verify(ann, spiking, [images]), Console(file=text, width=100))
    return " ".join(text.getvalue().split())


def test_a_lossless_audit_says_on_how_many_images_how_near_it_came_and_what_it_does_not_say():
    text = printed(chain(), convert(chain()), column(0.3, 0.25))
    assert "lossless: N = M at every neuron of every site on these 2 images" in text
    assert "within 0 ulp of a decision boundary" in text
    assert "TESTED in float32; this says nothing of other images" in text
    assert "proved" not in text.lower()


def test_the_latency_is_stated_as_sites_times_t_or_as_t():
    assert "latency: 8 steps, for 2 sites of 4 time-steps" in printed(chain(), convert(chain()), column(0.3))
    streaming = convert(chain(), currents="streaming")
    assert "latency: 4 steps, for 2 sites of 4 time-steps" in printed(chain(), streaming, column(0.3))


def test_an_audit_that_refutes_names_the_first_diverging_layer_and_a_counterexample():
    text = printed(chain(), convert(chain(), v_init=0.5), column(0.2))
    assert "not-lossless" in text
    assert "First diverging layer — shadow: sites.0, end-to-end: sites.0." in text
    assert "counterexample C1 sites.0[0], image 0 (shadow): M = 0 of L = 4, N = 1 of T = 4" in text


def test_an_inconclusive_audit_says_what_it_did_not_look_at():
    ann = nn.Sequential(chain(), nn.ReLU()).eval()
    text = printed(ann, convert(ann), column(0.3))
    assert "inconclusive: UNKNOWN: 1 computes relu: no neuron, no pooling, and not known to be linear" in text


@pytest.mark.parametrize("name", ["[red]", "[/]"])
def test_names_of_sites_are_never_taken_for_markup(name):
    ann = chain()
    ann.add_module(name, QuantizedActivation(4, "floor"))
    assert f"ANN {name} is never called" in printed(ann, convert(ann), column(0.3))


def test_where_no_site_has_a_margin_nothing_is_said_of_one():
    rows = [{"margin_ulps": None, "site": "a"}, {"margin_ulps": 3, "site": "b"}]
    assert sentences._nearest({"layers": rows[:1]}) == ""
    assert "b" in sentences._nearest({"layers": rows})
