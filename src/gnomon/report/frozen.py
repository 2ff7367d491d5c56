"""The report as data: a sealed file from which anyone who has the evidence can see that every statement follows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any

from gnomon.base import InputError, Level, Name
from gnomon.evidence import EvidenceDir, durable, verify
from gnomon.evidence.sealed import seal, unseal
from gnomon.judge import replay
from gnomon.report.html import render
from gnomon.report.model import Advice, Finding, Report, Review, Source, gather

KIND = "gnomon-report"
SCHEMA_VERSION = 1


def freeze(report: Report, profile: str, page: str) -> bytes:
    """The content of report.json: the report, the profile of its verdicts, and the digest of its page."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "profile": profile,
        "page_sha256": sha256(page.encode()).hexdigest(),
        "report": _plain(report),
    }
    return seal(document)


def check_report(file: Path, evidence: Path, jobs: int = 1) -> Iterator[str]:
    """What does not follow from the evidence, as sentences; none when all does.

    The evidence is verified, judged again, and the report gathered and rendered again, with the texts of the review
    (which people wrote) taken from the report.

    Raises:
        InputError: no report, or no judged evidence there.
    """
    document = unseal(durable.read(file), file)
    if (document.get("kind"), document.get("schema_version")) != (KIND, SCHEMA_VERSION):
        raise InputError(f"{file} is no report of a version that this Gnomon reads")
    try:
        stated, profile, digest = dict(document["report"]), str(document["profile"]), str(document["page_sha256"])
        review = _review(stated["review"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file} is damaged: {error}; restore it from a copy") from None
    damaged = verify(evidence).problems
    yield from (str(problem) for problem in damaged)
    if damaged:
        return
    again = replay(evidence, profile, jobs=jobs)
    if again.different:
        yield f"judging again gives {again.different} other verdicts than those of the report; see gnomon replay"
    if again.partial:
        yield f"{len(again.partial)} zones cannot be judged again: exchanges were withheld"
    report = gather(evidence, profile, review)
    found: dict[str, Any] = json.loads(json.dumps(_plain(report)))
    for name in sorted(found.keys() | stated.keys()):
        if name != "version" and found.get(name) != stated.get(name):
            yield f"'{name}' does not follow from the evidence: {_first_difference(stated.get(name), found.get(name))}"
    if stated.get("version") == report.version and sha256(render(report).encode()).hexdigest() != digest:
        yield "the page is not what the report's data give"
    page = file.with_suffix(".html")
    if page.is_file() and sha256(durable.read(page)).hexdigest() != digest:
        yield f"{page} was changed after it was written"
    yield from _unknown_references(EvidenceDir.open(evidence), review)


def _unknown_references(evidence: EvidenceDir, review: Review | None) -> Iterator[str]:
    for finding in review.findings if review else ():
        for source in finding.sources:
            for ref in source.refs:
                try:
                    evidence.exchange(ref)
                except InputError as error:
                    yield f"finding {finding.id}, source {source.id}: {error}"


def _plain(value: Any) -> Any:
    if isinstance(value, Level):
        return value.word
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return str(value) if isinstance(value, Name) else value


def _review(document: Any) -> Review | None:
    """The texts of the review as they were read from JSON."""
    if document is None:
        return None
    findings = tuple(
        Finding(
            id=one["id"], area=one["area"], statement=one["statement"], explanation=one["explanation"],
            properties=tuple(one["properties"]),
            sources=tuple(Source(**{**source, "refs": tuple(source["refs"])}) for source in one["sources"]),
            advice=tuple(Advice(**advice) for advice in one["advice"]),
        )
        for one in document["findings"]
    )  # fmt: skip
    return Review(document["name"], tuple(document["areas"]), findings)


def _first_difference(stated: Any, found: Any, where: str = "") -> str:
    """The first place at which two documents differ, and what stands there."""
    if isinstance(stated, dict) and isinstance(found, dict):
        for key in sorted(stated.keys() | found.keys()):
            if stated.get(key) != found.get(key):
                return _first_difference(stated.get(key), found.get(key), f"{where}.{key}")
    if isinstance(stated, list) and isinstance(found, list) and len(stated) == len(found):
        for place, (one, other) in enumerate(zip(stated, found, strict=True)):
            if one != other:
                return _first_difference(one, other, f"{where}[{place}]")
    return f"{where.lstrip('.') or 'it'} says {json.dumps(stated)[:80]}, found is {json.dumps(found)[:80]}"
