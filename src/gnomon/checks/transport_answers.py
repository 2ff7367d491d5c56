"""Transport: what comes back over UDP and TCP, over IPv4 and IPv6, how large, how often and how soon."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import lru_cache
from math import ceil
from operator import attrgetter

from gnomon.base import Address, Name, Transport
from gnomon.base.codes import DNSKEY, NOERROR, NS, SOA
from gnomon.checks.observed import is_answered, is_silent
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, REL, RES, STA, check
from gnomon.checks.replies import UNHEARD, UNHEARD_EDNS, hear, labels, unheard
from gnomon.checks.sent import attempts
from gnomon.checks.unjudged import unjudged
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import Message, rdata


@check(
    "net.udp-answer",
    properties=(REL, IOP),
    asked=("Q1", "Q3", "Q3N"),
    version=2,
    codes={
        "proper": "Every server of {zone} that could be judged gives proper answers over UDP ({count}).",
        "ns-rcode": "{server} serves {zone}, but answers {rcode} to the question for its NS records.",
        "ns-not-authoritative": "{server} serves {zone}, but gives its NS records without authority.",
        "ns-missing": "{server} serves {zone}, but gives no NS records of it.",
        "ns-wrong-owner": "{server} gives NS records of {owner} when asked for those of {zone}.",
        **UNHEARD,
    },
)
def udp_answer(view: ZoneView) -> Iterator[Outcome]:
    """A server that serves the zone answers properly over UDP, for its NS records too.

    Why: resolvers that prefer the zone's own NS records, and those that validate, need them from every server.
    Rule: error for each server that answers for the SOA record as it should but not for the NS records: another rcode,
        no AA, no NS records, or those of another owner. Faults in the SOA answer are del.lame's and del.soa-present's.
    Source: RFC 1035 section 4.1; RFC 2181 section 6.1.
    Do: check the zone on that server, and any device that rewrites answers on the way.
    """
    heard = hear(view, "Q3", "Q3N")
    good: list[Exchange] = []
    lame = [answer for answer in heard.answers if answer.address not in view.serving]
    faults = 0
    for answer in [answer for answer in heard.answers if answer not in lame] if lame else heard.answers:
        code = _fault_of_ns(view.zone, answer.message)
        if not code:
            good.append(answer.exchange)
            continue
        faults += 1
        server = view.server_label(answer.address)
        owner = next((str(r.owner) for r in answer.message.answer if r.rtype == NS), "")
        facts = {"server": server, "rcode": str(answer.message.rcode), "owner": owner}
        yield outcome(code, answer.exchange, subject=server, **facts)
    if good and not faults:
        yield outcome("proper", good, count=len(good))
    if lame:
        yield unknown("not-serving", shown_by(lame), servers=labels(view, [answer.address for answer in lame]))
    yield from unheard(view, heard, "Q3")


@lru_cache(maxsize=1024)
def _fault_of_ns(zone: Name, message: Message) -> str:
    if message.rcode != NOERROR:
        return "ns-rcode"
    owners = {r.owner for r in message.answer if r.rtype == NS}
    if zone in owners:
        return "" if message.aa else "ns-not-authoritative"
    return "ns-wrong-owner" if owners else "ns-missing"


@check(
    "net.tcp-answer",
    properties=(REL, IOP),
    asked=("Q7", "Q1"),
    codes={
        "proper": "Every server of {zone} that could be judged gives a proper answer over TCP ({count}).",
        "rcode": "{server} serves {zone} over UDP and answers {rcode} over TCP.",
        "not-authoritative": "{server} serves {zone} over UDP and answers without authority over TCP.",
        "no-soa": "{server} serves {zone} over UDP and gives no SOA record of it over TCP.",
        **UNHEARD_EDNS,
    },
)
def tcp_answer(view: ZoneView) -> Iterator[Outcome]:
    """A server that serves the zone over UDP does so over TCP.

    Why: what does not fit over UDP is asked again over TCP; a server that answers wrongly there loses it.
    Rule: error for each server that answers the SOA question properly over UDP and over TCP with another rcode, without
        AA, or without the SOA record. No answer at all is net.tcp's; lame over both is del.lame's.
    Source: RFC 7766 section 5; RFC 2181 section 6.1.
    Do: let one server process answer both, and look for a proxy on TCP port 53.
    """
    heard = hear(view, "Q7")
    without_edns = heard.missing.get("no-edns", ())
    good: list[Exchange] = []
    faults = 0
    for address in view.addresses:
        answer = view.answer("Q7", address)
        if answer is None or view.service(address).state != "ok" or address in without_edns:
            continue
        message = answer.message
        has_soa = message.rrset("answer", view.zone, SOA) is not None
        if message.rcode == NOERROR and message.aa and has_soa:
            good.append(answer.exchange)
            continue
        faults += 1
        server = view.server_label(address)
        code = "rcode" if message.rcode != NOERROR else "no-soa" if message.aa else "not-authoritative"
        yield outcome(code, answer.exchange, subject=server, server=server, rcode=str(message.rcode))
    if good and not faults:
        yield outcome("proper", good, count=len(good))
    lame = [answer for answer in heard.answers if view.service(answer.address).state != "ok"]
    if lame:
        servers = labels(view, [answer.address for answer in lame])
        yield unknown("not-serving", shown_by(lame), servers=servers)
    yield from unheard(view, heard, "Q7")


@check(
    "net.family-parity",
    properties=(STA,),
    asked=("Q1", "Q2", "Q3", "Q4"),
    codes={
        "same": "Each name server of {zone} gives the same answers over IPv4 and IPv6 ({count} compared).",
        "differs": "{name} has other {what} records of {zone} at its IPv6 addresses than at its IPv4 addresses.",
        "not-comparable": "No name server of {zone} answers over both IPv4 and IPv6.",
    },
)
def family_parity(view: ZoneView) -> Iterator[Outcome]:
    """A name server gives the same answers over IPv4 and IPv6.

    Why: two machines behind one name, of which one is forgotten, give old data to half of the users.
    Rule: warning for each NS name whose IPv4 and IPv6 addresses differ in the SOA record (apart from its serial, which
        may have moved on), the NS or the DNSKEY records.
    Source: RFC 1034 section 4.2.2.
    Do: let both addresses lead to the same server, or keep both in step.
    """
    compared, faults = 0, 0
    serving = [a for a in view.addresses if a in view.serving]
    rdatas = ({rrset.rdatas for rrset in view.apex_rrset(rtype).values()} for rtype in (SOA, NS, DNSKEY))
    same = all(len(different) < 2 for different in rdatas)
    for name in view.ns_names:
        addresses = [a for a in serving if name in view.names_at(a)]
        sides = [[a for a in addresses if a.version == version] for version in (4, 6)]
        if not all(sides):
            continue
        compared += 1
        if same:
            continue
        contents = [[_content(view, address) for address in side] for side in sides]
        for index, what in enumerate(("SOA", "NS", "DNSKEY")):
            v4, v6 = ({one[index] for one in of if one[index] is not None} for of in contents)
            if v4 and v6 and v4 != v6:
                faults += 1
                shown = [x for a in addresses for ask in ("Q2", "Q3", "Q4") for x in view.asked(ask, a)]
                yield outcome("differs", shown, subject=f"{name} {what}", name=str(name), what=what)
    if not compared:
        yield not_applicable("not-comparable", view.asked("Q1"))
    elif not faults:
        yield outcome("same", view.apex_exchanges(SOA), count=compared)


def _content(view: ZoneView, address: Address) -> tuple[Hashable, Hashable, Hashable]:
    """What a server has at the apex: the SOA record without serial, NS and DNSKEY records; None where not known."""
    soa = view.soa(address)
    ns, keys = (view.apex_rrset(rtype).get(address) for rtype in (NS, DNSKEY))
    names = frozenset(read_all(rdata.ns, ns.rdatas)) if ns else None
    return soa and soa._replace(serial=0), names, frozenset(keys.rdatas) if keys else None


_SAMPLES = 20
_RTT_US = attrgetter("rtt_us")


@check(
    "net.loss",
    properties=(REL,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6"),
    codes={
        "little": "{lost} of {count} questions to the servers of {zone} had to be asked again.",
        "some": "{lost} of {count} questions to the servers of {zone} had to be asked again, at least one in 20.",
        "much": "{lost} of {count} questions to the servers of {zone} had to be asked again, at least one in five.",
        "most": "{lost} of {count} questions to the servers of {zone} had to be asked again, at least half.",
        "few-samples": "Only {count} {count:question|questions} to the servers of {zone} {count:was|were} answered; "
        "loss is judged from 20 on.",
    },
)
def loss(view: ZoneView) -> Iterator[Outcome]:
    """Few questions over UDP have to be asked again.

    Why: each lost packet costs the user a second or more; much loss shows an overloaded server or path.
    Rule: by the share of questions over UDP that were answered, but not at the first attempt: notice from 5 %, warning
        from 20 %, error from 50 %. Questions that were never answered are other checks'. Seen from one place.
    Source: none; the limits are this project's proposal. RSSAC047 measures availability alike.
    Do: look for rate limits, overload and lossy links in front of the servers.
    """
    tried = attempts(view).over_udp
    answered = set(map(_asked, filter(is_answered, tried)))
    silent = [x for x in tried if is_silent(x)] if len(answered) < len(tried) else []
    first = {_asked(x): is_answered(x) for x in reversed(tried) if is_answered(x) or is_silent(x)} if silent else {}
    lost = [asked for asked in answered if not first.get(asked, True)] if first else []
    share = len(lost) / len(answered) if answered else 0.0
    shown = [x for ask, address in sorted({asked[:2] for asked in lost}, key=str) for x in view.asked(ask, address)]
    if len(answered) < _SAMPLES:
        yield unknown("few-samples", view.asked("Q1"), count=len(answered))
        return
    code = "most" if share >= 0.5 else "much" if share >= 0.2 else "some" if share >= 0.05 else "little"
    yield outcome(code, shown or view.asked("Q1"), lost=len(lost), count=len(answered))


def _asked(x: Exchange) -> tuple[str, Address, bytes]:
    """What was asked and where; the case of the name is mixed anew in every attempt."""
    return x.ask, x.address, x.query[12:].lower()


@check(
    "net.rtt",
    properties=(REL,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7"),
    codes={
        "fine": "The servers of {zone} answer in time: 95 % of {count} answers within {rtt_ms} ms.",
        "udp-slow": "Only {share} % of {count} answers about {zone} over UDP came within 500 ms.",
        "tcp-slow": "Only {share} % of {count} answers about {zone} over TCP came within 1500 ms.",
        "not-measured": "No server of {zone} answered.",
    },
)
def rtt(view: ZoneView) -> Iterator[Outcome]:
    """Answers come within half a second over UDP, and within one and a half over TCP.

    Why: users wait for every step of a resolution.
    Rule: notice (top-level and critical zones: warning) if less than 95 % of the answers came within 500 ms over UDP,
        or within 1500 ms over TCP. Seen from one place: a server far away from it may be near others.
    Source: ICANN registry agreement, specification 10 section 2; RSSAC047 section 5.2.
    Do: add a server nearer to the users, or anycast; check the load of the slow ones.
    """
    answered = attempts(view).answered
    ordered, faults = sorted([rtt_us for rtt_us in map(_RTT_US, answered) if rtt_us is not None]), 0
    for transport, limit_us, code in ((Transport.UDP, 500_000, "udp-slow"), (Transport.TCP, 1_500_000, "tcp-slow")):
        if not ordered or ordered[-1] <= limit_us:
            continue
        of = [(x.rtt_us, x) for x in answered if x.transport is transport and x.rtt_us is not None]
        slow = [x for rtt_us, x in of if rtt_us > limit_us]
        if slow and len(slow) * 20 > len(of):
            faults += 1
            share = 100 * (len(of) - len(slow)) // len(of)
            yield outcome(code, slow, subject=transport.name, share=share, count=len(of))
    if not ordered:
        yield unknown("not-measured", view.asked("Q1"))
    elif not faults:
        rtt_us = ordered[ceil(0.95 * len(ordered)) - 1]
        yield outcome("fine", view.asked("Q1"), count=len(ordered), rtt_ms=rtt_us // 1000)


@unjudged("net.reach-map", properties=(RES,), needs="vantage-points")
def reach_map() -> None:
    """The zone works from every region of the world.

    Why: a route that is missing in one region is invisible from all others.
    Rule: by plain questions from at least 20 places in five regions: warning if any region sees less than half of the
        addresses working, error if one sees none.
    Source: RSSAC047 section 3; ICANN registry agreement, specification 10.
    Do: check the announcements of the servers' prefixes in that region.
    """


@unjudged("net.tcp-segmentation", properties=(IOP,), needs="transport")
def tcp_segmentation() -> None:
    """A server reads a TCP message that comes in pieces.

    Why: TCP may split anywhere; a server that expects length and message in one segment fails at random.
    Rule: warning if the connection is reset or ignored when the two octets of the length come alone.
    Source: RFC 7766 section 8.
    Do: update the server software.
    """


@unjudged("net.tcp-idle", properties=(RES,), needs="transport")
def tcp_idle() -> None:
    """A server neither closes a TCP connection at once nor keeps an idle one for minutes.

    Why: the first costs every client a new connection per question, the second lets idle clients fill the server.
    Rule: notice if it closes within one second of an answer, or keeps an idle connection over 120 seconds.
    Source: RFC 7766 section 6.2.3; RFC 7828; RFC 9210 section 4.2.
    Do: set the idle timeout to some ten seconds, lower under load.
    """


@unjudged("net.burst-answer", properties=(RES,), needs="consent")
def burst_answer() -> None:
    """A server under its rate limit tells honest clients to come back over TCP.

    Why: a limit that only drops makes the zone unreachable for the client whose address an attacker forges.
    Rule: of 20 equal questions in one second: notice if at least half are dropped without a truncated answer among
        them; warning if the source is then blocked for over 60 seconds.
    Source: practice of response rate limiting; RFC 9199; KINDNS.
    Do: let every second or third limited answer be a truncated one ("slip").
    """
