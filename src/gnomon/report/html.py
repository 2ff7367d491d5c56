"""The report as one self-contained HTML file: no script, no request, pictures inline."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import jinja2
from markupsafe import Markup

from gnomon.base import Level, printable
from gnomon.report import charts
from gnomon.report.model import PROPERTIES, Report

_GROUPS = {
    "security": "Can the identifiers be forged, hijacked or abused?",
    "stability": "Do all servers say the same, and does it change in predictable steps?",
    "reliability": "Do the servers answer correctly, now?",
    "resiliency": "Does it keep answering when parts fail?",
    "interoperability": "Does every conforming implementation get the same answer?",
    "quality": "How much could not be judged?",
}


def render(report: Report) -> str:
    """The page. The same report gives the same octets."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gnomon.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Text from the network reaches the page only through here: printable first, then escaped.
        finalize=lambda value: value if isinstance(value, Markup) else _safe(str(value)),
    )
    environment.filters.update(
        number=_number, day=_day, level_word=lambda level: level.word, anchor=_anchor, paragraphs=_paragraphs
    )
    groups = [
        (name, question, members, Markup(charts.group_picture(members)))
        for name, question in _GROUPS.items()
        if (members := [i for i in report.indicators if i.group == name])
    ]
    worst = {p: {level: n for q, level, n in report.worst if q == p} for p in PROPERTIES}
    return environment.get_template("report.html").render(
        report=report,
        groups=groups,
        worst=worst,
        levels=[level for level in sorted(Level, reverse=True) if any(w.get(level) for w in worst.values())],
        summary=Markup(charts.worst_levels(report.worst)),
        questions=_GROUPS,
    )


def _safe(text: str) -> str:
    # A number and its unit stay on one line.
    return printable(text).replace(" %", "\u00a0%")


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _number(value: int) -> str:
    return f"{value:,}"


def _day(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _anchor(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
