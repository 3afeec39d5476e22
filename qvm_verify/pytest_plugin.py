"""The pytest plugin: an audit as tests, one item for each layer and property.

    pytest --qvm-model model.pt --qvm-data npz:images.npz

It is registered as a `pytest11` entry point and does nothing, PyTorch not even imported, where --qvm-model
is not given. The audit runs once, when the first of its items does; an option `--qvm-X` is the option
`--X` of `python -m qvm_verify.audit`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest

from qvm_verify.exits import ContradictionError, InputError
from qvm_verify.option_types import positive_integer

if TYPE_CHECKING:
    from qvm_verify.report import Report

PASSED_ON = {
    "data": "the images (default: digits)",
    "limit": "audit the first N images only",
    "levels": "levels of a bare state dict",
    "quantizer": "quantizer of a bare state dict",
    "pooling": "pooling of a bare state dict",
    "arch": "a network of your own, package.module:factory",
    "calibrate": "how to measure the thresholds of a ReLU network",
    "calibrate-data": "the images to measure them on",
    "batch-size": "images at a time",
    "time-steps": "T (default: the levels)",
    "v-init": "V0 as a fraction of each threshold (default: matched)",
    "firing": "when a neuron fires: >= or >",
    "reset": "what a spike does: reset_by_subtraction or reset_to_zero",
    "threshold-scale": "multiply every threshold",
    "currents": "constant or streaming",
    "dtype": "arithmetic of both networks",
    "device": "PyTorch device",
    "certify": "boundary, exhaustive or off",
    "seed": "of the sampled neurons",
}
"""Options of the audit that the plugin passes on."""
NETWORK_PROPERTIES = {
    "outputs": "audit.outputs-equal",
    "reference": "audit.torch-agrees-with-reference",
    "everything-seen": "audit.everything-seen",
    "counterexamples-replay": "audit.counterexamples-replay",
    "certificates-agree": "audit.certificates-agree",
}
"""Properties of the whole network, and the claim of the report that each is."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("qvm-verify", "audit a converted spiking network")
    group.addoption("--qvm-model", metavar="MODEL", help="checkpoint to audit, one test a layer and property")
    for name, text in PASSED_ON.items():
        group.addoption(f"--qvm-{name}", metavar=name.replace("-", "_").upper(), help=text)


@pytest.hookimpl(tryfirst=True)  # before the items are selected by -k
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the items of the audit, if a model is given."""
    if config.getoption("--qvm-model") is not None:
        items += _items(session, config)


def _items(session: pytest.Session, config: pytest.Config) -> Iterable[pytest.Item]:
    from qvm_verify import networks
    from qvm_verify.audit.sites import find_sites, is_activation

    model: str = config.getoption("--qvm-model")
    try:
        levels = config.getoption("--qvm-levels")
        network = networks.load(
            model,
            levels=None if levels is None else positive_integer(levels),
            quantizer=config.getoption("--qvm-quantizer"),
            pooling=config.getoption("--qvm-pooling"),
            arch=config.getoption("--qvm-arch"),
        )
        sites = list(find_sites(network, is_activation))
    except (InputError, argparse.ArgumentTypeError) as error:
        raise pytest.UsageError(f"--qvm-model {error}") from error
    audit = _Audit(model, config)
    for site in sites:
        for name, check in LAYER_PROPERTIES.items():
            yield AuditItem.of(session, f"{site}::{name}", audit, check, site)
    for name, claim in NETWORK_PROPERTIES.items():
        yield AuditItem.of(session, f"(network)::{name}", audit, check_claim, claim)


class _Audit:
    """The audit of a session, run when it is first asked for."""

    def __init__(self, model: str, config: pytest.Config) -> None:
        self._arguments = [model]
        for name in PASSED_ON:
            value = config.getoption(f"--qvm-{name}")
            if value is not None:
                self._arguments.append(f"--{name}={value}")
        self._report: Report | InputError | ContradictionError | None = None

    def report(self) -> Report:
        """Return the report. Raises InputError, again each time, where the audit cannot be run."""
        if self._report is None:
            from qvm_verify.audit.command import quiet_audit

            try:
                self._report = quiet_audit(self._arguments)
            except (InputError, ContradictionError) as error:
                self._report = error
        if isinstance(self._report, InputError | ContradictionError):
            raise self._report
        return self._report


class AuditItem(pytest.Item):
    """One property of one layer, or of the whole network."""

    audit: _Audit
    check: Callable[[Report, str], None]
    about: str

    @classmethod
    def of(
        cls,
        session: pytest.Session,
        name: str,
        audit: _Audit,
        check: Callable[[Report, str], None],
        about: str,
    ) -> AuditItem:
        """Return an item with the id `qvm-verify::SITE::PROPERTY`."""
        item: AuditItem = cls.from_parent(session, name=name, nodeid=f"qvm-verify::{name}")
        item.audit, item.check, item.about = audit, check, about
        return item

    def runtest(self) -> None:
        """Run the audit if no item did yet, and look at this property."""
        try:
            report = self.audit.report()
        except (InputError, ContradictionError) as error:
            pytest.fail(f"the audit cannot be run: {error}", pytrace=False)
        self.check(report, self.about)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Say where the item comes from."""
        return "qvm-verify", None, ""


