"""A person with a browser, on the real server: from the front page to a packet, and writing."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PASSWORD = "correct horse battery"
_SEED = """
import sys
from pathlib import Path
from gnomon.evidence import EvidenceDir
from gnomon.insight.indicator import compute
from gnomon.review import setup
data, evidence = map(Path, sys.argv[1:3])
setup(data)
from gnomon.review.demo import seed
seed(evidence, compute(evidence, EvidenceDir.open(evidence).run.run_id), sys.argv[3])
"""
_SERVE = """
import sys
from pathlib import Path
from gnomon.review import serve
serve(Path(sys.argv[1]), int(sys.argv[2]))
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
]
playwright = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, evidence: Path) -> Iterator[str]:
    """The demonstration, served as `gnomon serve` does."""
    data = tmp_path_factory.mktemp("workspace")
    subprocess.run([sys.executable, "-c", _SEED, str(data), str(evidence), PASSWORD], check=True, timeout=300)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(data), str(port)])
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=5).read()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)


class Watched:
    """A page that notes everything it should not do."""

    def __init__(self, page: object, server: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: self._request(request.url, server))

    def _request(self, url: str, server: str) -> None:
        if not url.startswith(server + "/"):
            self.complaints.append(f"foreign request: {url}")


@pytest.fixture
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


def test_from_the_front_page_to_a_packet(server: str, browser: object) -> None:
    watched = Watched(browser.new_page(), server)
    page = watched.page
    page.goto(server)
    page.get_by_role("link", name="Demonstration review").click()
    page.get_by_role("navigation", name="Review").get_by_role("link", name="Findings").click()
    page.locator("main .entries a").first.click()
    assert page.get_by_role("heading", level=1).inner_text()[0].isdigit()
    page.locator("main .chain a", has_text="E-2").click()
    page.locator("main table a").first.click()
    page.locator("main table a").first.click()
    assert "QUESTION SECTION" in page.locator("main pre").first.inner_text()
    page.locator("main summary").first.click()
    assert re.search(r"[0-9a-f]{2} [0-9a-f]{2}", page.locator("main details pre").first.inner_text())
    assert watched.complaints == []


def test_signing_in_and_writing(server: str, browser: object) -> None:
    watched = Watched(browser.new_page(), server)
    page = watched.page
    page.goto(f"{server}/r/demo/area/4/update")
    page.get_by_label("Account").fill("ivo")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_label("Done this week").fill("Ran the drills again.\n\nNothing new.")
    page.get_by_role("button", name="Publish").click()
    assert page.get_by_text("Ran the drills again.").is_visible()

    page.goto(f"{server}/verdict/del.lame/z00.test/")
    page.get_by_role("link", name="Make a finding in demo").click()
    assert "do not meet the rule" in page.get_by_label("Statement").input_value()
    page.get_by_label("Statement").fill("A finding written in a browser.")
    page.get_by_role("button", name="Save the draft").click()
    assert page.get_by_role("heading", level=1).inner_text() == "A finding written in a browser."
    assert page.get_by_text("Draft", exact=True).first.is_visible()
    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_role("link", name="Sign in").is_visible()
    assert watched.complaints == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_scrolls_sideways(server: str, browser: object, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    for address in (
        "/", "/zones/", "/zone/z03.test/", "/verdict/del.lame/z00.test/", "/checks/", "/check/del.lame/", "/r/demo/",
        "/r/demo/area/3/", "/r/demo/f/", "/r/demo/f/1/", "/r/demo/e/", "/r/demo/e/1/", "/r/demo/e/2/", "/r/demo/rec/",
        "/r/demo/rec/1/", "/r/demo/events/", "/run/01REVIEWTEST/", "/sign-in",
    ):  # fmt: skip
        page.goto(server + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


_CONTRAST = """() => {
  const luminance = c => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => { v /= 255;
    return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c) && c !== 'transparent') return c; } return 'rgb(255,255,255)'; };
  const weak = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility()) continue;
    const [a, b] = [luminance(getComputedStyle(e).color), luminance(ground(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) weak.push([e.tagName, e.className, e.textContent.trim().slice(0, 40), ratio.toFixed(2)]);
  }
  return weak; }"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(server: str, browser: object, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    for address in ("/", "/zone/z03.test/", "/r/demo/", "/r/demo/area/4/", "/r/demo/f/1/", "/r/demo/rec/1/"):
        page.goto(server + address)
        assert page.evaluate(_CONTRAST) == [], address


def test_the_keyboard_reaches_the_content_first(server: str, browser: object) -> None:
    page = browser.new_page()
    page.goto(f"{server}/r/demo/")
    page.keyboard.press("Tab")
    skip = page.evaluate("document.activeElement.textContent")
    assert skip == "Skip to the content"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_page_prints(server: str, browser: object, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(f"{server}/r/demo/f/1/")
    page.emulate_media(media="print")
    assert not page.locator("header nav").is_visible() and page.locator("h1").is_visible()
    assert page.pdf(path=tmp_path / "page.pdf")[:5] == b"%PDF-"


def test_static_files_and_pages_are_small(server: str) -> None:
    with urllib.request.urlopen(f"{server}/static/gnomon.css", timeout=10) as answer:
        assert answer.headers["content-type"] == "text/css" and len(answer.read()) <= 20 * 1024
