"""A real browser, driven by its command line: headless Chromium."""

import json
import re
import shutil
import subprocess
from html import escape

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

SCHEMES = {"dark": 0, "light": 1}  # blink's numbers

QUIET = (
    "--headless",
    "--no-sandbox",  # there is none for root, and the page is ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)

PROBE = """<script>
const style = (selector) => getComputedStyle(document.querySelector(selector));
const boxes = [...document.querySelectorAll("#strip li")].map((item) => item.getBoundingClientRect());
const clipped = [...document.querySelectorAll("#strip .mark, #verdict, figcaption")]
  .filter((element) => element.scrollWidth > element.clientWidth + 1).length;
parent.document.body.innerHTML = "<pre id=probe>" + JSON.stringify({
  width: innerWidth,
  content: document.documentElement.scrollWidth,
  page: style("body").backgroundColor,
  text: style("body").color,
  verdict: style("#verdict strong").color,
  rows: new Set(boxes.map((box) => box.top)).size,
  cells: boxes.length,
  seen: boxes.every((box) => box.width > 80 && box.height > 40),
  clipped: clipped,
}) + "</pre>";
</script>"""
"""Measures the page as it is laid out, and leaves the measurements where its frame was."""

FRAME = """<meta name="color-scheme" content="light dark">
<iframe style="width: {width}px; height: 844px; border: 0" srcdoc="{page}"></iframe>"""
"""A phone: no window of Chromium is narrower than 500, but a frame may be."""


def run(folder, url, *options, scheme="light"):
    """Open a page and return its DOM after it was laid out."""
    command = [
        CHROMIUM,
        *QUIET,
        f"--user-data-dir={folder / 'profile'}",
        f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        "--window-size=1400,1000",
        *options,
        "--dump-dom",
        url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def measure(folder, page, *, width=360, scheme="light"):
    """Return what PROBE finds on a copy of a page that lets it run, in a frame of a width."""
    html = page.read_text(encoding="utf-8")
    html, found = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    assert found == 1
    probed = folder / "probed.html"
    inside = escape(html.replace("</body>", f"{PROBE}</body>"))
    probed.write_text(FRAME.format(width=width, page=inside), encoding="utf-8")
    dom = run(folder, probed.as_uri(), scheme=scheme)
    return json.loads(re.search('<pre id="probe">(.*?)</pre>', dom)[1])


def requests(folder, page):
    """Return the addresses that a page asked for over the network, without the browser's own."""
    log = folder / "net.json"
    run(folder, page.as_uri(), f"--log-net-log={log}")
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = [event["params"] for event in events if "initiator" in event.get("params", {})]
    assert events
    return {one["url"] for one in asked if one["initiator"] != "not an origin"}
