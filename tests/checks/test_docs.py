"""The pages of the checks are made from the source and kept current."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gnomon.checks.docs import render_pages
from gnomon.checks.registry import HEADINGS, all_checks

FOLDER = Path(__file__).parents[2] / "docs" / "checks"


def test_committed_pages_are_current() -> None:
    pages = render_pages()
    assert {path.name for path in FOLDER.glob("*.md")} == set(pages), "run: make docs"
    for name, text in pages.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"docs/checks/{name} is not current; run: make docs"


def test_every_check_and_code_has_its_place() -> None:
    pages = render_pages()
    for check in all_checks().values():
        page = pages[f"{check.family}.md"]
        assert f"\n## {check.id}\n" in page
        assert f"{check.family}.md#{check.id.replace('.', '')}" in pages["README.md"]
        for code in check.codes:
            assert f"\n| `{code}` | " in page


def test_sections_of_a_docstring() -> None:
    check = all_checks()["del.ns-count-min"]
    assert check.rule == "The zone has at least two name servers, at the parent and at the apex."
    assert check.section("Why") == "one server is one failure away from an unreachable zone."
    assert check.section("Do").startswith("add name servers in other networks")
    assert all(check.section(heading) for heading in HEADINGS)
    assert replace(check, doc="Only a first line.").section("Why") == ""
