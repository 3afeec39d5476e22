"""What an audit found: as data, as `report.json`, as a table in the terminal."""

from qvm_verify.report.files import read_report, save_report, schema
from qvm_verify.report.model import Report

__all__ = ["Report", "read_report", "save_report", "schema"]
