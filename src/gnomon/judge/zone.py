"""One zone judged: the checks run over its view, each outcome with its level."""

from __future__ import annotations

import traceback
from collections.abc import Collection, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from gnomon.base import InputError, Level
from gnomon.checks.levels import NOT_OBSERVED
from gnomon.checks.outcome import Outcome, State
from gnomon.checks.profile import Profile
from gnomon.checks.registry import Check, all_checks
from gnomon.checks.view import ZoneView
from gnomon.evidence.subject import zone_text
from gnomon.judge.verdict import INTERNAL_ERROR, NOTHING_SEEN, Kind, Note, Verdict, canonical, kind_of, row_of
from gnomon.judge.weigh import Weighed, weigh

_NOTICE, _OBSERVED = Level.NOTICE, State.OBSERVED
# A check without a word does not pass by silence.
_SILENT = [(Outcome(NOTHING_SEEN, {}, (), State.UNKNOWN), Level.UNKNOWN)]


def judge_zone(view: ZoneView, profile: Profile, only: Collection[str] | None = None) -> list[Verdict]:
    """Run the checks (all, or those of `only`: ids or families) on one zone; sorted by check, subject and code.

    A check that says nothing, as of a zone without any known server, becomes one unknown verdict with the code
    "nothing-seen". One that raises is a bug of ours: its code is "internal-error".

    Raises:
        InputError: `only` names no check.
    """
    return [judged.verdict for judged in judge_rows(view, profile, only)]


class Judged(NamedTuple):
    """A verdict taken apart for storing; `row` and `args_json` are those of `Verdict`."""

    row: str
    args_json: str
    zone: str
    kind: Kind
    outcome: Outcome
    explanation: tuple[Note, ...]

    @property
    def verdict(self) -> Verdict:
        """The whole of it."""
        kind, outcome = self.kind, self.outcome
        args = {name: list(value) if isinstance(value, tuple) else value for name, value in outcome.args.items()}
        return Verdict(
            self.zone, kind.check_id, kind.check_version, outcome.subject, kind.properties, kind.code, kind.state,
            kind.level, args, outcome.evidence, self.explanation,
        )  # fmt: skip


def judge_rows(view: ZoneView, profile: Profile, only: Collection[str] | None) -> list[Judged]:
    """As `judge_zone`, in the forms for storing."""
    zone, levels = zone_text(view.zone), profile.levels_of(view.zone_class)
    found, weighed = list[Judged](), list[Weighed]()
    for check in chosen(only):
        try:
            outcomes = [(outcome, _level(levels, check, outcome)) for outcome in check.judge(view)]
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            failed = Outcome(INTERNAL_ERROR, {"error": f"{type(error).__name__} in {place.name}"}, (), State.UNKNOWN)
            outcomes = [(failed, Level.UNKNOWN)]
        for outcome, level in outcomes or _SILENT:
            if level < _NOTICE:
                found.append(_judged(zone, check, outcome, outcome.state, level))
            else:
                weighed.append(Weighed(check, outcome, level))
    weigh(view, profile, weighed)
    found += [_judged(zone, one.check, one.outcome, one.state, one.level, tuple(one.notes)) for one in weighed]
    found.sort(key=itemgetter(0))
    return found


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


def _level(levels: Mapping[str, Level], check: Check, found: Outcome) -> Level:
    if found.code not in check.codes:
        raise KeyError(f"{check.id} has no code {found.code}")
    return levels[f"{check.id}/{found.code}"] if found.state is _OBSERVED else NOT_OBSERVED[found.state]


def _judged(
    zone: str, check: Check, outcome: Outcome, state: State, level: Level, notes: tuple[Note, ...] = ()
) -> Judged:
    code, args, evidence, _, subject = outcome
    kind, args_json = _kind(check, code, state, level), canonical(args) if args else "{}"
    row = row_of(zone, kind, subject, args_json, evidence, notes)
    return tuple.__new__(Judged, (row, args_json, zone, kind, outcome, notes))


@lru_cache(maxsize=1 << 14)
def _kind(check: Check, code: str, state: State, level: Level) -> Kind:
    properties = tuple([prop.value for prop in check.properties])
    return kind_of(check.id, check.version, properties, code, state.value, level.word)
