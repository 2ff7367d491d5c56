"""RRsets as they come: TTLs, sizes, types at a name, and record data without compression where it must not be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

from gnomon.base import Name, RRType
from gnomon.base.codes import CLASS_IN, NSEC, NSEC3, NSEC3PARAM, OPT, RRSIG, SOA, TSIG
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Arg, Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read
from gnomon.checks.registry import IOP, SEC, STA, check
from gnomon.checks.replies import Finding, everything_heard, finding
from gnomon.checks.sent import sent, told_of_all
from gnomon.checks.view import ZoneView
from gnomon.wire import Message, Record, rdata

_WEEK_S = 604_800
_TTL_MSB = 1 << 31
_MANY, _TOO_MANY, _REFUSED = 50, 100, 256
_MOST_TYPES = 100
_NO_ANSWER = {"no-answer": "No server of {zone} sent an answer."}

Fault = tuple[str, str, int]
"""An outcome's code, the RRset it is about, and a number."""


def _each_server(
    view: ZoneView, good: str, faults: Callable[[Message], tuple[Fault, ...]], *, is_clean: bool
) -> Iterator[Outcome]:
    """One outcome for each server and code, over all its answers; `faults` says what is wrong with a message.

    `is_clean`: it is known that nothing is.
    """
    findings = list[Finding]()
    for address, answers in () if is_clean else everything_heard(view).items():
        by_code: dict[str, list[tuple[Answer, Fault]]] = {}
        for answer in answers:
            for fault in faults(answer.message):
                by_code.setdefault(fault[0], []).append((answer, fault))
        for code, of in by_code.items():
            texts = tuple(dict.fromkeys(text for _, (_, text, _) in of))
            facts: dict[str, Arg] = {"rrsets": texts, "number": max(number for _, (_, _, number) in of)}
            findings.append(finding(code, address, *dict.fromkeys(answer for answer, _ in of), **facts))
    yield from told_of_all(view, findings, good)
    if not sent(view).answers:
        yield unknown("no-answer", view.asked("Q1"))


def _records(message: Message) -> tuple[Record, ...]:
    return (*message.answer, *message.authority, *message.additional)


def _rrsets(message: Message) -> Mapping[tuple[Name, int, int, bytes], list[Record]]:
    """The records of a message by owner, class and type; RRSIG also by the type that it covers."""
    found: dict[tuple[Name, int, int, bytes], list[Record]] = {}
    for section in (message.answer, message.authority, message.additional):
        here: dict[tuple[Name, int, int, bytes], list[Record]] = {}
        for record in section:
            here.setdefault(_rrset_of(record), []).append(record)
        for key, of in here.items():
            found.setdefault(key, of)
    return found


def _rrset_of(record: Record) -> tuple[Name, int, int, bytes]:
    rtype = record.rtype
    return record.owner, record.rclass, rtype, record.rdata[:2] if rtype == RRSIG else b""


