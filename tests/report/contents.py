"""Contents of reports, made by real audits of networks of two sites, for the formats to show."""

import copy
import json
import tempfile
from collections import OrderedDict
from dataclasses import replace
from functools import cache

import torch
from torch import nn

from qvm_verify.audit import verify
from qvm_verify.audit.currents import compare_currents
from qvm_verify.report import save_report
from qvm_verify.snn import QuantizedActivation, convert
from tests.small_networks import column

EVIL = "<script>alert('1')</script>|`a`&"
"""What somebody may name a module; torch forbids dots only."""


@cache
def _content(name, **deviation):
    sites = OrderedDict([(name, QuantizedActivation(4, "floor")), ("last", QuantizedActivation(4, "floor"))])
    ann = nn.Sequential(sites).eval()
    images = column(0.3, 0.2, 0.75, 1.5)
    model = {"file": f"{name}.pt", "architecture": "two sites", "levels": 4}
    report = verify(ann, convert(ann, **deviation), [images], model=model)
    report = replace(report, currents_comparison=compare_currents(ann, images))
    with tempfile.TemporaryDirectory() as folder:
        return json.loads(save_report(report, folder).read_text(encoding="utf-8"))


def lossless(name="first"):
    return copy.deepcopy(_content(name))


def refuted(name="first"):
    return copy.deepcopy(_content(name, v_init=0.5))


def empty():
    """A report on a network without any site."""
    ann = nn.Sequential(nn.Linear(1, 1)).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = save_report(verify(ann, ann, [torch.ones(1, 1)]), folder)
        return json.loads(path.read_text(encoding="utf-8"))


def with_sites(content, count):
    """Return a report as if the network had `count` sites like its first."""
    large = copy.deepcopy(content)
    first = content["layers"][0]["site"]
    for key in ("layers", "certificate", "counterexamples"):
        like = [item for item in content[key] if item["site"] == first]
        large[key] = [{**item, "site": f"site{k}"} for k in range(count) for item in like]
    for number, item in enumerate(large["counterexamples"], start=1):
        item["id"] = f"C{number}"
    large["layers"].sort(key=lambda row: row["mode"] != "shadow")
    return large
