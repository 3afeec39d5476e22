"""What an audit found: as data, as `report.json`, in the terminal, and in every form made from that file."""

from qvm_verify.report.files import read_report, save_report, schema
from qvm_verify.report.formats import save_formats
from qvm_verify.report.model import Report

__all__ = ["Report", "read_report", "save_formats", "save_report", "schema"]
