"""The pages of the checks are made from the source and kept current."""

from __future__ import annotations

from pathlib import Path

from gnomon.checks.docs import HEADINGS, render_pages, section, summary
from gnomon.checks.registry import all_checks

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
    doc = all_checks()["del.ns-count-min"].doc
    assert summary(doc) == "The zone has at least two name servers, at the parent and at the apex."
    assert section(doc, "Why") == "one server is one failure away from an unreachable zone."
    assert section(doc, "Do").startswith("add name servers in other networks")
    assert all(section(doc, heading) for heading in HEADINGS)
    assert section("Only a first line.", "Why") == ""
