"""How levels, numbers, times and texts look on every page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import idna
from django import template
from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from gnomon.base import Level, printable
from gnomon.checks.sentence import for_several

if TYPE_CHECKING:
    from gnomon.review.zones.models import Run

register = template.Library()

# One shape per level, drawn in a 16 x 16 box, so that a level can be told without its colour.
_SHAPES = {
    Level.CRITICAL: '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/><path class="on" d="M8 4v5M8 11v1.4"/>',
    Level.ERROR: '<circle cx="8" cy="8" r="7"/><path class="on" d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2"/>',
    Level.WARNING: '<path d="M8 1.2l7.2 13.3H.8z"/><path class="on" d="M8 6v4M8 11.6v1.2"/>',
    Level.NOTICE: '<path d="M8 1.4L14.6 8 8 14.6 1.4 8z"/>',
    Level.INFO: '<path class="line" d="M8 2.4L13.6 8 8 13.6 2.4 8z"/>',
    Level.PASS: '<path class="line" d="M2.6 8.6l3.6 3.8 7.2-8.6"/>',
    Level.UNKNOWN: '<circle class="line" cx="8" cy="8" r="6" stroke-dasharray="2.6 2.1"/>',
    Level.NOT_APPLICABLE: '<path class="line" d="M4 8h8"/>',
}
_DEEDS = {
    "account.add": _("added the account"),
    "run.attach": _("attached the run"),
    "review.open": _("opened the review"),
    "member.appoint": _("seated"),
    "update.publish": _("published the weekly update"),
    "evidence.register": _("registered"),
    "finding.draft": _("drafted"),
    "finding.decide": _("decided on"),
    "recommendation.draft": _("drafted"),
    "measure.evaluate": _("measured"),
}
_FAMILIES = {
    "del": _("Delegation"), "addr": _("Addresses of name servers"), "net": _("Transport"),
    "cons": _("Consistency between servers"), "syn": _("Syntax of names"), "soa": _("Start of authority"),
    "dnssec": _("DNSSEC"), "ds": _("Delegation signer"), "key": _("Keys"), "sig": _("Signatures"),
    "denial": _("Denial of existence"), "edns": _("Extension mechanisms"), "hdr": _("Header"),
    "resp": _("Answers"), "exp": _("Exposure"), "res": _("Resilience"), "auto": _("Automation"),
}  # fmt: skip
_WORDS = {Level.NOT_APPLICABLE: "not applicable", Level.PASS: "passed"}


@register.filter
def net(value: object) -> str:
    """Text that came from the network: one line, with control characters written out."""
    return printable(str(value))


@register.filter
def u_label(zone: str) -> str:
    """An internationalised name as people write it, in parentheses; empty for any other."""
    if "xn--" not in zone:
        return ""
    try:
        return f"({idna.decode(zone)})"
    except idna.IDNAError:
        return ""


@register.filter
def number(value: int | float | None) -> str:
    """A number with thousands separators."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


@register.simple_tag
def share(part: float, whole: float) -> str:
    """A percentage with its parts: 72.4 % (1,041 of 1,438)."""
    if not whole:
        return "no data (0 of 0)"
    return f"{100 * part / whole:.1f}\N{NO-BREAK SPACE}% ({part:,.0f} of {whole:,.0f})"


@register.filter
def whole(value: float | None) -> str:
    """A count that is stored as a float."""
    return "–" if value is None else f"{value:,.0f}"


@register.filter
def level_word(level: Level) -> str:
    """The level in words."""
    return _WORDS.get(level, level.word)


@register.simple_tag
def level_mark(level: Level | str, text: str = "") -> SafeString:
    """Shape and word of a level, or the level's shape with another word."""
    level = _level(level)
    return format_html(
        '<span class="level {}">{}<span>{}</span></span>',
        level.word,
        shape(level),
        text or level_word(level).capitalize(),
    )


