"""What an audit found: as data, as `report.json`, in the terminal, and in every form made from that file."""

from typing import TYPE_CHECKING

from qvm_verify.lazy_names import lazily

if TYPE_CHECKING:
    from qvm_verify.report.files import read_report, save_report, schema
    from qvm_verify.report.formats import save_formats
    from qvm_verify.report.model import Report

__all__ = ["Report", "read_report", "save_formats", "save_report", "schema"]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Report": "qvm_verify.report.model",
        "read_report": "qvm_verify.report.files",
        "save_formats": "qvm_verify.report.formats",
        "save_report": "qvm_verify.report.files",
        "schema": "qvm_verify.report.files",
    },
)
