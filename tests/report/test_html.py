import json
import re
from html.parser import HTMLParser

import pytest

from qvm_verify.report.html import render_html
from qvm_verify.report.sentences import verdict_sentence
from tests.report.contents import EVIL, empty, lossless, refuted, with_sites

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """The elements of a page, in order, with the text right inside; fails where tags do not match."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.text = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self):
        return " ".join("".join(self.text).split())


PAGES = {
    "lossless": lossless,
    "refuted": refuted,
    "evil": lambda: refuted(EVIL),
    "no site": empty,
    "fifty sites": lambda: with_sites(refuted(), 50),
}


@pytest.fixture(params=PAGES)
def content(request):
    return PAGES[request.param]()


def test_the_page_says_the_verdict_in_the_one_sentence_that_every_format_uses(content):
    page = Page(render_html(content))
    sentence = " ".join(verdict_sentence(content).split())
    assert f"{content['verdict']}{sentence}" in page.words
    assert {"class": f"verdict {content['verdict']}", "id": "verdict"} in page.all("div")


def test_the_page_loads_nothing_and_runs_nothing(content):
    html = render_html(content)
    page = Page(html)
    assert {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "object", "base"} == set()
    for _, attributes in page.elements:
        assert not [
            name for name in attributes if name in ("src", "srcset", "style") or name.startswith("on")
        ]
    assert "url(" not in html
    assert "@import" not in html
    policies = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_every_link_leads_to_a_place_on_the_page_and_no_place_is_there_twice(content):
    page = Page(render_html(content))
    places = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(places) == len(set(places))
    for link in page.all("a"):
        assert link["href"].removeprefix("#") in places


def test_every_picture_says_what_is_in_it_and_every_table_names_its_heads(content):
    html = render_html(content)
    pictures = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(pictures) == html.count("<svg")
    for picture in pictures:
        assert re.match(r'<svg [^>]*role="img"[^>]*><title>[^<]+</title><desc>[^<]+</desc>', picture)
    assert all(head.get("scope") in ("row", "col") for head in Page(html).all("th"))


def test_names_are_text_wherever_they_stand():
    html = render_html(refuted(EVIL))
    assert "<script" not in html
    assert "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;" in html
    assert EVIL in Page(html).words


def test_the_strip_shows_every_site_with_its_three_verdicts():
    content = refuted()
    page = Page(render_html(content))
    shadow = [row for row in content["layers"] if row["mode"] == "shadow"]
    assert [link["href"] for link in page.all("a")][:2] == ["#site-0", "#site-1"]
    strip = page.words.partition("layer by layer")[2].partition("Shadow:")[0].split()
    assert [word for word in strip if word in ("first", "last")] == [row["site"] for row in shadow]
    assert strip.count("REFUTED") + strip.count("TESTED") + strip.count("EXHAUSTED") == 6


def test_what_was_tested_never_looks_like_what_is_proved():
    html = render_html(lossless())
    assert '<span class="word TESTED">TESTED</span> on ' in html
    assert '<span class="word TESTED">TESTED</span></td>' not in html
    style = html.partition("<style>")[2].partition("</style>")[0]
    rules = re.findall(r"\n([^{}\n]*)\{ --tone: var\(--(\w+)\); \}", style)
    tones = {word: tone for words, tone in rules for word in re.findall(r"\.([A-Z]+)", words)}
    assert set(tones) == {"PROVED", "EXHAUSTED", "TESTED", "UNKNOWN", "ERROR", "REFUTED"}
    assert tones["TESTED"] not in (tones["PROVED"], tones["EXHAUSTED"], tones["REFUTED"], tones["UNKNOWN"])


def test_a_certificate_that_fails_where_the_data_never_came_is_told_from_one_that_the_data_hit():
    content = lossless()
    failing = refuted()["certificate"][0]
    content["certificate"][0] = {**failing, "reached": 0}
    assert 'class="word unreached">REFUTED' in render_html(content)
    content["certificate"][0].update(reached=1)
    assert 'class="word unreached">REFUTED' not in render_html(content)


def test_a_counterexample_is_drawn_listed_step_by_step_and_carries_its_replay_command():
    content = refuted()
    item = content["counterexamples"][0]
    page = Page(render_html(content))
    assert {"id": item["id"], "open": None} in page.all("details")
    assert item["replay"] in page.words
    for step in item["trace"]["steps"]:
        assert step["u"] in page.words
        assert step["v"] in page.words
    assert f"T = {item['time_steps']}" in page.words


def test_an_explained_counterexample_shows_its_cause_its_distances_and_the_simplest_case_like_it():
    content = refuted()
    item = content["counterexamples"][0]
    steps = [{**step, "threshold_ulps": -3 if step["spike"] else 5} for step in item["trace"]["steps"]]
    trace = {"z": "0x1.8p+0", "boundary": "0x1.0p-2", "boundary_ulps": -7, "steps": steps}
    explained = {"trace": trace, "causes": ["v-init"], "diagnosis": "with V0 matched: M = 0, N = 0"}
    item.update(explained)
    item["minimal"] = {**item, "trace": {**trace, "steps": steps[:1]}, "minimal": None}
    page = Page(render_html(content))
    assert "Cause: v-init. Run again with V0 matched: M = 0, N = 0." in page.words
    assert "1.5 0x1.8p+0" in page.words
    assert "x is -7 ulp from it" in page.words
    assert "-3 ulp from θ" in page.words
    assert "The simplest case that fails for the same cause" in page.words


def test_a_large_report_stays_small_and_says_what_it_left_out():
    content = with_sites(refuted(), 120)
    many = [[m, n, 10] for m in range(33) for n in range(33)]
    for row in content["layers"]:
        row.update(levels=32, time_steps=32, level_spike_counts=many)
    html = render_html(content)
    assert len(html.encode()) < 2_000_000
    left_out = int(re.search(r"(\d+) sites have no section of their own", html)[1])
    assert html.count('-detail">\n') == 120 - left_out > 10
    assert "969 rarest pairs are left out" in html
    assert re.search(r"\d+ more, without a picture", html)


def test_sites_that_failed_have_a_section_before_those_that_did_not():
    content = with_sites(lossless(), 120)
    failing = [row for row in content["layers"] if row["site"] == "site119"]
    many = [[m, n, 10] for m in range(33) for n in range(33)]
    for row in content["layers"]:
        row.update(levels=32, time_steps=32, level_spike_counts=many)
    assert 'id="site-119-detail"' not in render_html(content)
    failing[0]["spike_count_mismatches"] = 1
    assert 'id="site-119-detail"' in render_html(content)


def test_errors_that_are_no_numbers_are_called_so():
    content = refuted()
    for row in content["layers"]:
        row.update(conversion_error={"mean": None, "max": None}, max_abs_difference=None)
    content["currents_comparison"] = None
    assert "not a number" in Page(render_html(content)).words


def test_a_report_without_a_model_is_shown(content):
    content["model"] = {}
    assert json.dumps(content["verdict"])[1:-1] in Page(render_html(content)).words
