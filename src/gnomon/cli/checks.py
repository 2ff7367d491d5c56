"""`gnomon checks`: the published checks, in full."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from gnomon.base import InputError, Property, printable
from gnomon.base.words import tr
from gnomon.checks.catalogue import render_html
from gnomon.checks.docs import render_pages
from gnomon.checks.peers import PEERS, tags_of
from gnomon.checks.profile import ZONE_CLASSES, Profile, load_profile
from gnomon.checks.registry import HEADINGS, Check, all_checks
from gnomon.checks.sentence import for_several
from gnomon.cli.terminal import console, row, say, table

_STYLES = {"critical": "bold red", "error": "bold red", "warning": "bold yellow", "notice": "cyan", "pass": "green"}


@click.command("checks")
@click.argument("words", nargs=-1, metavar="[ID|FAMILY|WORD]...")
@click.option("--profile", default="default", show_default=True, help="Levels of this profile, or of a TOML file.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--write", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write the pages of docs/checks/."
)
def command(words: tuple[str, ...], profile: str, form: str, write: Path | None) -> None:
    """Show the published checks: all of them in a table, or one with its whole specification.

    An ID (del.lame) or an outcome of one (del.lame/refused), a FAMILY (del), a peer's test case or tag (Delegation01,
    mx_aaaa) or any WORD of a rule or its source ("RFC 8482") chooses; what chooses a single check shows it in full.
    """
    if write is not None:
        _write(write)
        return
    levels, found = load_profile(profile), _chosen(words)
    if form == "json":
        click.echo(json.dumps([_plain(check, levels) for check in found], indent=1))
    elif len(found) == 1 or (words and {check.id for check in found} <= set(words)):
        for check in found:
            _print_specification(check, levels)
    else:
        _print_table(found)


def _write(folder: Path) -> None:
    pages = {**render_pages(), "index.html": render_html()}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, "utf-8")
    say(f"{len(pages)} pages are in {folder}")


def _chosen(words: tuple[str, ...]) -> list[Check]:
    """The checks that any of the words chooses, in order of id; all without a word."""
    checks = all_checks()
    if not words:
        return list(checks.values())
    ids: set[str] = set()
    for word in words:
        mine = [check.id for check in checks.values() if _exactly(check, word)] or [
            check.id for check in checks.values() if word.lower() in _text(check)
        ]
        if not mine:
            raise InputError(f"no check is called {word!r} or has it in its rule or source; `gnomon checks` lists all")
        ids.update(mine)
    return [check for check in checks.values() if check.id in ids]


def _text(check: Check) -> str:
    return f"{check.id} {check.rule} {check.section('Source')}".lower()


def _exactly(check: Check, word: str) -> bool:
    of_peers = (tags_of(f"{check.id}/{code}") for code in check.codes)
    names = {
        name.lower() for of in of_peers for tags in of.values() for tag in tags for name in (tag.testcase, tag.tag)
    }
    own = {check.id, check.family, *(f"{check.id}/{code}" for code in check.codes)}
    return word in own or word.lower() in names


def _plain(check: Check, profile: Profile) -> dict[str, object]:
    return {
        "id": check.id,
        "version": check.version,
        "properties": [prop.value for prop in check.properties],
        "asked": list(check.asked),
        "needs": check.needs,
        "summary": check.rule,
        **{heading.lower(): check.section(heading) for heading in HEADINGS},
        "codes": {
            code: {
                "sentence": for_several(sentence),
                "level": profile.levels[f"{check.id}/{code}"].word,
                "level_by_zone_class": _exceptions(f"{check.id}/{code}", profile),
                **{peer: [asdict(tag) for tag in tags] for peer, tags in tags_of(f"{check.id}/{code}").items()},
            }
            for code, sentence in check.codes.items()
        },
    }


def _exceptions(code: str, profile: Profile) -> dict[str, str]:
    return {c: profile.overrides[c][code].word for c in ZONE_CLASSES if code in profile.overrides.get(c, {})}


def _print_table(found: list[Check]) -> None:
    made = table("check", "about", "rule")
    made.columns[0].no_wrap = made.columns[1].no_wrap = True
    for check in found:
        row(made, (check.id, "bold"), " ".join(prop.name for prop in check.properties), tr(check.rule))
    console().print(made)
    say()
    say((", ".join(f"{prop.name} {tr(prop.value)}" for prop in Property), "dim"))
    say((f"{len(found)} checks. `gnomon checks ID` shows one in full.", "dim"))


def _print_specification(check: Check, profile: Profile) -> None:
    say((check.id, "bold"), f"   version {check.version}, {', '.join(tr(prop.value) for prop in check.properties)}")
    say(tr(check.rule))
    say()
    made = table("", "", headings=False)
    titles = {"Why": tr("Why"), "Rule": tr("Rule"), "Source": tr("Source"), "Do": tr("What to do")}
    for heading in HEADINGS:
        row(made, (titles[heading], "bold"), tr(check.section(heading)))
    row(made, (tr("Asks"), "bold"), check.asks)
    console().print(made)
    say()
    for code, sentence in sorted(check.codes.items(), key=lambda item: -profile.levels[f"{check.id}/{item[0]}"]):
        full = f"{check.id}/{code}"
        word = profile.levels[full].word
        exceptions = ", ".join(f"{zone_class}: {level}" for zone_class, level in _exceptions(full, profile).items())
        say(
            "  ",
            (f"{tr(word):15}", _STYLES.get(word, "dim")),
            (code, "bold"),
            (f"   {exceptions}" if exceptions else ""),
        )
        named = [
            Text(printable(f"{PEERS[peer]}: {', '.join(f'{tag.testcase} {tag.tag}' for tag in tags)}"), "dim")
            for peer, tags in tags_of(full).items()
        ]
        about = Group(Text(printable(for_several(tr(sentence)))), *named)
        console().print(Padding(about, (0, 0, 0, 17), expand=False))
    if any(_exceptions(f"{check.id}/{code}", profile) for code in check.codes):
        say()
        say(("R the root, T top-level domains, A zones under arpa, K critical zones, S all others", "dim"))
    say()
