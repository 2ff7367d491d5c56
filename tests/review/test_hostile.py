"""Text from the network and from people never comes alive on a page."""

from __future__ import annotations

import json
import re
import shutil
import sys
import unicodedata
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reviewed import Workspace

from gnomon.base import Name
from gnomon.review.findings.actions import draft_finding
from gnomon.review.pages.middleware import INVISIBLE
from gnomon.review.pages.templatetags.gnomon import net, prose, template_sentence
from gnomon.review.reviews.actions import UpdateText, publish_update
from gnomon.review.zones.actions import attach_run

SCRIPT = "<script>alert(1)</script>"
QUOTES = "\"'><img src=x onerror=alert(1)>"
BIDI = "abc\u202egnp.exe\u2066\u200f\u061c"
CONTROL = "a\x00b\x07c\x1b[31md\x7fe\x9bf\u2028g\ufeffh\ue000"
TEMPLATE = "{{ 7|add:7 }}{% now 'Y' %}"
HOSTILE = SCRIPT + QUOTES + BIDI + CONTROL + TEMPLATE


class _Markup(HTMLParser):
    """What a browser would take for markup."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.targets |= {value or "" for name, value in attrs if name in ("href", "src", "action")}


def _is_harmless(page: str) -> None:
    markup = _Markup(page)
    assert not markup.tags & {"script", "img", "style", "iframe", "object", "b>"}
    assert not [name for name in markup.attributes if name.startswith("on") or name == "style"]
    assert all(target[:1] in "/?#" and target[:2] != "//" for target in markup.targets)
    assert INVISIBLE.search(page) is None


def test_the_class_of_invisible_characters_is_complete() -> None:
    for point in range(sys.maxunicode + 1):
        ch = chr(point)
        category = unicodedata.category(ch)
        if INVISIBLE.match(ch):
            assert category in {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}, f"U+{point:04X} {category}"
        else:
            assert category not in {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"} or ch in "\t\n\r", f"U+{point:04X} {category}"


@given(st.text())
def test_prose_and_network_text_hold_no_markup(text: str) -> None:
    for shown in (prose(text), template_sentence(net(text))):
        assert set(re.findall(r"<[^>]*>", shown)) <= {"<p>", "</p>", "<br>"} or shown == template_sentence(net(text))
    assert "\n" not in net(text) and "\r" not in net(text) and INVISIBLE.search(net(text)) is None


def test_hostile_words_of_people_on_every_page(workspace: Workspace) -> None:
    w = workspace
    hostile = HOSTILE.replace("\x00", "")
    for person in (w.member, w.chair):
        person.name = person.organisation = hostile[:110]
        person.save()
    finding = draft_finding(
        w.member, w.area(3), hostile, evidence=[w.item()], properties=["security"], explanation=hostile
    )
    publish_update(w.member, w.area(3), UpdateText(hostile, hostile, hostile, hostile))
    w.review.name = w.review.purpose = hostile[:150]
    w.review.save()
    for address in (
        "/", "/r/test/", "/r/test/area/3/", "/r/test/f/", finding.get_absolute_url(), "/r/test/e/", "/r/test/e/1/",
        "/r/test/events/", "/events/", "/r/test/area/3/update", "/r/test/f/new",
    ):  # fmt: skip
        page = w.client("member").get(address).content.decode()
        _is_harmless(page)
    assert "&lt;script&gt;" in page or "&lt;script" in w.client("member").get("/r/test/f/").content.decode()


@pytest.mark.parametrize("address", ["/zones/", "/zone/", "/r/test/events/", "/sign-in", "/zones/nothing"])
def test_hostile_query_strings(workspace: Workspace, address: str) -> None:
    for name in ("q", "text", "level", "property", "check", "code", "page", "next"):
        response = workspace.client("anonymous").get(address, {name: HOSTILE}, follow=True)
        assert response.status_code in (200, 404)
        _is_harmless(response.content.decode())


def test_a_refused_form_gives_hostile_text_back_harmless(workspace: Workspace) -> None:
    response = workspace.client("member").post(
        "/r/test/f/new", {"statement": SCRIPT + QUOTES + BIDI, "check": HOSTILE, "code": HOSTILE}
    )
    _is_harmless(response.content.decode())
    response = workspace.client("member").post("/r/test/area/3/update", {"done": "", "next": SCRIPT + QUOTES + BIDI})
    _is_harmless(response.content.decode())


@pytest.fixture
def hostile_run(workspace: Workspace, evidence: Path, tmp_path: Path) -> Workspace:
    """The same run with verdicts whose zone, subject and facts are hostile."""
    copy = tmp_path / "run"
    shutil.copytree(evidence, copy)
    file = copy / "verdicts" / "default.parquet"
    table = pq.read_table(file)
    rows = table.to_pylist()
    zone = str(Name.from_wire(b'\x04<b>"\x06\x00\x1b\xe2\x80\xaex\x04test\x00')).lower()
    for row in rows:
        if row["zone"] == "z05.test.":
            facts = {key: [HOSTILE, HOSTILE] for key in json.loads(row["args"])}
            row["zone"], row["args"], row["subject"] = zone, json.dumps(facts), HOSTILE
        elif row["zone"] == "z06.test.":
            row["code"], row["check_id"] = HOSTILE, "no.such-check"
    pq.write_table(pa.Table.from_pylist(rows, table.schema), file)
    workspace.run = attach_run(workspace.operator, copy)
    return workspace


def test_hostile_words_of_the_network_on_every_page(hostile_run: Workspace) -> None:
    reader = hostile_run.client("anonymous")
    listing = reader.get("/zones/?text=test&page=1").content.decode() + reader.get("/zones/?page=2").content.decode()
    _is_harmless(listing)
    links = [unescape(link) for link in re.findall(r'href="(/zone/[^"]+)"', listing)]
    (hostile,) = [link for link in links if "%5C" in link]
    page = reader.get(hostile).content.decode()
    _is_harmless(page)
    assert "&lt;script&gt;" in page
    verdicts = {unescape(link) for link in re.findall(r'href="(/verdict/[^"]+)"', page)}
    for verdict in [*verdicts, "/verdict/no.such-check/z06.test/"]:
        response = reader.get(verdict)
        assert response.status_code == 200, verdict
        _is_harmless(response.content.decode())
