"""The searchable page of all checks: complete, self-contained, current."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gnomon.checks.catalogue import render_html
from gnomon.checks.registry import all_checks

CHROMIUM = shutil.which("chromium")
PAGE = Path(__file__).parents[2] / "docs" / "checks" / "index.html"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        if tag == "article":
            self.ids.add(of["id"] or "")
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action")]


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == render_html(), "run: make docs"


def test_every_check_is_there_and_nothing_comes_from_elsewhere() -> None:
    text, reader = render_html(), _Reader()
    reader.feed(text)
    assert reader.ids == set(all_checks())
    assert all(link.startswith("#") for link in reader.links)
    assert not re.search(r"url\(|@import|https?:", re.sub(r"<article.*?</article>", "", text, flags=re.DOTALL))
    assert not re.search(r"<!-- \w+ -->", text)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
def test_words_and_choices_hide_what_does_not_fit() -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(PAGE.as_uri())
        visible = page.locator("article:visible")
        assert visible.count() == len(all_checks())
        page.fill("input", "mx_aaaa")
        assert [one.get_attribute("id") for one in visible.all()] == ["mail.mx-v6"]
        page.fill("input", "")
        page.select_option("select[name=family]", "soa")
        assert {one.get_attribute("data-family") for one in visible.all()} == {"soa"}
        page.goto(PAGE.as_uri() + "#mail.dmarc")
        assert page.locator("[id='mail.dmarc'] details").get_attribute("open") is not None
        browser.close()
