"""One zone judged: the checks run over its view, each outcome with its level."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from typing import NamedTuple

from gnomon.base import InputError, Level
from gnomon.checks.outcome import Outcome, State
from gnomon.checks.profile import Profile
from gnomon.checks.registry import Check, all_checks
from gnomon.checks.view import ZoneView
from gnomon.evidence import EvidenceRef
from gnomon.evidence.subject import zone_text
from gnomon.judge.verdict import INTERNAL_ERROR, Verdict, row_of
from gnomon.judge.weigh import Weighed, weigh


def judge_zone(view: ZoneView, profile: Profile, only: Collection[str] | None = None) -> list[Verdict]:
    """Run the checks (all, or those of `only`: ids or families) on one zone; sorted by check, subject and code.

    A check that raises is a bug of ours: it becomes one unknown verdict with the code "internal-error".

    Raises:
        InputError: `only` names no check.
    """
    return [judged.verdict for judged in judge_rows(view, profile, only)]


class Judged(NamedTuple):
    """A verdict with its forms for storing: `Verdict.row` and `Verdict.args_json`."""

    row: str
    args_json: str
    verdict: Verdict


def judge_rows(view: ZoneView, profile: Profile, only: Collection[str] | None) -> list[Judged]:
    """As `judge_zone`, with the forms for storing, made once."""
    found: list[Weighed] = []
    zone, references = zone_text(view.zone), dict[int, str]()
    for check in chosen(only):
        try:
            outcomes = [(outcome, _level(view, profile, check, outcome)) for outcome in check.judge(view)]
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            failed = Outcome(INTERNAL_ERROR, {"error": f"{type(error).__name__} in {place.name}"}, (), State.UNKNOWN)
            outcomes = [(failed, Level.UNKNOWN)]
        found += [Weighed(check, outcome, level) for outcome, level in outcomes]
    weigh(view, profile, found)
    judged = [_judged(zone, weighed, references) for weighed in found]
    judged.sort()
    return judged


def chosen(only: Collection[str] | None) -> list[Check]:
    """The checks that `only` names by id or family; all for None.

    Raises:
        InputError: no check has that id or family.
    """
    checks = all_checks()
    if only is None:
        return list(checks.values())
    families = {check.family for check in checks.values()}
    for word in only:
        if word not in checks and word not in families:
            raise InputError(f"no check and no family of checks is called {word!r}; `gnomon checks` lists them")
    return [check for check in checks.values() if check.id in only or check.family in only]


def _level(view: ZoneView, profile: Profile, check: Check, found: Outcome) -> Level:
    if found.code not in check.codes:
        raise KeyError(f"{check.id} has no code {found.code}")
    return profile.level(f"{check.id}/{found.code}", view.zone_class, found.state)


def _judged(zone: str, weighed: Weighed, references: dict[int, str]) -> Judged:
    check, found = weighed.check, weighed.outcome
    verdict = Verdict(
        zone,
        check.id,
        check.version,
        found.subject,
        tuple([prop.value for prop in check.properties]),
        found.code,
        weighed.state.value,
        weighed.level.word,
        {name: list(value) if isinstance(value, tuple) else value for name, value in found.args.items()},
        tuple([references.get(id(ref)) or _written(ref, references) for ref in found.evidence]),
        tuple(weighed.notes),
    )
    args_json = verdict.args_json
    return Judged(row_of(verdict, args_json), args_json, verdict)


def _written(ref: EvidenceRef, references: dict[int, str]) -> str:
    """The text form, made once for a zone (by identity): many verdicts rest on the same exchanges."""
    text = references[id(ref)] = ref.full
    return text
