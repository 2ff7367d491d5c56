"""Whether what servers say can be relied on: foreign records, changing answers, failures now and then."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

from gnomon.base import Address, Name, RRType
from gnomon.base.codes import (
    CNAME,
    DNAME,
    DNSKEY,
    DS,
    HTTPS,
    MX,
    NOERROR,
    NS,
    OPTION_ECS,
    RRSIG,
    SERVFAIL,
    SOA,
    SRV,
    SVCB,
)
from gnomon.base.once import once
from gnomon.checks.edns_options import carried
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, outcome, shown_by, unknown
from gnomon.checks.read import read, read_all
from gnomon.checks.registry import REL, SEC, STA, check
from gnomon.checks.replies import UNHEARD, Finding, everything_heard, finding, hear, is_partial, told, unheard
from gnomon.checks.sent import sent, with_authority
from gnomon.checks.view import ZoneView
from gnomon.wire import Message, Record, rdata
from gnomon.wire.message import rrsets_in
from gnomon.wire.rdata import Soa, read_name


@check(
    "resp.no-foreign-data",
    properties=(SEC,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q9", "Z1M", "Z1T"),
    version=2,
    codes={
        "clean": "Servers of {zone} answer with records of {zone} and of what those name.",
        "foreign": "{server} sends records that nobody asked for, from outside {zone}: {records}.",
        "no-answer": "No server of {zone} gave an answer with authority.",
    },
)
def no_foreign_data(view: ZoneView) -> Iterator[Outcome]:
    """Answers about the zone hold records of the zone, and of the names that these records name.

    Why: records of others are how caches were poisoned; resolvers drop them, and a server that sends them is
        misconfigured or means no good.
    Rule: warning for a server whose authoritative answer to a question about the zone has records outside it but those
        of the names that NS, MX, SRV, SVCB, HTTPS, CNAME and DNAME records of the answer lead to, and, behind an alias,
        those of the zone that it leads into, as SOA and NS records or signatures in the answer show it.
    Source: RFC 2181 section 5.4.1; RFC 5452 section 6.
    Do: remove foreign zones, root hints and caches from the authoritative server.
    """
    owners = {record.owner for section in sent(view).about_zone for record in section}
    is_clean = all(owner.is_subdomain_of(view.zone) for owner in owners)
    findings, heard = list[Finding](), with_authority(view)
    for address in () if is_clean else view.addresses:
        own = [answer for answer in heard if answer.address == address]
        foreign = [(a, records) for a in own if (records := _foreign(view.zone, a.message))]
        if foreign:
            records = tuple(dict.fromkeys(text for _, texts in foreign for text in texts))
            findings.append(finding("foreign", address, *(a for a, _ in foreign), records=records))
    yield from told(view, findings, "clean", shown_by(heard))
    if not heard:
        yield unknown("no-answer", view.asked("Q1"))


_ALIASING: frozenset[int] = frozenset({CNAME, DNAME})
# Where in the data of a record the name begins to which it leads.
_NAME_AT: Mapping[int, int] = {NS: 0, CNAME: 0, DNAME: 0, MX: 2, SVCB: 2, HTTPS: 2, SRV: 6}


@lru_cache(maxsize=4096)
def _foreign(zone: Name, message: Message) -> tuple[str, ...]:
    records = (*message.answer, *message.authority, *message.additional)
    outside = [r for r in records if not r.owner.is_subdomain_of(zone)]
    if not outside or (message.question is not None and (message.question.name, message.question.qtype) == (zone, DS)):
        return ()  # of a server that has the zone above too, the DS is asked for there (RFC 4035 section 3.1.4)
    named = set(_named(records, _NAME_AT))
    ends = [name for name in _named(message.answer, _ALIASING) if not name.is_subdomain_of(zone)]
    beyond = [above for name in ends if (above := _zone_in(message, name)) is not None]
    # A DNAME above a name that an alias leads to is a step on its way.
    steps = {
        r.owner for r in message.answer if r.rtype == DNAME and any(name.is_subdomain_of(r.owner) for name in ends)
    }
    known = named | steps
    wrong = (r for r in outside if r.owner not in known and not any(r.owner.is_subdomain_of(above) for above in beyond))
    return tuple(dict.fromkeys(f"{str(r.owner).lower()} {r.rtype}" for r in wrong))


def _named(records: Iterable[Record], rtypes: Container[int]) -> Iterator[Name]:
    """The names that the records of these types lead to."""
    for record in records:
        if record.rtype in rtypes:
            target = read(_first_name, record.rdata[_NAME_AT[record.rtype] :])
            if target is not None:
                yield target


def _first_name(octets: bytes) -> Name:
    return read_name(octets, 0)[0]


def _zone_in(message: Message, name: Name) -> Name | None:
    """The closest zone above a name that SOA and NS records, or signatures, show."""
    zones = [r.owner for r in message.authority if r.rtype in (SOA, NS)]
    signatures = (r.rdata for r in (*message.answer, *message.authority) if r.rtype == RRSIG)
    zones += [signature.signer for signature in read_all(rdata.rrsig, signatures)]
    return max(filter(name.is_subdomain_of, zones), key=lambda zone: len(zone.wire), default=None)


@check(
    "resp.determinism",
    properties=(STA,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q7", "S5", "S6"),
    codes={
        "steady": "Servers of {zone} give the same answer each time they are asked.",
        "moved": "{server} took over a newer version of {zone} while it was asked ({serials}).",
        "back-and-forth": "{server} goes back to an older version of {zone} ({serials}).",
        "changes": "{server} gives different {types} records of {zone} at different times.",
        **UNHEARD,
    },
)
def determinism(view: ZoneView) -> Iterator[Outcome]:
    """A server gives the same answer to the same question, within a minute.

    Why: answers that change at random come from machines behind one address that do not have the same zone; which one
        a resolver meets is chance.
    Rule: the SOA is asked for several times in different forms, NS and DNSKEY at least where two forms of the question
        are. Warning for an older serial after a newer one, for SOA records that differ with the same serial, and for
        NS or DNSKEY RRsets that differ while the serial stands still. A newer serial on the way is information.
    Source: RFC 1034 section 4.3.5; RFC 1912 section 2.2.
    Do: make all machines behind one address serve the same version of the zone.
    """
    heard = hear(view, "Q1")
    findings = list[Finding]()
    for address in () if _agree(view) else [answer.address for answer in heard.answers]:
        soas = _over_time(view, address, SOA)
        values = [soa for _, rdatas in soas for soa in read_all(rdata.soa, rdatas)[:1]]
        serials = tuple(dict.fromkeys(str(soa.serial) for soa in values))
        shown = [answer for answer, _ in soas]
        types = tuple(str(t) for t in (NS, DNSKEY) if len({r for _, r in _over_time(view, address, t)}) > 1)
        if any(_is_older(after, before) for before, after in pairwise(values)):
            findings.append(finding("back-and-forth", address, *shown, serials=serials))
        elif len(serials) > 1:
            findings.append(finding("moved", address, *shown, serials=serials))
        elif len(set(values)) > 1 or types:
            what = types or (str(SOA),)
            more = [answer for t in (NS, DNSKEY) if str(t) in types for answer, _ in _over_time(view, address, t)]
            findings.append(finding("changes", address, *(more or shown), types=what))
    yield from told(view, findings, "steady", heard.shown)
    yield from unheard(view, heard, "Q1")


def _agree(view: ZoneView) -> bool:
    """Whether all answers of all servers, to whatever question, have the same apex RRsets."""
    whole = [m for m in sent(view).messages if m.aa and not m.tc and m.malformed is None]
    for rtype in (SOA, NS, DNSKEY):
        rrsets = rrsets_in(whole, "answer", view.zone, rtype)
        if len({rrset.rdatas for rrset in rrsets if rrset is not None}) > 1:
            return False
    return True


@once
def _whole(view: ZoneView) -> Mapping[int | None, list[Answer]]:
    """The whole authoritative answers with records about the zone's apex, by the type that was asked for."""
    found: dict[int | None, list[Answer]] = {}
    for answer in sent(view).where(lambda a: a.message.aa and bool(a.message.answer) and not is_partial(a)):
        if answer.qname == view.zone:
            found.setdefault(answer.qtype, []).append(answer)
    return found


