"""Verdicts: the outcomes of the checks on one zone with their levels."""

from __future__ import annotations

import json
import traceback
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gnomon.base import InputError, Level
from gnomon.checks.outcome import Outcome, State
from gnomon.checks.profile import Profile
from gnomon.checks.registry import Check, all_checks
from gnomon.checks.sentence import fill
from gnomon.checks.view import ZoneView
from gnomon.evidence.subject import zone_text

INTERNAL_ERROR = "internal-error"
_INTERNAL_SENTENCE = "The check failed on {zone} with an error of its own ({error}); please report this."


@dataclass(frozen=True, slots=True)
class Verdict:
    """One outcome of one check on one zone.

    `zone` is in lower case with final dot, `subject` empty when the zone itself is meant. `state` and `level` are
    words; `args` are JSON values; `evidence` holds full references (`<segment root>:<row>`).
    """

    zone: str
    check_id: str
    check_version: int
    subject: str
    properties: tuple[str, ...]
    code: str
    state: str
    level: str
    args: Mapping[str, object]
    evidence: tuple[str, ...]

    @property
    def args_json(self) -> str:
        """The args in one fixed form."""
        return canonical(self.args)

    @property
    def row(self) -> str:
        """The verdict in one fixed form, for digests and comparison; also its place among those of its zone."""
        return canonical(
            [
                self.zone, self.check_id, self.subject, self.code, self.check_version, self.properties, self.state,
                self.level, self.args, self.evidence,
            ]
        )  # fmt: skip

    @classmethod
    def from_row(cls, text: str) -> Verdict:
        """What `row` gave.

        Raises:
            ValueError, TypeError: it is something else.
        """
        zone, check_id, subject, code, version, properties, state, level, args, evidence = json.loads(text)
        read = cls(zone, check_id, version, subject, tuple(properties), code, state, level, dict(args), tuple(evidence))
        if read.row != text:
            raise ValueError("a verdict is not in its one form")
        return read


canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode
"""JSON in one fixed form."""


def judge_zone(view: ZoneView, profile: Profile, only: Collection[str] | None = None) -> list[Verdict]:
    """Run the checks (all, or those of `only`: ids or families) on one zone; sorted by check, subject and code.

    A check that raises is a bug of ours: it becomes one unknown verdict with the code "internal-error".

    Raises:
        InputError: `only` names no check.
    """
    return [verdict for _, verdict in judge_rows(view, profile, only)]


def judge_rows(view: ZoneView, profile: Profile, only: Collection[str] | None) -> list[tuple[str, Verdict]]:
    """As `judge_zone`, each verdict with its `row`."""
    verdicts: list[Verdict] = []
    zone = zone_text(view.zone)
    for check in chosen(only):
        try:
            outcomes = [(found, _level(view, profile, check, found)) for found in check.judge(view)]
            verdicts += [_verdict(zone, level, check, found) for found, level in outcomes]
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            failed = Outcome(INTERNAL_ERROR, {"error": f"{type(error).__name__} in {place.name}"}, (), State.UNKNOWN)
            verdicts.append(_verdict(zone, Level.UNKNOWN, check, failed))
    return sorted(((verdict.row, verdict) for verdict in verdicts), key=lambda pair: pair[0])


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


def sentence(verdict: Verdict) -> str:
    """The verdict as one sentence, safe to print."""
    return sentence_for(verdict.check_id, verdict.code, verdict.zone, verdict.args)


def sentence_for(check_id: str, code: str, zone: str, args: Mapping[str, object]) -> str:
    """The sentence of a stored verdict; its code alone if this version of Gnomon does not know it any more."""
    check = all_checks().get(check_id)
    template = _INTERNAL_SENTENCE if code == INTERNAL_ERROR else check.codes.get(code) if check else None
    try:
        return fill(template, zone, args) if template else f"{check_id}/{code}"
    except (KeyError, IndexError):
        return f"{check_id}/{code}"


def _level(view: ZoneView, profile: Profile, check: Check, found: Outcome) -> Level:
    if found.code not in check.codes:
        raise KeyError(f"{check.id} has no code {found.code}")
    return profile.level(f"{check.id}/{found.code}", view.zone_class, found.state)


def _verdict(zone: str, level: Level, check: Check, found: Outcome) -> Verdict:
    return Verdict(
        zone=zone,
        check_id=check.id,
        check_version=check.version,
        subject=found.subject,
        properties=tuple(prop.value for prop in check.properties),
        code=found.code,
        state=found.state.value,
        level=level.word,
        args={name: list(value) if isinstance(value, tuple) else value for name, value in found.args.items()},
        evidence=tuple([ref.full for ref in found.evidence]),
    )
