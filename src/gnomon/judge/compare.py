"""Our verdicts on a zone beside what another tool reported about it, message by message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.base import InputError, Level, Name
from gnomon.checks.peers import PEERS, load_peers
from gnomon.evidence import durable
from gnomon.evidence.subject import zone_text
from gnomon.judge.verdict import Verdict

_OCTETS_MAX = 64 << 20
_ZONEMASTER_LEVELS = ("NOTICE", "WARNING", "ERROR", "CRITICAL")
_DNSVIZ_LISTS = {"errors": "error", "warnings": "warning"}


@dataclass(frozen=True, slots=True)
class Said:
    """One message of another tool: its tag, its own word for how bad it is, and how often it said so."""

    tag: str
    level: str
    times: int


@dataclass(frozen=True, slots=True)
class Report:
    """What another tool (`peer`, a key of `PEERS`) said about a zone, notices and above."""

    peer: str
    zone: str
    messages: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of a comparison.

    `kind`: "both" say it; "theirs": they say it, and our check that could, found otherwise; "no counterpart": they
    say it, and no check of ours does; "ours": we say it, and they could but do not; "only ours": no message of theirs
    could. `codes` are ours with their level words.
    """

    kind: str
    said: Said | None
    codes: tuple[tuple[str, str], ...]


def read_report(path: Path, zone: Name | None = None) -> Report:
    """Read the output of `zonemaster-cli --json` or of `dnsviz grok`.

    Args:
        zone: which one, where a DNSViz file has several; default: the last one.

    Raises:
        InputError: neither of the two, or it does not have the zone.
    """
    octets = durable.read(path)
    try:
        if len(octets) > _OCTETS_MAX:
            raise ValueError("too long")
        document = json.loads(octets)
        if isinstance(document, dict) and isinstance(document.get("results"), list):
            document = document["results"]
        if isinstance(document, list):
            return _zonemaster(document)
        if (
            isinstance(document, dict)
            and document
            and all(isinstance(name, str) and name.endswith(".") for name in document)
        ):
            return _dnsviz(path, document, zone)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise InputError(f"{path} is neither what `zonemaster-cli --json` prints nor what `dnsviz grok` prints")


def _zonemaster(rows: list[dict[str, Any]]) -> Report:
    told = [row["args"] for row in rows if isinstance(row.get("args"), dict)]
    zones = [args[name] for name in ("zone", "domain") for args in told if name in args]
    counted: dict[tuple[str, str], int] = {}
    for row in rows:
        if str(row["level"]).upper() in _ZONEMASTER_LEVELS:
            key = str(row["tag"]), str(row["level"]).lower()
            counted[key] = counted.get(key, 0) + 1
    zone = zone_text(Name.from_text(str(zones[0]))) if zones else ""
    return Report("zonemaster", zone, tuple(Said(*key, times) for key, times in sorted(counted.items())))


def _dnsviz(path: Path, document: Mapping[str, Any], wanted: Name | None) -> Report:
    names = {zone_text(Name.from_text(name)): name for name in document}
    zone = next(reversed(names)) if wanted is None else zone_text(wanted)
    if zone not in names:
        raise InputError(f"{path} has nothing about {zone}")
    counted: dict[tuple[str, str], int] = {}
    for tag, level in _dnsviz_messages(document[names[zone]]):
        counted[tag, level] = counted.get((tag, level), 0) + 1
    return Report("dnsviz", zone, tuple(Said(*key, times) for key, times in sorted(counted.items())))


def _dnsviz_messages(value: Any) -> Iterator[tuple[str, str]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key in _DNSVIZ_LISTS:
            yield from (
                (str(one["code"]), _DNSVIZ_LISTS[key]) for one in inner if isinstance(one, dict) and "code" in one
            )
        else:
            yield from _dnsviz_messages(inner)


def compare(report: Report, verdicts: Iterable[Verdict]) -> list[Compared]:
    """Both sides, worst of ours first within each kind."""
    tags = {code: {tag.tag.upper() for tag in of} for code, of in load_peers(report.peer).items()}
    codes_of: dict[str, set[str]] = {}
    for code, of in tags.items():
        for tag in of:
            codes_of.setdefault(tag, set()).add(code)
    found: dict[str, Level] = {}
    for verdict in verdicts:
        code, level = f"{verdict.check_id}/{verdict.code}", Level.from_word(verdict.level)
        found[code] = max(level, found.get(code, level))
    rows, theirs = [], {said.tag.upper() for said in report.messages}
    for said in report.messages:
        known = codes_of.get(said.tag.upper(), set())
        ours = sorted(known & found.keys())
        kind = "both" if ours else "theirs" if known else "no counterpart"
        rows.append(Compared(kind, said, tuple((code, found[code].word) for code in ours)))
    for code, level in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        if level >= Level.WARNING and not tags.get(code, set()) & theirs:
            rows.append(Compared("ours" if code in tags else "only ours", None, ((code, level.word),)))
    return sorted(rows, key=lambda row: _KINDS.index(row.kind))


_KINDS = ("both", "theirs", "no counterpart", "ours", "only ours")


def peer_name(report: Report) -> str:
    return PEERS[report.peer]
