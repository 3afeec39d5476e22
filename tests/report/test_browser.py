"""The report in a real browser."""

import re

import pytest

from qvm_verify.report.html import render_html
from tests.report import browser
from tests.report.contents import EVIL, lossless, refuted, with_sites

pytestmark = pytest.mark.skipif(
    browser.CHROMIUM is None, reason="no Chromium here: the report was not opened in a browser"
)


@pytest.fixture
def opened(tmp_path):
    """Return a function that saves the page of a report."""

    def save(content):
        path = tmp_path / "report.html"
        path.write_text(render_html(content), encoding="utf-8")
        return path

    return save


def luminance(colour):
    """Return the relative luminance of rgb(r, g, b) as WCAG 2 has it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a, b):
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "rows"), [(360, 6), (1280, 2)], ids=["phone", "desktop"])
def test_the_page_fits_its_window_and_can_be_read_in_the_light_and_in_the_dark(
    scheme, width, rows, opened, tmp_path
):
    page = opened(with_sites(refuted(), 12))
    found = browser.measure(tmp_path, page, scheme=scheme, width=width)
    assert found["width"] == width
    assert found["content"] <= width
    assert (found["cells"], found["seen"], found["clipped"]) == (12, True, 0)
    assert found["rows"] == rows
    assert (luminance(found["page"]) < 0.1) == (scheme == "dark")
    assert contrast(found["text"], found["page"]) > 7
    assert contrast(found["verdict"], found["page"]) > 4.5


@pytest.mark.parametrize("content", [lossless, lambda: refuted(EVIL)], ids=["lossless", "refuted, evil name"])
def test_the_browser_sees_the_verdict_and_the_strip_and_asks_nobody_for_anything(content, opened, tmp_path):
    content = content()
    page = opened(content)
    assert browser.requests(tmp_path, page) == set()
    dom = browser.run(tmp_path, page.as_uri())
    assert f"<strong>{content['verdict']}</strong>" in dom
    strip = dom.partition('id="strip"')[2].partition("</ol>")[0]
    assert strip.count("<li>") == 2
    assert "<script" not in dom


def test_a_page_that_loads_something_is_caught(tmp_path):
    page = tmp_path / "leaking.html"
    page.write_text('<img src="http://example.org/pixel.png">', encoding="utf-8")
    assert browser.requests(tmp_path, page) == {"http://example.org/pixel.png"}


def test_a_page_that_is_too_wide_is_caught(opened, tmp_path):
    page = opened(lossless())
    html = page.read_text(encoding="utf-8")
    page.write_text(html.replace("<main>", '<main><div style="width: 900px">wide</div>'), encoding="utf-8")
    assert browser.measure(tmp_path, page)["content"] > 360
