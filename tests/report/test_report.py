"""The report: one self-contained page, the same for the same evidence, and no text of the network alive in it."""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from gnomon.base import Level, Name
from gnomon.insight.tables import write_tables
from gnomon.judge import judge
from gnomon.lab import Placement, build_world
from gnomon.report import Advice, Finding, Report, Review, Source, gather, render
from gnomon.report.model import Example, Problem
from worlds import ZONE, routes, survey

HOSTILE = "<script>alert(1)</script>\u202egnp.exe\x1b[31m&\x00"
EVERY = bytes(range(256)).decode("latin-1") + "".join(
    ch for ch in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(ch) in ("Cc", "Cf", "Zl", "Zp")
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("report")
    world = build_world(faults=[Placement("expired-signatures", "all", Name.from_text(ZONE))])
    survey(world, folder / "run", [ZONE, "other.test."])
    judge(folder / "run", routing=routes(world, folder / "asn.csv"))
    write_tables(folder / "run")
    return gather(folder / "run")


class Page(HTMLParser):
    """Tags, attributes that could fetch or run something, and ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (name in ("src", "href", "xlink:href") and not (value or "").startswith("#")):
                self.fetched.append(f"{tag} {name}={value}")
            if name == "id" and value:
                self.ids.append(value)
            if name == "href" and value:
                self.links.append(value.removeprefix("#"))


def test_the_page_stands_alone_and_its_links_lead_somewhere(report: Report) -> None:
    page = Page(render(report))
    assert not {"script", "iframe", "object", "embed", "link", "img"} & set(page.tags)
    assert page.fetched == []
    assert set(page.links) <= set(page.ids)
    assert page.tags.count("h1") == 1


def test_the_page_says_what_was_found_and_how_to_repeat_it(report: Report) -> None:
    text = render(report)
    assert "sig.not-expired/all-expired" in text
    assert report.verdicts_digest in text
    assert all(root in text for root in report.segments)
    assert "gnomon verify run" in text


def test_the_same_evidence_gives_the_same_page(report: Report) -> None:
    assert render(report) == render(report)


def test_every_group_of_indicators_has_a_picture(report: Report) -> None:
    groups = {indicator.group for indicator in report.indicators}
    assert render(report).count("<svg") == len(groups) + 1


def test_worst_levels_count_each_zone_once_per_property(report: Report) -> None:
    for prop in ("security", "stability", "reliability", "resiliency", "interoperability"):
        assert sum(zones for p, _, zones in report.worst if p == prop) == report.zones


def test_every_octet_and_invisible_character_is_escaped(report: Report) -> None:
    text = render(spoiled(report, EVERY))
    assert not [ch for ch in set(text) if ch != "\n" and unicodedata.category(ch) in ("Cc", "Cf", "Zl", "Zp")]
    assert r"\x00\x01" in text and r"\u202e" in text


def test_hostile_text_is_shown_and_does_nothing(report: Report) -> None:
    text = render(spoiled(report, HOSTILE))
    assert "<script" not in text
    assert not any(c in text for c in "\u202e\x1b\x00")
    assert r"\u202egnp.exe\x1b[31m" in text


def spoiled(report: Report, hostile: str) -> Report:
    problem = Problem(
        "del.lame", "x", Level.ERROR, ("reliability",), 1, hostile, hostile, (Example("z.", hostile, ("aa:1",)),)
    )
    source = Source("E-1", hostile, hostile, ("bb:2",), hostile)
    advice = Advice("R-1", hostile, hostile, hostile, hostile)
    finding = Finding("F-1", hostile, hostile, hostile, ("security",), (source,), (advice,))
    return replace(report, problems=(problem,), review=Review(hostile, (hostile,), (finding,)), folder=hostile)


def test_a_simulated_run_says_so_first(report: Report) -> None:
    run = replace(report.run, source=replace(report.run.source, kind="lab-embedded"))
    assert "Simulated." in render(replace(report, run=run))
    assert "Simulated." not in render(report)
