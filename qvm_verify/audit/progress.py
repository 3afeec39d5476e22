"""How far an audit has come: on the console for people, as events for programs."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress

from qvm_verify.audit.certification import Reach, SiteCertificate
from qvm_verify.audit.dataset import Listeners
from qvm_verify.audit.tally import Tally
from qvm_verify.report import Report
from qvm_verify.report.events import EventLog
from qvm_verify.report.model import MODES


def listeners(progress: Progress, console: Console, events: EventLog) -> Listeners:
    """Return what tells both how far an audit has come."""
    auditing = progress.add_task("auditing", total=None)
    certifying = progress.add_task("certifying", total=None, visible=False)

    def on_certificate(certificate: SiteCertificate) -> None:
        result = certificate.result(Reach())
        events.write(
            "certificate",
            site=result.site,
            verdict=result.verdict,
            detail=result.detail,
            mismatching_inputs=result.mismatching_inputs,
        )

    def on_resume(done: int, batches: int) -> None:
        console.print(f"going on where an earlier run ended: {done} of {batches} batches are done")
        events.write("resume", batches_done=done, batches=batches)

    def on_batch(number: int, seen: Tally) -> None:
        mismatches = {mode: sum(site.mismatches for site in seen.sites(mode).values()) for mode in MODES}
        events.write("batch", batch=number, images=seen.output.samples, mismatches=mismatches)

    return Listeners(
        on_inputs=lambda site, inputs: progress.update(
            certifying, visible=True, description=f"certifying {site}", completed=inputs
        ),
        on_certificate=on_certificate,
        on_resume=on_resume,
        on_images=lambda images, total: progress.update(auditing, completed=images, total=total),
        on_batch=on_batch,
    )


def tell_report(report: Report, events: EventLog) -> None:
    """Write an event for every site in each mode, for every claim, and for the verdict."""
    for row in report.layers:
        events.write(
            "site",
            site=row.site,
            mode=row.mode,
            mismatches=row.spike_count_mismatches,
            compared=row.neurons * row.samples,
        )
    for claim in report.claims:
        events.write("claim", claim=claim.claim, verdict=claim.verdict.name, detail=claim.detail)
    events.write("verdict", verdict=report.verdict, exit_code=int(report.exit_code))