def check_counts(report: Report, site: str, mode: str) -> None:
    """Fail unless N = M at every neuron of a site; the message is the trace of a counterexample."""
    from qvm_verify.counterexamples import explain

    rows = [row for row in report.layers if _is_of(row.site, site) and row.mode == mode]
    if not rows:
        reasons = "; ".join(f"{finding.site} {finding.sentence}" for finding in report.findings)
        pytest.fail(f"{site} was not looked at: {reasons}", pytrace=False)
    mismatches = sum(row.spike_count_mismatches for row in rows)
    if mismatches:
        compared = sum(row.neurons * row.samples for row in rows)
        lines = [
            f"{report.verdict}: {mismatches} of {compared} spike counts differ from their levels ({mode})"
        ]
        found = (c for c in report.counterexamples if _is_of(c.site, site) and c.mode == mode)
        lines += [explain(counterexample) for counterexample in list(found)[:1]]
        pytest.fail("\n".join(lines), pytrace=False)


def check_shadow(report: Report, site: str) -> None:
    """Look at a site that is fed exactly what the ANN's activation received."""
    check_counts(report, site, "shadow")


def check_end_to_end(report: Report, site: str) -> None:
    """Look at a site where the spiking network runs by itself."""
    check_counts(report, site, "end-to-end")


def check_certificate(report: Report, site: str) -> None:
    """Fail where the data hit a number that fails; expect to fail where only other numbers do."""
    entries = [entry for entry in report.certificate if _is_of(entry.site, site)]
    if not entries or any(entry.verdict == "UNKNOWN" for entry in entries):
        details = "; ".join(entry.detail for entry in entries) or "there is no certificate"
        pytest.skip(f"not decided beyond the data: {details}")
    for entry in entries:
        if entry.verdict == "REFUTED":
            reason = f"N differs from M on {entry.mismatching_inputs} {entry.dtype} numbers"
            if entry.reached:
                pytest.fail(f"{site}: {reason}; the data hit {entry.reached} of them", pytrace=False)
            pytest.xfail(f"{reason}, which no image hit")


LAYER_PROPERTIES: dict[str, Callable[[Report, str], None]] = {
    "shadow": check_shadow,
    "end-to-end": check_end_to_end,
    "certificate": check_certificate,
}
"""Properties of each layer."""


def check_claim(report: Report, claim: str) -> None:
    """Fail where a claim of the report is worse than TESTED; skip where it was not made."""
    found = [evidence for evidence in report.claims if evidence.claim == claim]
    if not found and claim not in ("audit.everything-seen", "audit.counterexamples-replay"):
        pytest.skip("there was nothing to judge it by")
    for evidence in found:
        if evidence.verdict < evidence.verdict.TESTED:
            pytest.fail(f"{evidence.verdict.name}: {evidence.detail}", pytrace=False)


def _is_of(name: str, site: str) -> bool:
    """Tell whether a call's name, like act or act#2, is that of a site."""
    return name.partition("#")[0] == site
