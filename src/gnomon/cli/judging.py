"""The options that say how evidence is judged, for every command that judges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gnomon.checks.profile import Profile

# What judges is imported when it is needed: `assess` does so while it waits for the network.


def judging_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how evidence is judged."""
    for option in (
        click.option(
            "--class", "zone_class", type=click.Choice(["K", "S"]), default="S", show_default=True,
            help="Judge zones that are neither the root, top level nor under arpa as critical (K) or as any other (S).",
        ),
        click.option("--profile", default="default", show_default=True, help="Packaged profile, or a TOML file."),
        click.option(
            "--asn", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="Routing table, CSV first,last,asn[,name] (repeatable); without one, network diversity stays unknown.",
        ),
        click.option("--only", multiple=True, metavar="ID", help="Only this check, family or Zonemaster test case."),
    ):  # fmt: skip
        function = option(function)
    return function


def chosen_profile(name_or_path: str, zone_class: str) -> Profile:
    """The profile of --profile and --class.

    Raises:
        InputError: it cannot be used.
    """
    from gnomon.checks.profile import load_profile

    return replace(load_profile(name_or_path), others="K" if zone_class == "K" else "S")


def chosen_checks(only: tuple[str, ...]) -> tuple[str, ...] | None:
    """The checks that --only names: ids and families as they are, a Zonemaster test case by its counterparts here.

    Raises:
        InputError: a word is neither check, family nor test case.
    """
    if not only:
        return None
    from gnomon.checks.peers import load_peers
    from gnomon.judge.zone import chosen

    cases: dict[str, set[str]] = {}
    for code, tags in load_peers("zonemaster").items():
        for tag in tags:
            cases.setdefault(tag.testcase.lower(), set()).add(code.partition("/")[0])
    named = tuple(sorted({check for word in only for check in cases.get(word.lower(), {word})}))
    chosen(named)
    return named
