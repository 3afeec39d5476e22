"""`report.html`: a report as one file that needs nothing else, on paper, on a phone and in the dark."""

from qvm_verify.report.html.page import render_html

__all__ = ["render_html"]
