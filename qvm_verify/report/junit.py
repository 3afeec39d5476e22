"""`junit.xml`: a test case for each layer and property, as CI servers read it."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

from qvm_verify.report.sentences import counterexample_sentence

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference."""


def render_junit(content: dict[str, Any]) -> str:
    """Return one suite: every site in each mode, every certificate, every claim of the whole audit.

    A refuted property is a failure with its first counterexample, a contradiction of the tool an error, and
    what is UNKNOWN is skipped, so that it is never read as passed.
    """
    suite = ET.Element("testsuite", name="qvm-verify")
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for item in content["counterexamples"]:
        first.setdefault((item["site"], item["mode"]), item)
    for row in content["layers"]:
        case = _case(suite, row["site"], f"N = M, {row['mode']}")
        if row["spike_count_mismatches"]:
            compared = row["neurons"] * row["samples"]
            message = f"N differs from M {row['spike_count_mismatches']} times in {compared}"
            _failure(case, message, first.get((row["site"], row["mode"])))
    for entry in content["certificate"]:
        case = _case(suite, entry["site"], "N = M for every number")
        if entry["verdict"] == "UNKNOWN":
            _outcome(case, "skipped", f"UNKNOWN: {entry['detail']}")
        elif entry["mismatching_inputs"]:
            # The data may never reach these numbers: the audit's verdict does not rest on them.
            found = f"N differs from M on {entry['mismatching_inputs']} numbers"
            reached = f"the data hit {entry['reached']} of them"
            if entry["reached"]:
                _failure(case, f"{found}; {reached}", None)
            else:
                _outcome(case, "skipped", f"{found}; {reached}")
    for claim in content["claims"]:
        case = _case(suite, "audit", claim["claim"])
        kind = {"REFUTED": "failure", "ERROR": "error", "UNKNOWN": "skipped"}.get(claim["verdict"])
        if kind is not None:
            _outcome(case, kind, f"{claim['verdict']}: {claim['detail']}")
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        suite.set(attribute, str(len(list(suite.iter(tag)))))
    suite.set("skipped", str(len(list(suite.iter("skipped")))))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(suite: ET.Element, site: str, name: str) -> ET.Element:
    return ET.SubElement(
        suite, "testcase", classname=f"qvm-verify.{_clean(site)}", name=_clean(name), time="0"
    )


def _failure(case: ET.Element, message: str, item: dict[str, Any] | None) -> None:
    failure = _outcome(case, "failure", message)
    if item is not None:
        failure.text = _clean(f"{counterexample_sentence(item)}\n{item['replay']}")


def _outcome(case: ET.Element, kind: str, message: str) -> ET.Element:
    return ET.SubElement(case, kind, message=_clean(message))


def _clean(text: str) -> str:
    return NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
