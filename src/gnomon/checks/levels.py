"""Profiles: which level each outcome code has, by class of zone, and what raises or lowers it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from gnomon.base import Level, Name
from gnomon.checks.outcome import State

# What could not be judged or does not apply has no other level than that, whatever the profile says of its code.
NOT_OBSERVED = {State.UNKNOWN: Level.UNKNOWN, State.NOT_APPLICABLE: Level.NOT_APPLICABLE}

ZoneClass = Literal["R", "T", "K", "S", "A"]
ZONE_CLASSES: tuple[ZoneClass, ...] = ("R", "T", "A", "K", "S")


def class_of(zone: Name) -> ZoneClass:
    """The class that follows from the name alone: R root, T top level, A under arpa, S any other."""
    labels = zone.labels
    if not labels:
        return "R"
    if labels[-1].lower() == b"arpa":
        return "A"
    return "T" if len(labels) == 1 else "S"


@dataclass(frozen=True, slots=True)
class Persistence:
    """When what was seen counts as lasting: not before so many attempts, the last so long after the first.

    `codes` are those that say that something was missing or different. `before` says what becomes of them until
    then: "as-seen" keeps their level with a note, "unknown" takes it away.
    """

    codes: frozenset[str] = frozenset()
    attempts: int = 3
    over_s: int = 600
    before: Literal["as-seen", "unknown"] = "as-seen"


@dataclass(frozen=True, slots=True)
class Profile:
    """Levels by full code (`check-id/condition`); `overrides` holds the exceptions of each zone class.

    `masked` codes are a level lower where enough other servers are well. `causes` has the codes of which a code is
    only the echo. `classes` are zones (in text form) judged as another class than follows from their name, and
    `others` is the class of all zones that are neither the root nor top level nor under arpa.
    """

    name: str
    levels: Mapping[str, Level]
    overrides: Mapping[str, Mapping[str, Level]]
    masked: frozenset[str] = frozenset()
    persistence: Persistence = field(default_factory=Persistence)
    causes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classes: Mapping[str, ZoneClass] = field(default_factory=dict)
    others: ZoneClass = "S"

    def levels_of(self, zone_class: str) -> Mapping[str, Level]:
        """The levels of what was observed in zones of that class, by full code."""
        override = self.overrides.get(zone_class)
        return {**self.levels, **override} if override else self.levels

    def zone_class(self, zone: Name) -> ZoneClass:
        """The class that the profile gives the zone, else the one that follows from its name."""
        listed = self.classes.get(str(zone).lower()) if self.classes else None
        named = listed or class_of(zone)
        return self.others if named == "S" and listed is None else named

    @property
    def document(self) -> dict[str, Any]:
        """Everything in JSON values; `from_document` reads it."""
        persistence = self.persistence
        return {
            "name": self.name,
            "levels": _words(self.levels),
            "overrides": {zone_class: _words(of) for zone_class, of in self.overrides.items()},
            "masked": sorted(self.masked),
            "persistence": {
                "codes": sorted(persistence.codes),
                "attempts": persistence.attempts,
                "over_s": persistence.over_s,
                "before": persistence.before,
            },
            "causes": {code: list(causes) for code, causes in self.causes.items()},
            "classes": dict(self.classes),
            "others": self.others,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Profile:
        """What `document` gave.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is something else.
        """
        persistence = dict(document["persistence"])
        codes = frozenset(persistence.pop("codes"))
        return cls(
            document["name"],
            _levels(document["levels"]),
            {zone_class: _levels(of) for zone_class, of in document["overrides"].items()},
            frozenset(document["masked"]),
            Persistence(codes, **persistence),
            {code: tuple(causes) for code, causes in document["causes"].items()},
            cast("dict[str, ZoneClass]", dict(document["classes"])),
            document["others"],
        )

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over everything but the name, in a fixed text form."""
        return digest_of(self.document)


def digest_of(document: Mapping[str, Any]) -> str:
    """The digest of the profile with this document."""
    nameless = {key: value for key, value in document.items() if key != "name"}
    return hashlib.sha256(json.dumps(nameless, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _words(levels: Mapping[str, Level]) -> dict[str, str]:
    return {code: _WORDS[level] for code, level in levels.items()}


_WORDS = [level.word for level in sorted(Level)]  # they are numbered from 0


def _levels(words: Mapping[str, str]) -> dict[str, Level]:
    return {code: Level.from_word(word) for code, word in words.items()}
