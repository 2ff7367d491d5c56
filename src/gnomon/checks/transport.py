"""Transport: do the servers answer over UDP and TCP, over IPv6, and the same on each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gnomon.base import Address, Name, Transport
from gnomon.base.codes import NOERROR, SOA
from gnomon.checks.observed import is_answered, is_silent, is_udp
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, REL, STA, check
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import Message, rdata
from gnomon.wire.rdata import Soa

_UDP_ASKS = ("Q1", "Q2", "Q3")


def _over(view: ZoneView, asks: tuple[str, ...], address: Address, transport: Transport) -> tuple[Exchange, ...]:
    return tuple([x for ask in asks for x in view.asked(ask, address) if x.transport is transport])


def _are_dead(attempts: tuple[Exchange, ...]) -> bool:
    return any(map(is_silent, attempts)) and not any(map(is_answered, attempts))


def _how(attempts: tuple[Exchange, ...]) -> str:
    words = {x.status.word for x in attempts if is_silent(x)}
    return " and ".join(sorted("only messages that do not fit the query" if w == "mismatched" else w for w in words))


@check(
    "net.udp",
    properties=(REL,),
    asked=_UDP_ASKS,
    codes={
        "answers": "Every address of {zone} that could be asked answers over UDP ({count}).",
        "silent": "{server} does not answer over UDP ({how}, {attempts} {attempts:attempt|attempts}).",
        "lossy": "{server} answered over UDP only after {lost} lost {lost:attempt|attempts}.",
        "not-sent": "{server} was not asked over UDP ({how}).",
        "no-addresses": "No address is known of any name server of {zone}.",
    },
)
def udp(view: ZoneView) -> Iterator[Outcome]:
    """Every name server address answers over UDP.

    Why: nearly all questions travel over UDP; a silent address costs each resolver seconds.
    Rule: error for an address that answered no attempt; warning if the plain question was answered only after more
        than one lost attempt.
    Source: RFC 1123 section 6.1.3.2; RFC 7766 section 5.
    Do: check the host, its routing and the firewall for UDP port 53 from everywhere.
    """
    answering: list[Exchange] = []
    faults = 0
    for address in view.addresses:
        attempts = _over(view, _UDP_ASKS, address, Transport.UDP)
        good = next(filter(is_answered, attempts), None)
        if good is not None and attempts[0] is good:
            answering.append(good)
            continue
        server, plain = view.server_label(address), [x for x in attempts if x.ask == "Q1"]
        got = next((i for i, x in enumerate(plain) if is_answered(x)), None)
        if good is None and any(map(is_silent, attempts)):
            faults += 1
            yield outcome("silent", attempts, subject=server, server=server, how=_how(attempts), attempts=len(attempts))
        elif good is None:
            how = attempts[0].status.word if attempts else "not planned"
            yield unknown("not-sent", attempts, subject=server, server=server, how=how)
        elif got is not None and got > 1:
            faults += 1
            yield outcome("lossy", plain, subject=server, server=server, lost=got)
        else:
            answering.append(good)
    if not view.addresses:
        yield unknown("no-addresses")
    elif answering and not faults:
        yield outcome("answers", answering, count=len(answering))


@check(
    "net.tcp",
    properties=(REL,),
    asked=("Q7", *_UDP_ASKS),
    codes={
        "answers": "Every address of {zone} that could be asked answers over TCP ({count}).",
        "no-answer": "{server} does not answer over TCP ({how}).",
        "host-silent": "{server} does not answer over UDP either; TCP is not judged by itself.",
        "not-sent": "{server} was not asked over TCP ({how}).",
        "no-addresses": "No address is known of any name server of {zone}.",
    },
)
def tcp(view: ZoneView) -> Iterator[Outcome]:
    """Every name server address answers over TCP.

    Why: an answer that is too large for UDP, and every answer of a server that limits its rate, needs TCP.
    Rule: error for an address that answers over UDP but gives no answer over TCP (refused, reset or silent).
    Source: RFC 7766 section 5; RFC 9210 section 3.
    Do: open TCP port 53 at the firewall and let the server listen on it.
    """
    answering: list[Exchange] = []
    faults = 0
    for address in view.addresses:
        attempts = _over(view, ("Q7",), address, Transport.TCP)
        good = [x for x in attempts if is_answered(x)]
        if good:
            answering.append(good[-1])
            continue
        server = view.server_label(address)
        if not any(map(is_silent, attempts)):
            how = attempts[0].status.word if attempts else "not planned"
            yield unknown("not-sent", attempts, subject=server, server=server, how=how)
        elif _are_dead(_over(view, _UDP_ASKS, address, Transport.UDP)):
            yield unknown("host-silent", attempts, subject=server, server=server)
        else:
            faults += 1
            yield outcome("no-answer", attempts, subject=server, server=server, how=_how(attempts))
    if not view.addresses:
        yield unknown("no-addresses")
    elif answering and not faults:
        yield outcome("answers", answering, count=len(answering))


@check(
    "net.v6-reachable",
    properties=(REL, IOP),
    asked=(*_UDP_ASKS, "Q7"),
    codes={
        "reachable": "{count:The only IPv6 address|All # IPv6 addresses} of {zone} {count:answers|answer}.",
        "some-dead": "{servers:A published IPv6 address|Published IPv6 addresses} of {zone} {servers:does|do} not "
        "answer: {servers}.",
        "all-dead": "{count:The only published IPv6 address|None of the # published IPv6 addresses} of {zone} "
        "{count:does not answer|answers}.",
        "all-dead-no-v4": "{count:The only published IPv6 address|None of the # published IPv6 addresses} of {zone} "
        "{count:does not answer|answers}, and it has no IPv4 address.",
        "no-v6-here": "No IPv6 address of {zone} could be asked from here.",
        "no-v6": "No name server of {zone} has an IPv6 address.",
    },
)
def v6_reachable(view: ZoneView) -> Iterator[Outcome]:
    """Every published IPv6 address answers.

    Why: an address that is published but dead is worse than none: resolvers try it and wait.
    Rule: error if any published IPv6 address answers neither over UDP nor over TCP; critical if all are dead and there
        is no IPv4 address.
    Source: RFC 3901; Internet.nl.
    Do: repair IPv6 on the server, or take its AAAA records and glue away until it works.
    """
    addresses = [a for a in view.addresses if a.version == 6]
    attempts = {a: tuple(x for ask in (*_UDP_ASKS, "Q7") for x in view.asked(ask, a)) for a in addresses}
    alive = [a for a in addresses if any(map(is_answered, attempts[a]))]
    dead = [a for a in addresses if a not in alive and any(map(is_silent, attempts[a]))]
    shown = [x for a in dead for x in attempts[a]]
    if not addresses:
        yield not_applicable("no-v6")
    elif dead and alive:
        yield outcome("some-dead", shown, servers=tuple(view.server_label(a) for a in dead))
    elif dead:
        has_v4 = any(a.version == 4 for a in view.addresses)
        yield outcome("all-dead" if has_v4 else "all-dead-no-v4", shown, count=len(dead))
    elif alive:
        good = [next(x for x in attempts[a] if is_answered(x)) for a in alive]
        yield outcome("reachable", good, count=len(alive))
    else:
        yield unknown("no-v6-here", *attempts.values())


@check(
    "net.transport-parity",
    properties=(STA, IOP),
    asked=("Q2", "Q7"),
    version=2,
    codes={
        "same": "Every server of {zone} gives the same answer over UDP and TCP ({count} compared).",
        "data-differs": "{server} gives another SOA record over UDP than over TCP.",
        "not-comparable": "No server of {zone} gave its SOA record over both UDP and TCP.",
    },
)
def transport_parity(view: ZoneView) -> Iterator[Outcome]:
    """A server gives the same data over UDP and TCP.

    Why: a difference means two server processes, a proxy or an interception, and answers that depend on size.
    Rule: error if the SOA record differs (apart from its serial, which may have moved on). That there is a proper
        answer over TCP at all is net.tcp-answer's.
    Source: RFC 7766 section 5.
    Do: let one server process with one zone copy answer both, and look for devices in between.
    """
    compared: list[Exchange] = []
    faults = 0
    for address in view.addresses:
        udp, tcp = view.answer("Q2", address), view.answer("Q7", address)
        if udp is None or tcp is None or udp.exchange.transport == tcp.exchange.transport:
            continue
        soas = [_soa_records(view.zone, answer.message) for answer in (udp, tcp)]
        if not all(soas):
            continue
        shown = (udp.exchange, tcp.exchange)
        compared += shown
        if soas[0] != soas[1]:
            faults += 1
            server = view.server_label(address)
            yield outcome("data-differs", shown, subject=server, server=server)
    if not compared:
        yield unknown("not-comparable", view.asked("Q7"))
    elif not faults:
        yield outcome("same", compared, count=len(compared) // 2)


@lru_cache(maxsize=1024)
def _soa_records(zone: Name, message: Message) -> frozenset[Soa]:
    """The SOA records of an authoritative answer, without their serials."""
    rrset = message.rrset("answer", zone, SOA)
    if rrset is None or not message.aa or message.rcode != NOERROR:
        return frozenset()
    return frozenset(soa._replace(serial=0) for soa in read_all(rdata.soa, rrset.rdatas))


@check(
    "net.tc-fallback",
    properties=(REL,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7"),
    version=2,
    codes={
        "works": "Every truncated answer of {zone} was completed over TCP ({count}).",
        "fails": "{server} truncates answers over UDP and does not complete them over TCP ({asks}).",
        "fails-everywhere": "Every server of {zone} truncates answers over UDP, and none completes them over TCP.",
        "cut-over-tcp": "{server} truncates answers over TCP too ({asks}).",
        "not-followed": "{server} truncated answers, which were not asked again over TCP ({asks}).",
        "no-truncation": "No answer of {zone} was truncated.",
    },
)
def tc_fallback(view: ZoneView) -> Iterator[Outcome]:
    """What is truncated over UDP can be had over TCP.

    Why: a resolver that gets a truncated answer must ask again over TCP; without it the data cannot be had at all.
    Rule: error for a server that sets TC and does not answer the same question over TCP, or sets it there too;
        critical if none of the servers answers whole.
    Source: RFC 7766 section 5; RFC 2181 section 9.
    Do: let the server answer over TCP port 53, or make the answer fit (fewer keys, smaller algorithms).
    """
    failing: dict[Address, list[Exchange]] = {}
    followed: list[Exchange] = []
    cut_short: dict[Address, list[Exchange]] = {}
    cut_over_tcp: dict[Address, list[Exchange]] = {}
    answers = [a for ask in ("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7") for a in view.answers(ask)]
    for answer in [a for a in answers if a.message.tc or not is_udp(a.exchange)]:
        exchange = answer.exchange
        over_tcp = _over(view, (exchange.ask,), exchange.address, Transport.TCP)
        if exchange.transport == Transport.TCP and answer.message.tc:
            cut_over_tcp.setdefault(exchange.address, []).append(exchange)
        elif exchange.transport == Transport.TCP:
            # A wrong answer over UDP leads to TCP too.
            over_udp = _over(view, (exchange.ask,), exchange.address, Transport.UDP)
            followed += [exchange] if any(map(is_answered, over_udp)) else []
        elif answer.message.tc:
            (failing if any(map(is_silent, over_tcp)) else cut_short).setdefault(exchange.address, []).append(exchange)
    faults = {**failing, **cut_over_tcp}
    if faults and set(faults) == set(view.addresses):
        yield outcome("fails-everywhere", *faults.values())
    for code, of in (("fails", failing), ("cut-over-tcp", cut_over_tcp), ("not-followed", cut_short)):
        for address, shown in of.items():
            server, asks = view.server_label(address), tuple(sorted({x.ask for x in shown}))
            tries = _over(view, asks, address, Transport.TCP)
            make = unknown if code == "not-followed" else outcome
            yield make(code, shown, tries, subject=server, server=server, asks=asks)
    if followed and not faults:
        yield outcome("works", followed, count=len(followed))
    elif not followed and not faults and not cut_short:
        yield not_applicable("no-truncation")