@check(
    "syn.ttl-uniform",
    properties=(STA,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6"),
    codes={
        "uniform": "The records of each RRset from the servers of {zone} have one TTL.",
        "differs": "{server} gives records of one RRset different TTLs: {rrsets}.",
        **_NO_ANSWER,
    },
)
def ttl_uniform(view: ZoneView) -> Iterator[Outcome]:
    """All records of an RRset have the same TTL.

    Why: a resolver that keeps some of them longer would answer with a part.
    Rule: warning for an RRset whose records differ in TTL within a message.
    Source: RFC 2181 section 5.2.
    Do: give all records of the RRset one TTL in the zone file.
    """
    yield from _each_server(view, "uniform", _uneven, is_clean=not any(map(_differ, sent(view).sections)))


def _differ(records: Iterable[Record]) -> bool:
    """Whether any RRset has different TTLs, be it in different messages."""
    ttls: dict[tuple[Name, int, int, bytes], int] = {}
    return any(ttls.setdefault(_rrset_of(record), record.ttl_s) != record.ttl_s for record in records)


@lru_cache(maxsize=4096)
def _uneven(message: Message) -> tuple[Fault, ...]:
    uneven = (of[0] for of in _rrsets(message).values() if len({record.ttl_s for record in of}) > 1)
    return tuple(("differs", f"{record.owner} {record.rtype}", 0) for record in uneven)


@check(
    "syn.ttl-range",
    properties=(STA,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6"),
    codes={
        "sane": "The TTLs of all records from the servers of {zone} are from 1 second to a week.",
        "zero": "{server} gives TTL 0 to {rrsets}: no resolver keeps {rrsets:it|them}.",
        "long": "{server} gives a TTL of {number} seconds to {rrsets}; resolvers keep nothing over a week.",
        "negative": "{server} gives a TTL with the highest bit set to {rrsets}; it counts as 0.",
        **_NO_ANSWER,
    },
)
def ttl_range(view: ZoneView) -> Iterator[Outcome]:
    """TTLs are neither 0 nor over a week.

    Why: with 0 every client's question reaches the servers, and an outage of minutes is an outage for all; what is
        over a week is cut down by resolvers to a week or a day, so nobody gets what is written.
    Rule: warning for TTL 0 and for more than 604,800 seconds, error if the highest bit is set. An SOA record may have
        0 (RFC 1035 section 3.2.1), NSEC3PARAM, which no resolver uses, has it by custom; records of other classes than
        IN are not looked at.
    Source: RFC 2181 section 8; RFC 8767 section 4; RFC 1912 section 2.2.
    Do: choose TTLs of minutes to days.
    """
    odd = [r for section in sent(view).sections for r in section if not 0 < r.ttl_s <= _WEEK_S]
    is_clean = not any(map(_is_out_of_range, odd))
    yield from _each_server(view, "sane", _out_of_range, is_clean=is_clean)


@lru_cache(maxsize=4096)
def _out_of_range(message: Message) -> tuple[Fault, ...]:
    found = dict[Fault, None]()
    for r in _records(message):
        if _is_out_of_range(r):
            code = "negative" if r.ttl_s & _TTL_MSB else "long" if r.ttl_s else "zero"
            found[code, f"{Name(r.owner.key)} {r.rtype}", r.ttl_s] = None
    return tuple(found)


def _is_out_of_range(record: Record) -> bool:
    if 0 < record.ttl_s <= _WEEK_S or record.rclass != CLASS_IN:
        return False
    return record.ttl_s > 0 or not _may_be_zero(record)


def _may_be_zero(record: Record) -> bool:
    covered = int.from_bytes(record.rdata[:2], "big") if record.rtype == RRSIG else int(record.rtype)
    return covered in (SOA, NSEC3PARAM, TSIG, OPT)


@check(
    "syn.rrset-size",
    properties=(IOP, SEC),
    asked=("Q3", "Q4", "Q5", "Q6", "Z1M", "Z1T"),
    codes={
        "sane": "No RRset from the servers of {zone} has more than 50 records.",
        "large": "{server} has {rrsets:an RRset of|RRsets of up to} {number} records: {rrsets}.",
        "too-large": "{server} has {rrsets:an RRset of|RRsets of up to} {number} records: {rrsets}; BIND refuses more "
        "than 100.",
        "refused": "{server} has {rrsets:an RRset of|RRsets of up to} {number} records: {rrsets}; PowerDNS refuses "
        "more than 256.",
        **_NO_ANSWER,
    },
)
def rrset_size(view: ZoneView) -> Iterator[Outcome]:
    """RRsets have no more records than resolvers take.

    Why: very large RRsets make servers and resolvers slow, so these refuse them, and with them the answer.
    Rule: notice for more than 50 records in an RRset, warning for more than 100 (BIND's limit), error for more than
        256 (PowerDNS's).
    Source: CVE-2024-1737 and BIND's max-records-per-type; PowerDNS Recursor's max-rrset-size.
    Do: take records away; spread addresses over names.
    """
    is_clean = all(sum(message.counts[1:]) <= _MANY for message in sent(view).messages)
    yield from _each_server(view, "sane", _sizes, is_clean=is_clean)


@lru_cache(maxsize=4096)
def _sizes(message: Message) -> tuple[Fault, ...]:
    if sum(message.counts[1:]) <= _MANY:
        return ()
    large = [of for of in _rrsets(message).values() if len(of) > _MANY]
    return tuple((_size_code(len(of)), f"{of[0].owner} {of[0].rtype}", len(of)) for of in large)


def _size_code(count: int) -> str:
    return "refused" if count > _REFUSED else "too-large" if count > _TOO_MANY else "large"


@check(
    "syn.types-per-name",
    properties=(IOP,),
    asked=("Q5", "Q6", "Q8N"),
    codes={
        "sane": "No name of {zone} that was shown has more than {most} {most:type|types} of records.",
        "too-many": "{name} has {number} types of records; BIND refuses more than 100.",
        "not-shown": "No NSEC or NSEC3 record of {zone} shows which types a name has.",
    },
)
def types_per_name(view: ZoneView) -> Iterator[Outcome]:
    """A name has no more types of records than resolvers take.

    Why: as for very large RRsets: resolvers refuse what makes them slow.
    Rule: warning for more than 100 types in an NSEC or NSEC3 record. In an unsigned zone nothing shows them all.
    Source: BIND's max-types-per-name (CVE-2024-1737).
    Do: take records away, or spread them over names.
    """
    counts: dict[Name, tuple[int, Answer]] = {}
    for answer in sent(view).bearing((NSEC, NSEC3)):
        for owner, count in _types(answer.message):
            if count > counts.get(owner, (0, answer))[0]:
                counts[owner] = count, answer
    many = {name: of for name, of in counts.items() if of[0] > _MOST_TYPES}
    for name, (count, answer) in many.items():
        yield outcome("too-many", answer.exchange, subject=str(name), name=str(name), number=count)
    if not counts:
        yield not_applicable("not-shown")
    elif not many:
        shown = dict.fromkeys(answer.exchange for _, answer in counts.values())
        yield outcome("sane", shown, most=max(count for count, _ in counts.values()))


@lru_cache(maxsize=4096)
def _types(message: Message) -> tuple[tuple[Name, int], ...]:
    found: list[tuple[Name, int]] = []
    for record in (*message.answer, *message.authority):
        nsec = read(rdata.nsec, record.rdata) if record.rtype == NSEC else None
        nsec3 = read(rdata.nsec3, record.rdata) if record.rtype == NSEC3 else None
        types = nsec.types if nsec else nsec3.types if nsec3 else None
        if types is not None:
            found.append((record.owner, len(types)))
    return tuple(found)


@check(
    "syn.rdata-canonical",
    properties=(IOP,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7"),
    codes={
        "plain": "Servers of {zone} compress names only where all resolvers can read them.",
        "compressed": "{server} compresses names in the data of {rrsets}.",
        "pointer": "{server} sends names that cannot be followed ({rrsets}).",
        **_NO_ANSWER,
    },
)
def rdata_canonical(view: ZoneView) -> Iterator[Outcome]:
    """Names in record data are compressed only in the types of RFC 1035.

    Why: a resolver that does not know the type cannot tell a pointer from data, and passes on what nobody can read.
    Rule: error for a compressed name in the data of any type but those of RFC 1035 (NS, CNAME, SOA, PTR, MX, MINFO, MB
        and their like), and for pointers that lead forward or in a circle.
    Source: RFC 3597 section 4; RFC 4034 sections 3.1.7 and 4.1.1; RFC 9460 section 2.2; RFC 9267 section 2.
    Do: update the server.
    """
    everything = sent(view)
    pointers = [r for section in everything.sections for r in section if r.rtype in _NAME_AT and _has_pointer(r)]
    is_clean = not pointers and not any(map(_needs_look, everything.messages))
    yield from _each_server(view, "plain", _compressed, is_clean=is_clean)


# Not in RFC 1035, but with names that the reader uncompresses all the same (RFC 3597 section 4).
_UNCOMPRESSED = frozenset({17, 18, 21, 24, 26, 30, 33, 35, 36, 39, 46, 47})
_NAME_AT = {64: 2, 65: 2, 66: 5}  # SVCB, HTTPS and DSYNC, read as they came: where their name begins
_POINTER_FAULTS = ("pointer-forward", "pointer-loop")


def _needs_look(message: Message) -> bool:
    return message.malformed is not None or not _UNCOMPRESSED.isdisjoint(message.compressed_types)


@lru_cache(maxsize=4096)
def _compressed(message: Message) -> tuple[Fault, ...]:
    fault = message.malformed
    if fault is not None:
        return (("pointer", fault.reason, fault.offset),) if fault.reason in _POINTER_FAULTS else ()
    lengths = _lengths(message.wire)
    found: dict[Fault, None] = {}
    for record in _records(message):
        given = next(lengths, None)
        while given is not None and given[0] == OPT:
            given = next(lengths, None)
        if given is None:
            break
        if (record.rtype in _UNCOMPRESSED and given[1] < len(record.rdata)) or _has_pointer(record):
            found["compressed", f"{record.owner} {RRType(record.rtype)}", 0] = None
    return tuple(found)


def _has_pointer(record: Record) -> bool:
    """A pointer where the name in the data of a newer type should be."""
    at = _NAME_AT.get(record.rtype, -1)
    while 0 <= at < len(record.rdata) and record.rdata[at]:
        if record.rdata[at] >= 192:
            return True
        at += record.rdata[at] + 1
    return False


def _lengths(wire: bytes) -> Iterator[tuple[int, int]]:
    """Type and RDLENGTH of each record of a message that can be read to its end, in order."""
    questions = int.from_bytes(wire[4:6], "big")
    records = sum(int.from_bytes(wire[at : at + 2], "big") for at in (6, 8, 10))
    at = 12
    for _ in range(questions):
        at = _after_name(wire, at) + 4
    for _ in range(records):
        at = _after_name(wire, at)
        length = int.from_bytes(wire[at + 8 : at + 10], "big")
        yield int.from_bytes(wire[at : at + 2], "big"), length
        at += 10 + length


def _after_name(wire: bytes, at: int) -> int:
    while at < len(wire) and wire[at]:
        if wire[at] >= 192:
            return at + 2
        at += wire[at] + 1
    return at + 1
