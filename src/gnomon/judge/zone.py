"""One zone judged: the checks run over its view, each outcome with its level."""

from __future__ import annotations

import traceback
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from gnomon._core import in_order, judged
from gnomon.base import InputError, Level
from gnomon.checks.levels import NOT_OBSERVED, ZoneClass
from gnomon.checks.outcome import Outcome, State
from gnomon.checks.profile import Profile
from gnomon.checks.registry import Check, all_checks
from gnomon.checks.view import ZoneView
from gnomon.evidence.subject import zone_text
from gnomon.judge.verdict import INTERNAL_ERROR, NOTHING_SEEN, Judged, Kind, Verdict, kind_of
from gnomon.judge.weigh import Weighed, weigh

_NOTICE = Level.NOTICE
# A check without a word does not pass by silence.
_SILENT = Outcome(NOTHING_SEEN, {}, (), State.UNKNOWN)


def judge_zone(view: ZoneView, profile: Profile, only: Collection[str] | None = None) -> list[Verdict]:
    """Run the checks (all, or those of `only`: ids or families) on one zone; sorted by check, subject and code.

    A check that says nothing, as of a zone without any known server, becomes one unknown verdict with the code
    "nothing-seen". One that raises is a bug of ours: its code is "internal-error".

    Raises:
        InputError: `only` names no check.
    """
    return [Verdict.of(one) for one in judge_rows(view, profile, only)]


def judge_rows(view: ZoneView, profile: Profile, only: Collection[str] | None) -> list[Judged]:
    """As `judge_zone`, in the forms for storing."""
    return judge_side_by_side([view], profile, only)[0]


def judge_side_by_side(views: Sequence[ZoneView], profile: Profile, only: Collection[str] | None) -> list[list[Judged]]:
    """As `judge_rows`, for several zones: each rule judges all of them before the next one does.

    Three hundred rules are more than a processor's cache holds: taken together, ten zones cost a sixth less.
    """
    zones = [_Zone(view, profile) for view in views]
    for check in chosen(only):
        for zone in zones:
            zone.judge(check)
    return [zone.settled(profile) for zone in zones]


class _Zone:
    """A zone while it is judged."""

    def __init__(self, view: ZoneView, profile: Profile) -> None:
        self._view = view
        self._text = zone_text(view.zone)
        self._kinds = _kinds_of(profile, view.zone_class)
        self._found: list[Judged] = []
        self._weighed: list[Weighed] = []

    def judge(self, check: Check) -> None:
        """Take in what a check says of the zone."""
        of_check = self._kinds[check]
        try:
            plain, others = judged(self._text, of_check, check.judge(self._view), _NOTICE)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            failed = Outcome(INTERNAL_ERROR, {"error": f"{type(error).__name__} in {place.name}"}, (), State.UNKNOWN)
            plain, others = judged(self._text, of_check, (failed,), _NOTICE)
        if others:
            self._weighed += [Weighed(check, outcome, level) for outcome, level in others]
        self._found += plain if plain or others else judged(self._text, of_check, (_SILENT,), _NOTICE)[0]

    def settled(self, profile: Profile) -> list[Judged]:
        """All that was said, sorted; the levels that depend on more than their outcome are weighed now."""
        found = self._found
        weigh(self._view, profile, self._weighed)
        for one in self._weighed:
            kind = _kind(one.check, one.outcome.code, one.state, one.level)
            found.append(Judged(self._text, kind, one.outcome, tuple(one.notes)))
        return in_order(found)


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


class _Kinds(dict[tuple[str, State], tuple[Level, Kind]]):
    """Level and kind of what a check says, by code and state, before they are weighed."""

    def __init__(self, check: Check, levels: Mapping[str, Level]) -> None:
        self._check = check
        self._levels = levels
        for code in (INTERNAL_ERROR, NOTHING_SEEN):
            self[code, State.UNKNOWN] = Level.UNKNOWN, _kind(check, code, State.UNKNOWN, Level.UNKNOWN)

    def __missing__(self, key: tuple[str, State]) -> tuple[Level, Kind]:
        check, (code, state) = self._check, key
        if code not in check.codes:
            raise KeyError(f"{check.id} has no code {code}")
        level = self._levels[f"{check.id}/{code}"] if state is State.OBSERVED else NOT_OBSERVED[state]
        made = self[key] = level, _kind(check, code, state, level)
        return made


class _KindsOfChecks(dict[Check, _Kinds]):
    """Those of all checks under one profile, for zones of one class."""

    def __init__(self, profile: Profile, zone_class: ZoneClass) -> None:
        self.profile = profile
        self._levels = profile.levels_of(zone_class)

    def __missing__(self, check: Check) -> _Kinds:
        made = self[check] = _Kinds(check, self._levels)
        return made


_kept_kinds: dict[ZoneClass, _KindsOfChecks] = {}


def _kinds_of(profile: Profile, zone_class: ZoneClass) -> _KindsOfChecks:
    """The same for zone after zone: a process judges by one profile for long."""
    kept = _kept_kinds.get(zone_class)
    if kept is None or kept.profile is not profile:
        kept = _kept_kinds[zone_class] = _KindsOfChecks(profile, zone_class)
    return kept


@lru_cache(maxsize=1 << 14)
def _kind(check: Check, code: str, state: State, level: Level) -> Kind:
    properties = tuple([prop.value for prop in check.properties])
    return kind_of(check.id, check.version, properties, code, state.value, level.word)