def _over_time(view: ZoneView, address: Address, rtype: RRType) -> list[tuple[Answer, tuple[bytes, ...]]]:
    """The RRset at the apex in each whole authoritative answer of a server, in order of time."""
    found = [
        (answer, rrset.rdatas)
        for answer in _whole(view).get(rtype, ())
        if answer.address == address
        if (rrset := answer.message.rrset("answer", view.zone, rtype)) is not None
    ]
    return sorted(found, key=lambda item: (item[0].exchange.sent_at_ns, item[0].exchange.seq))


def _is_older(after: Soa, before: Soa) -> bool:
    """In serial number arithmetic (RFC 1982)."""
    return after.serial != before.serial and (after.serial - before.serial) & 0xFFFFFFFF > 1 << 31


@check(
    "resp.packet-budget",
    properties=(REL,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7"),
    codes={
        "steady": "No server of {zone} fails now and then.",
        "sometimes": "{server} answers SERVFAIL to {failed} of {count} questions.",
        **UNHEARD,
    },
)
def packet_budget(view: ZoneView) -> Iterator[Outcome]:
    """Servers do not fail now and then.

    Why: resolvers remember a failure and do not ask again for a while; one in ten is an outage for somebody all the
        time.
    Rule: notice for a server that serves the zone and answers SERVFAIL to one in ten or more of the ordinary questions
        about it. Failures of a kind, as of one type, are told by hdr.type-sweep and edns.support.
    Source: RFC 9520 section 3; RFC 8906 section 2.
    Do: look at the server's log for the time of the survey.
    """
    heard = hear(view, "Q1")
    findings = list[Finding]()
    fails = any(message.rcode == SERVFAIL for message in sent(view).messages)
    for address in [answer.address for answer in heard.answers] if fails else ():
        answers = [a for a in everything_heard(view).get(address, ()) if a.exchange.ask[0] in "QZ"]
        failed = [answer for answer in answers if answer.message.rcode == SERVFAIL]
        if failed and len(failed) * 10 >= len(answers):
            findings.append(finding("sometimes", address, *failed, failed=len(failed), count=len(answers)))
    yield from told(view, findings, "steady", heard.shown)
    yield from unheard(view, heard, "Q1")


@check(
    "resp.steering-declared",
    properties=(STA,),
    asked=("S6", "S6S", "Z1A"),
    codes={
        "declared": "{server} says that its answers depend on where the client is (scope {scope} of client subnet).",
        "undeclared": "No server of {zone} says that its answers depend on where the client is.",
        "differs": "Servers of {zone} give different addresses for it: {values}.",
        **UNHEARD,
    },
)
def steering_declared(view: ZoneView) -> Iterator[Outcome]:
    """Whether answers depend on who asks is known.

    Why: answers that are steered differ from place to place by intent; comparisons must leave them out.
    Rule: information: a client subnet option in an answer with its scope, and addresses of the zone that differ from
        server to server. Steering by the asker's own address is not seen from one vantage point.
    Source: RFC 7871 section 7.2.1.
    Do: nothing; know it when answers are compared.
    """
    heard = hear(view, "S6")
    declared = dict[Address, tuple[Answer, int]]()
    for address, of in carried(view, OPTION_ECS).items():
        answer, data = max(of, key=lambda pair: pair[1][3:4])
        if any(data[3:4]):  # a scope of 0 says: the same for everybody
            declared[address] = answer, data[3]
    findings = [finding("declared", address, a, scope=scope) for address, (a, scope) in declared.items()]
    values = _addresses(view)
    yield from told(view, findings, "undeclared", () if len(set(values.values())) > 1 else heard.shown)
    if len(set(values.values())) > 1:
        shown = shown_by(view.answers("Z1A"))
        texts = tuple(f"{', '.join(of) or 'none'} at {view.server_label(a)}" for a, of in values.items())
        yield outcome("differs", shown, values=texts)
    yield from unheard(view, heard, "S6")


def _addresses(view: ZoneView) -> Mapping[Address, tuple[str, ...]]:
    """The addresses at the apex as each server that was asked gives them."""
    found: dict[Address, set[str]] = {}
    for answer in view.answers("Z1A"):
        if answer.message.aa and answer.message.rcode == NOERROR and not is_partial(answer):
            records = (r.rdata for r in answer.message.answer if r.rtype == answer.qtype)
            found.setdefault(answer.address, set()).update(map(str, read_all(rdata.address, records)))
    return {address: tuple(sorted(of)) for address, of in found.items()}
