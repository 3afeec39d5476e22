"""The certificates of an audit: how they are made, what the data reached, and what would mend a site."""

import pytest
import torch

from qvm_verify import networks
from qvm_verify.audit import kernels, verify
from qvm_verify.audit.certification import Reach, SiteCertificate
from qvm_verify.audit.command import command
from qvm_verify.report import save_report
from qvm_verify.snn import QuantizedActivation, convert
from qvm_verify.verdict import Verdict
from tests.audit.foreign import ForeignActivation, ForeignNeuron
from tests.commands import read
from tests.small_networks import OneSite, column

FAILS = float.fromhex("0x1.aaaaaap-1")  # the one float32 on which floor with T = 6 at θ = 1 fails


def floor_of_six():
    ann = OneSite(QuantizedActivation(6, "floor")).eval()
    return ann, convert(ann)


def above(value, ulps):
    x = torch.tensor(value)
    for _ in range(ulps):
        x = torch.nextafter(x, torch.tensor(2.0))
    return x.item()


def test_the_report_says_which_failing_inputs_the_data_hit_and_how_near_the_others_came():
    report = verify(*floor_of_six(), [column(0.1, above(FAILS, 3), FAILS, -1.0)])
    (entry,) = report.certificate
    assert (entry.verdict, entry.method, entry.rests_on) == ("REFUTED", "boundary", "ieee-count-monotone")
    assert [(one.first, one.last) for one in entry.mismatches] == [(FAILS.hex(), FAILS.hex())]
    assert (entry.mismatching_inputs, entry.reached, entry.nearest_ulps) == (1, 1, 3)
    shadow = [c for c in report.counterexamples if c.mode == "shadow"]
    assert [(c.input, c.neuron, c.activation_current) for c in shadow] == [(2, (0,), FAILS.hex())]
    assert report.composition.verdict == "UNKNOWN"


def test_data_that_stays_away_is_lossless_although_the_site_fails_somewhere():
    report = verify(*floor_of_six(), [column(0.1, 0.5)])
    assert report.verdict == "lossless"
    assert report.certificate[0].reached == 0


def test_where_no_number_fails_the_network_is_bit_exact_for_every_input():
    ann = OneSite(QuantizedActivation(4, "floor")).eval()
    report = verify(ann, convert(ann), [column(0.3)])
    assert report.certificate[0].verdict == "EXHAUSTED"
    assert report.composition.verdict == "EXHAUSTED"
    assert report.composition.detail == "1 sites certified, 2 operations the same"


@pytest.mark.parametrize("certify", ["boundary", "exhaustive"])
def test_sweep_and_bisection_put_the_same_into_the_report(certify):
    ann = OneSite(QuantizedActivation(8, "round", 1.3)).half().eval()
    (entry,) = verify(ann, convert(ann), [column(0.3).half()], certify=certify).certificate
    assert entry.method == certify
    assert entry.mismatching_inputs == sum(one.inputs for one in entry.mismatches) > 0
    assert entry.inputs_checked == (1 << 16) - 2046  # without NaN


def test_a_certificate_that_is_switched_off_is_unknown_and_says_why():
    report = verify(*floor_of_six(), [column(0.3)], certify="off")
    assert (report.certificate[0].verdict, report.certificate[0].detail) == ("UNKNOWN", "not asked for")
    assert report.composition.verdict == "UNKNOWN"


def test_modules_of_which_nothing_is_proved_are_not_certified():
    ann, snn = OneSite(ForeignActivation()), OneSite(ForeignNeuron())
    (entry,) = verify(ann, snn, [column(0.3)]).certificate
    assert entry.verdict == "UNKNOWN"
    assert "qvm.certify" in entry.detail


def test_a_repair_stands_in_the_report_and_so_does_its_absence():
    ann = OneSite(QuantizedActivation(4, "ceil")).eval()
    (entry,) = verify(ann, convert(ann), [column(0.3)]).certificate
    assert entry.mismatching_inputs > 0
    assert entry.repair is None  # V0 = θ fires on a silent input, whatever few ulp are moved
    ann = OneSite(QuantizedActivation(3, "floor", 1.7)).eval()
    (entry,) = verify(ann, convert(ann), [column(0.3)]).certificate
    assert entry.mismatching_inputs == 1
    assert entry.repair["change"] == "V0 moved by +1 ulp of θ"


def test_wherever_the_certificates_say_lossless_the_accuracies_are_equal_to_the_last_image(trained, held_out):
    network = networks.load(trained("floor").path)
    for module in network.modules():
        if isinstance(
            module, QuantizedActivation
        ):  # a power of two, for which floor with L = 8 has no failure
            module.threshold.data = 2.0 ** module.threshold.log2().round()
    report = verify(network, convert(network), held_out)
    assert {entry.verdict for entry in report.certificate} == {"EXHAUSTED"}
    assert report.composition.verdict == "EXHAUSTED"
    assert report.verdict == "lossless"
    assert report.output.ann_correct == report.output.snn_correct > 180
    assert (report.output.mismatches, report.output.max_abs_difference) == (0, 0.0)


def test_certificate_and_audit_that_disagree_are_a_contradiction(monkeypatch):
    monkeypatch.setattr(kernels, "available", lambda: False)  # or the table is asked, not the certificate
    monkeypatch.setattr(SiteCertificate, "reach", lambda self, currents: Reach(hits=1))
    report = verify(*floor_of_six(), [column(0.3)])
    assert report.worst is Verdict.ERROR
    assert "1 inputs fail by certificate, 0 by audit" in str(report.claims)


def test_the_command_certifies_as_it_is_told_and_prints_what_fails(run, model):
    code, out, _ = run(command, model, "--limit", 8)
    assert code == 0
    words = " ".join(out.split())  # the terminal wraps lines
    assert "by boundary (ieee-count-monotone)" in words
    failing = words.count(" fails on ")
    assert failing == words.count("; no repair found by bisection") + words.count("; mended by: ") > 0
    code, out, _ = run(command, model, "--limit", 8, "--certify", "off")
    assert code == 0
    assert "no site is decided for every number: not asked for" in " ".join(out.split())
    content = read(model.parent / "reports" / "report.json")
    assert {entry["verdict"] for entry in content["certificate"]} == {"UNKNOWN"}


def test_the_failing_intervals_survive_the_report_file_bit_for_bit(tmp_path):
    report = verify(*floor_of_six(), [column(0.3)])
    entry = read(save_report(report, tmp_path))["certificate"][0]
    assert float.fromhex(entry["mismatches"][0]["first"]) == FAILS
    assert (entry["mismatches"][0]["level"], entry["mismatches"][0]["spike_count"]) == (5, 4)
    assert entry["level_steps"][4] == FAILS.hex()
