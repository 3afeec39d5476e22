from xml.etree import ElementTree as ET

from qvm_verify.report.junit import render_junit
from tests.report.contents import EVIL, empty, lossless, refuted


def cases(content):
    """Return what became of each test case, by site and property."""
    root = ET.fromstring(render_junit(content).encode())
    return {(case.get("classname"), case.get("name")): case for case in root.iter("testcase")}


def outcomes(content):
    return {key: [child.tag for child in case] for key, case in cases(content).items()}


def test_every_site_has_a_case_for_each_property_and_every_claim_one():
    content = lossless()
    found = outcomes(content)
    for site in ("first", "last"):
        for name in ("N = M, shadow", "N = M, end-to-end", "N = M for every number"):
            assert found[f"qvm-verify.{site}", name] == []
    assert found["qvm-verify.audit", "audit.outputs-equal"] == []
    assert len(found) == 6 + len(content["claims"])


def test_a_refuted_property_fails_with_its_counterexample_and_how_to_replay_it():
    content = refuted()
    (failure,) = cases(content)["qvm-verify.first", "N = M, shadow"]
    assert failure.tag == "failure"
    assert "N differs from M" in failure.get("message")
    assert content["counterexamples"][0]["replay"] in failure.text


def test_the_totals_are_those_of_the_cases():
    content = refuted()
    suite = ET.fromstring(render_junit(content).encode()).find("testsuite")
    found = list(outcomes(content).values())
    assert int(suite.get("tests")) == len(found)
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(name)) == found.count([tag])
    assert int(suite.get("failures")) > 0


def test_what_is_unknown_is_skipped_and_what_contradicts_itself_is_an_error():
    content = lossless()
    content["certificate"][0].update(verdict="UNKNOWN", mismatching_inputs=None, detail="nobody looked")
    content["claims"][0].update(verdict="ERROR", detail="two judges")
    found = cases(content)
    (skipped,) = found["qvm-verify.first", "N = M for every number"]
    assert (skipped.tag, skipped.get("message")) == ("skipped", "UNKNOWN: nobody looked")
    (error,) = found["qvm-verify.audit", content["claims"][0]["claim"]]
    assert (error.tag, error.get("message")) == ("error", "ERROR: two judges")


def test_a_certificate_fails_where_the_data_hit_it_and_is_never_silently_passed():
    content = lossless()
    key = ("qvm-verify.first", "N = M for every number")
    content["certificate"][0].update(verdict="REFUTED", mismatching_inputs=2, reached=0)
    assert outcomes(content)[key] == ["skipped"]
    content["certificate"][0].update(reached=1)
    assert outcomes(content)[key] == ["failure"]


def test_a_network_without_sites_is_never_all_green():
    assert any(found == ["skipped"] for found in outcomes(empty()).values())


def test_names_with_markup_and_control_characters_make_valid_xml():
    content = refuted(EVIL)
    for row in content["layers"]:
        row["site"] += "\x00\x1b[31m\x0b\ufffe\ud800"
    names = {key[0] for key in outcomes(content)}
    assert f"qvm-verify.{EVIL}\ufffd\ufffd[31m\ufffd\ufffd\ufffd" in names