@register.simple_tag
def shape(level: Level | str) -> SafeString:
    """The shape of a level alone, for places where the word stands beside it."""
    level = _level(level)
    return mark_safe(f'<svg class="shape {level.word}" viewBox="0 0 16 16" aria-hidden="true">{_SHAPES[level]}</svg>')


@register.simple_tag
def level_bar(counts: Mapping[Level, int]) -> SafeString:
    """A bar of the levels' parts, worst first; decoration for numbers that stand beside it in words."""
    shown = [level for level in sorted(counts, reverse=True) if counts[level] and level is not Level.NOT_APPLICABLE]
    total = sum(counts[level] for level in shown)
    at, parts = 0.0, []
    for level in shown:
        width = 1000 * counts[level] / total
        parts.append((f"{at:.2f}", f"{max(width - 3, 1.5):.2f}", level.word))
        at += width
    bars = format_html_join("", '<rect x="{}" y="0" width="{}" height="10" class="{}"/>', parts)
    return format_html(
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">{}</svg>', bars
    )


@register.simple_tag
def gauge(value: float, threshold: float) -> SafeString:
    """A percentage as a bar with a mark at the threshold; decoration for numbers that stand beside it in words."""
    return format_html(
        '<svg class="gauge" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" y="2" width="100" height="6"/><rect class="part" y="2" width="{}" height="6"/>'
        '<path class="mark" d="M{} 0v10"/></svg>',
        f"{min(max(value, 0.0), 100.0):.2f}", f"{min(max(threshold, 0.0), 100.0):.2f}",
    )  # fmt: skip


@register.filter
def instant(value: datetime | int | None) -> SafeString | str:
    """A point in time in UTC; a plain number is nanoseconds of Unix time and is shown to the millisecond."""
    if value is None:
        return ""
    if isinstance(value, int):
        moment = datetime.fromtimestamp(value // 1_000_000_000, UTC)
        milliseconds = value // 1_000_000 % 1000
        shown = f"{_day(moment)}, {moment:%H:%M:%S}.{milliseconds:03d} UTC"
        exact = f"{moment:%Y-%m-%dT%H:%M:%S}.{value % 1_000_000_000:09d}Z"
    else:
        moment = value.astimezone(UTC)
        shown, exact = f"{_day(moment)}, {moment:%H:%M} UTC", f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return format_html('<time datetime="{0}" title="{0}">{1}</time>', exact, shown)


@register.filter
def day(value: date | None) -> SafeString | str:
    """A date."""
    if value is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', value.isoformat()[:10], _day(value))


@register.filter
def prose(value: str) -> SafeString:
    """Somebody's text: blank lines part paragraphs, line ends stay."""
    paragraphs = [part.strip() for part in value.replace("\r\n", "\n").split("\n\n") if part.strip()]
    return mark_safe("".join(f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in paragraphs))


@register.filter
def row_of(ref: str) -> str:
    """The row of an evidence reference."""
    return ref.rpartition(":")[2]


@register.simple_tag
def ref_url(run: Run, ref: str) -> str:
    """The page of the exchange that a reference of that run points to."""
    segment, _, row = ref.partition(":")
    return reverse("packet", args=[run.run_id, segment, int(row)])


@register.filter
def deed(action: str) -> str:
    """What somebody did, in words: the action of an event."""
    return str(_DEEDS.get(action, action))


@register.filter
def family_name(family: str) -> str:
    """What the checks of a family are about."""
    return str(_FAMILIES.get(family, family))


@register.filter
def template_sentence(template: str) -> str:
    """A code's sentence before it is filled in: the names of its facts in angle quotes."""
    return re.sub(r"\{([^{}]*)\}", "‹\\1›", for_several(template))


@register.filter
def get(mapping: Mapping[object, object], key: object) -> object:
    """The value of a key that is only known in the template."""
    return mapping.get(key)


@register.filter
def days(count: int) -> str:
    """A number of days in words."""
    return "1 day" if count == 1 else f"{count:,} days"


def _level(level: Level | str) -> Level:
    return level if isinstance(level, Level) else Level.from_word(level)


def _day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"
