"""The pictures of a report: one chart, one file, one function that draws it."""

from qvm_verify.report.html.charts.certificate_line import certificate_line
from qvm_verify.report.html.charts.layer_errors import layer_errors
from qvm_verify.report.html.charts.level_scatter import level_scatter
from qvm_verify.report.html.charts.margin_histogram import margin_histogram
from qvm_verify.report.html.charts.membrane_trace import membrane_trace

__all__ = ["certificate_line", "layer_errors", "level_scatter", "margin_histogram", "membrane_trace"]
