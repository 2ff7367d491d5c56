"""From what the core finds in a zone file to verdicts with levels and sentences."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gnomon import _core
from gnomon.base import Level, printable
from gnomon.base.provenance import Provenance
from gnomon.base.words import tr
from gnomon.checks.sentence import fill
from gnomon.sources.algorithms import ALGORITHMS, DIGESTS
from gnomon.zonefile.codes import CHECKS
from gnomon.zonefile.read import LoadedZone

VERSION = 1

Place = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """One outcome of one check on one zone file, in the shape of the survey's verdicts.

    `args` has `count`, and `examples`: the first places in the file. `evidence` are these places as `line N`.
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
    sentence: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All verdicts on one file, worst first, and the numbers of the zone.

    `included` are the files that `$INCLUDE` brought in; `at` is the time of validation in Unix seconds.
    """

    zone: str
    file: str
    sha256: str
    included: tuple[Provenance, ...]
    at: int
    summary: Mapping[str, object]
    verdicts: tuple[FileVerdict, ...]

    @property
    def worst(self) -> Level:
        """The highest level of any verdict."""
        return max((Level.from_word(v.level) for v in self.verdicts), default=Level.PASS)


def audit(loaded: LoadedZone, at: int, threads: int | None = None) -> AuditReport:
    """Judge a zone file.

    Args:
        at: time of validation in Unix seconds.
        threads: all cores if None.
    """
    found = loaded.zone.audit(at, threads or os.cpu_count() or 1)
    zone = str(loaded.apex).lower() if loaded.apex is not None else "(no zone)"
    verdicts = [_verdict(loaded, zone, *finding) for finding in _findings(loaded, found)]
    verdicts.sort(key=lambda v: (-Level.from_word(v.level), v.check_id, v.code))
    summary = {
        "serial": found.serial,
        "records": found.records,
        "names": found.names,
        "delegations": found.delegations,
        "signed_delegations": found.signed_delegations,
        "algorithms": [_mnemonic(number) for number in found.algorithms],
        "rrsets_validly_signed": found.rrsets_valid,
        "valid_signatures": {_mnemonic(number): count for number, count in found.signatures_valid},
        "last_inception": found.last_inception,
        "first_expiration": found.first_expiration,
    }
    sha256 = loaded.provenance.sha256
    return AuditReport(zone, str(loaded.path), sha256, loaded.included, at, summary, tuple(verdicts))


@cache
def levels() -> Mapping[str, Level]:
    """The level of each code, as the packaged profile has them."""
    document = tomllib.loads((files("gnomon.zonefile") / "profile.toml").read_text(encoding="utf-8"))
    return {code: Level.from_word(word) for code, word in document["levels"].items()}


Finding = tuple[str, int, list[Place]]


def _findings(loaded: LoadedZone, found: _core.ZoneAudit) -> Iterator[Finding]:
    """Everything found, and for each check that found nothing bad the code that says so."""
    all_found = [*_faults(loaded.zone), *found.findings, *_weak(found)]
    yield from all_found
    judged = {code.partition("/")[0] for code, _, _ in all_found}
    signed = bool(found.algorithms)
    sound = {
        "syntax": ("clean", found.records),
        "apex": ("complete", 1),
        "records": ("sound", found.records),
        "delegations": ("sound", found.delegations),
        "ds": ("sound", found.signed_delegations),
        "keys": ("sound", len(found.algorithms)),
        "signatures": ("valid", found.rrsets_valid),
    }
    for check, (code, count) in sound.items():
        if check not in judged and (signed or check not in ("keys", "signatures")):
            yield f"{check}/{code}", count, []


def _faults(zone: _core.Zone) -> Iterator[Finding]:
    by_kind: dict[str, list[Place]] = {}
    for line, kind, reason in zone.faults:
        by_kind.setdefault(kind, []).append((line, "", reason))
    for kind, places in by_kind.items():
        yield f"syntax/{kind}", len(places), places[:5]


def _weak(found: _core.ZoneAudit) -> Iterator[Finding]:
    """DS records and keys whose algorithm or digest must not be used, or is unknown."""
    by_code: dict[str, tuple[int, list[Place]]] = {}

    def add(code: str, count: int, place: Place) -> None:
        known, places = by_code.get(code, (0, []))
        by_code[code] = (known + count, sorted([*places, place])[:5])

    for algorithm, digest_type, count, line, owner in found.ds_kinds:
        of = ALGORITHMS.get(algorithm)
        if of is None or of.use_signing is None:
            add("ds/algorithm-unknown", count, (line, owner, f"algorithm {algorithm}"))
        elif of.use_signing == "MUST NOT":
            add("ds/algorithm-deprecated", count, (line, owner, of.mnemonic))
        digest = DIGESTS.get(digest_type)
        if digest is None:
            add("ds/digest-unknown", count, (line, owner, f"digest type {digest_type}"))
        elif digest.use_delegation == "MUST NOT":
            add("ds/digest-deprecated", count, (line, owner, digest.mnemonic))
    for algorithm in found.algorithms:
        of = ALGORITHMS.get(algorithm)
        if of is not None and of.use_signing == "MUST NOT":
            add("keys/algorithm-deprecated", 1, (0, "", of.mnemonic))
    for code, (count, places) in by_code.items():
        yield code, count, places


def _mnemonic(algorithm: int) -> str:
    known = ALGORITHMS.get(algorithm)
    return known.mnemonic if known else f"algorithm {algorithm}"


class Count(int):
    """A number of records, read more easily with its digits in groups."""

    def __str__(self) -> str:
        return f"{int(self):,}"


def _verdict(loaded: LoadedZone, zone: str, full_code: str, count: int, places: list[Place]) -> FileVerdict:
    check, _, code = full_code.partition("/")
    properties, sentences = CHECKS[check]
    level = levels()[f"zonefile.{full_code}"]
    examples = [_place(loaded, place) for place in places]
    more = " " + tr("First: {places}.").format(places="; ".join(examples)) if examples else ""
    return FileVerdict(
        zone=zone,
        check_id=f"zonefile.{check}",
        check_version=VERSION,
        subject="",
        properties=tuple(prop.value for prop in properties),
        code=code,
        state={Level.UNKNOWN: "unknown", Level.NOT_APPLICABLE: "not-applicable"}.get(level, "observed"),
        level=level.word,
        args={"count": count, "examples": examples},
        evidence=tuple(loaded.place(line) for line, _, _ in places if line),
        sentence=fill(sentences[code], zone, {"count": Count(count)}) + more,
    )


def _place(loaded: LoadedZone, place: Place) -> str:
    line, owner, detail = place
    words = loaded.place(line) if line else ""
    what = " ".join(printable(word) for word in (owner, detail) if word)
    return ": ".join(part for part in (words, what) if part)
