"""All checks as one page of HTML that needs nothing else: searchable, and a plain list without script."""

from __future__ import annotations

from html import escape
from itertools import groupby
from pathlib import Path

from gnomon.base import Level, Property, printable
from gnomon.checks.docs import FAMILIES, levels_of
from gnomon.checks.peers import PEERS, tags_of
from gnomon.checks.profile import Profile, load_profile
from gnomon.checks.registry import HEADINGS, Check, all_checks
from gnomon.checks.sentence import for_several

_WORST_FIRST = [level.word for level in sorted(Level, reverse=True)]


def render_html() -> str:
    """The page; its frame is `catalogue.html`."""
    profile, checks = load_profile("default"), list(all_checks().values())
    groups = "\n".join(
        _group(family, list(group), profile) for family, group in groupby(checks, key=lambda check: check.family)
    )
    families = "".join(_option(family, f"{family}: {FAMILIES[family]}") for family in {c.family: None for c in checks})
    properties = "".join(_option(prop.value, prop.value) for prop in Property)
    levels = "".join(_option(word, word) for word in _WORST_FIRST)
    frame = Path(__file__).with_name("catalogue.html").read_text("utf-8")
    outcomes = sum(len(check.codes) for check in checks)
    for name, text in (
        ("families", families), ("properties", properties), ("levels", levels), ("groups", groups),
        ("checks", str(len(checks))), ("outcomes", str(outcomes)),
    ):  # fmt: skip
        frame = frame.replace(f"<!-- {name} -->", text)
    return frame


def _option(value: str, text: str) -> str:
    return f'<option value="{_text(value)}">{_text(text)}</option>'


def _text(text: str) -> str:
    return escape(printable(text))


def _group(family: str, checks: list[Check], profile: Profile) -> str:
    articles = "\n".join(_article(check, profile) for check in checks)
    return f'<section id="{family}">\n<h2>{_text(FAMILIES[family])} <code>{family}</code></h2>\n{articles}\n</section>'


def _article(check: Check, profile: Profile) -> str:
    words = {profile.levels[f"{check.id}/{code}"].word for code in check.codes}
    properties = " ".join(prop.value for prop in check.properties)
    sections = "".join(
        f"<dt>{'What to do' if heading == 'Do' else heading}</dt><dd>{_text(check.section(heading))}</dd>"
        for heading in HEADINGS
    )
    sections += f"<dt>Asks</dt><dd>{_text(check.asks)}; version {check.version}</dd>"
    rows = "".join(_row(check, code, sentence, profile) for code, sentence in _by_level(check, profile))
    return (
        f'<article id="{check.id}" data-family="{check.family}" data-properties="{properties}"'
        f' data-levels="{" ".join(sorted(words))}">\n'
        f'<h3><a href="#{check.id}">{check.id}</a> <small>{_text(properties.replace(" ", ", "))}</small></h3>\n'
        f"<p>{_text(check.rule)}</p>\n<details><summary>{len(check.codes)} outcomes</summary>\n<dl>{sections}</dl>\n"
        f"<table><thead><tr><th>outcome<th>level<th>sentence<th>peers</thead><tbody>{rows}</tbody></table>\n"
        "</details>\n</article>"
    )


def _by_level(check: Check, profile: Profile) -> list[tuple[str, str]]:
    """The codes with their sentences, the worst first."""
    return sorted(check.codes.items(), key=lambda item: -profile.levels[f"{check.id}/{item[0]}"])


def _row(check: Check, code: str, sentence: str, profile: Profile) -> str:
    full = f"{check.id}/{code}"
    word = profile.levels[full].word
    peers = "<br>".join(
        f"{PEERS[peer]}: " + ", ".join(f"{_text(tag.testcase)} {_text(tag.tag)}" for tag in tags)
        for peer, tags in tags_of(full).items()
    )
    level = f'<td class="{word}">{_text(levels_of(full, profile))}'
    return f"<tr><td><code>{_text(code)}</code>{level}<td>{_text(for_several(sentence))}<td>{peers}</tr>"
