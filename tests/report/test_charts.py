import re

import pytest

from qvm_verify.report.html.charts import (
    certificate_line,
    layer_errors,
    level_scatter,
    margin_histogram,
    membrane_trace,
)
from qvm_verify.report.html.charts.certificate_line import LEFT, RIGHT
from qvm_verify.report.html.charts.layer_errors import BARS, Series
from qvm_verify.report.html.charts.membrane_trace import Step
from qvm_verify.report.html.svg import Scale, element, shortened


def attributes(svg, tag, class_):
    """Return the attributes of all elements of a class, numbers as numbers."""
    found = re.findall(rf'<{tag} ([^>]*class="{class_}"[^>]*)>', svg)
    return [{key: float(value) for key, value in re.findall(r'([\w-]+)="(-?[\d.]+)"', one)} for one in found]


def description(svg):
    return re.search("<desc>(.*?)</desc>", svg)[1]


def test_an_element_escapes_its_text_and_its_attributes():
    drawn = element("text", "<b>&", class_='a"b', stroke_width=1.25)
    assert drawn == '<text class="a&#34;b" stroke-width="1.2">&lt;b&gt;&amp;</text>'


def test_a_scale_keeps_to_its_ends():
    scale = Scale(0, 10, 100, 200)
    assert [scale(x) for x in (-5, 0, 5, 10, float("inf"))] == [100, 100, 150, 200, 200]
    assert Scale(3, 3, 100, 200)(3) == 100


def test_a_long_name_keeps_both_ends():
    assert shortened("short", 10) == "short"
    assert shortened("layer4.blocks.17.activation", 10) == "lay…vation"


def test_the_scatter_draws_discs_on_the_diagonal_and_squares_off_it():
    svg = level_scatter([(0, 0, 50), (4, 8, 2), (1, 1, 7)], levels=4, time_steps=8, title="t", most=9)
    assert len(attributes(svg, "circle", "good")) == 2
    assert len(attributes(svg, "rect", "bad")) == 1
    assert description(svg) == "7 of 59 spike counts lie off the diagonal."
    assert "M = 1, N = 1: 7" in svg


def test_the_scatter_grows_with_the_logarithm_and_puts_higher_counts_higher():
    svg = level_scatter([(0, 0, 1), (4, 4, 1000)], levels=4, time_steps=4, title="t", most=9)
    rare, frequent = sorted(attributes(svg, "circle", "good"), key=lambda a: a["r"])
    assert 1 < frequent["r"] / rare["r"] < 1000
    assert rare["cx"] < frequent["cx"]
    assert rare["cy"] > frequent["cy"]


def test_the_scatter_leaves_the_rarest_out_and_says_so():
    svg = level_scatter([(0, 0, 5), (1, 1, 1), (2, 2, 9)], levels=2, time_steps=2, title="t", most=2)
    assert len(attributes(svg, "circle", "good")) == 2
    assert "The 1 rarest pairs are left out" in svg
    assert "M = 1, N = 1" not in svg


def test_the_bars_of_a_layer_are_as_long_as_its_errors():
    series = [Series("streaming", "unsure", [0.5, 1.0]), Series("constant", "good", [0.0, None])]
    svg = layer_errors(["a", "b"], series, title="t")
    assert [bar["width"] for bar in attributes(svg, "rect", "unsure")] == [BARS / 2, BARS]
    assert [bar["width"] for bar in attributes(svg, "rect", "good")] == [0, 0]
    assert "not a number constant" in svg


def test_the_histogram_marks_what_lies_on_a_boundary_and_has_a_bar_for_a_single_current():
    svg = margin_histogram([1, 0, 1000], title="t")
    (on,) = attributes(svg, "rect", "bad")
    (far,) = attributes(svg, "rect", "plain")
    assert 0 < on["height"] < far["height"]
    assert description(svg) == "1001 currents; 1 lie on a boundary. The nearest are 0 ulp away."
    assert "3 to 6 ulp: 1000 currents" in svg


def certificate(**changes):
    entry = {
        "threshold": (1.0).hex(),
        "level_steps": [(0.25).hex(), (0.5).hex()],
        "count_steps": [(0.25).hex(), (0.75).hex()],
        "mismatches": [
            {"first": (0.5).hex(), "last": (0.75).hex(), "inputs": 9, "level": 2, "spike_count": 1}
        ],
        "mismatching_inputs": 9,
    }
    return {**entry, **changes}


def test_the_number_line_puts_steps_and_intervals_where_they_are():
    svg = certificate_line(certificate(), title="t", most=9)
    width = RIGHT - LEFT
    assert [step["x1"] for step in attributes(svg, "line", "level")] == [LEFT + width / 4, LEFT + width / 2]
    (interval,) = attributes(svg, "rect", "bad")
    assert (interval["x"], interval["width"]) == (LEFT + width / 2, width / 4)
    assert "0x1.0000000000000p-1 to 0x1.8000000000000p-1: M = 2, N = 1" in svg


def test_the_number_line_reaches_past_the_threshold_where_a_step_does():
    svg = certificate_line(certificate(count_steps=[(2.0).hex(), "inf"]), title="t", most=9)
    assert attributes(svg, "line", "threshold")[0]["x1"] == pytest.approx((LEFT + RIGHT) / 2)
    assert attributes(svg, "line", "count")[0]["x1"] == RIGHT


@pytest.mark.parametrize("ends", [("-inf", "-0x1.0p+0"), ("inf", "inf"), ("nan", "nan")])
def test_an_interval_outside_the_line_is_marked_at_its_end(ends):
    outside = {"first": ends[0], "last": ends[1], "inputs": 1, "level": None, "spike_count": 0}
    svg = certificate_line(certificate(mismatches=[outside]), title="t", most=9)
    (mark,) = attributes(svg, "rect", "bad")
    assert mark["x"] + 1 in (LEFT, RIGHT)


def trace(steps, **changes):
    settings = {"threshold": 1.0, "v_init": 0.5, "title": "t", "most": 64}
    return membrane_trace(steps, **{**settings, **changes})


def test_the_trace_rises_to_u_falls_to_v_and_marks_each_spike():
    svg = trace([Step(1.25, True, 0.25), Step(1.0, False, 1.0)])
    points = [tuple(map(float, p.split(","))) for p in re.search('points="([^"]*)"', svg)[1].split()]
    assert len(points) == 5
    heights = [y for _, y in points]
    threshold = attributes(svg, "line", "threshold")[0]["y1"]
    assert heights[1] < threshold < heights[2] < 210  # up is a smaller y
    assert heights[3] == heights[4] == threshold
    assert points[1][0] == points[2][0] < points[3][0]
    assert len(attributes(svg, "circle", "spike")) == 1
    assert "it fires at 1." in description(svg)


def test_a_trace_that_is_cut_says_so():
    steps = [Step(0.0, False, 0.0)] * 10
    assert "Only the first 4 of 10 time-steps are drawn" in trace(steps, most=4)
    assert "it fires never." in description(trace(steps))


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_trace_of_potentials_that_are_not_finite_is_drawn(value):
    svg = trace([Step(value, False, value)])
    points = re.search('points="([^"]*)"', svg)[1]
    assert "nan" not in points
    assert "inf" not in points
