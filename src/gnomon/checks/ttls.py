"""Lifetimes: how long resolvers and secondaries keep what leads to a zone and what it serves."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gnomon.base import Name
from gnomon.base.codes import AAAA, DNSKEY, MX, NOERROR, NS, NXDOMAIN, SOA, TXT, A
from gnomon.checks.each import held
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import RES, SEC, STA, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, has_authority, signed_servers, without_keys
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import Message, RRset, rdata

_HOUR_S, _DAY_S = 3600, 86400


@check(
    "ttl.ns",
    properties=(RES,),
    asked=("P1", "Q3"),
    codes={
        "fine": "The NS records of {zone} live {ttl_s} s at the {side}.",
        "under-12-hours": "The NS records of {zone} live {ttl_s} s at the {side}, under twelve hours.",
        "low": "The NS records of {zone} live {ttl_s} s at the {side}, under an hour.",
        "very-low": "The NS records of {zone} live {ttl_s} s at the {side}, under five minutes.",
        "no-answer": "No answer shows the TTL of the NS records of {zone}.",
    },
)
def ttl_ns(view: ZoneView) -> Iterator[Outcome]:
    """NS records live long enough to ride out an outage.

    Why: resolvers with the records in cache go on working while the parent or a server is unreachable.
    Rule: by the lowest TTL at each side (the parent, which cannot always be chosen, and the apex): warning under
        300 s, notice under 3600 s; for the root and top-level domains notice under 43200 s.
    Source: RFC 9199 section 6; RFC 1912 section 2.2; Moura 2019 ("Cache Me If You Can").
    Do: give NS records a TTL of a day, and lower it only before a planned change.
    """
    referrals = [(a.answer, a.answer.message.rrset("authority", view.zone, NS)) for a in view.parent_answers()]
    parent = [(rrset.ttl_s, answer.exchange) for answer, rrset in referrals if rrset is not None]
    apex = [(rrset.ttl_s, a.exchange) for at, rrset in view.apex_rrset(NS).items() if (a := view.apex_answer(NS, at))]
    for side, found in (("parent", parent), ("apex", apex)):
        if found:
            ttl_s, exchange = min(found, key=lambda item: item[0])
            word = "very-low" if ttl_s < 300 else "low" if ttl_s < _HOUR_S else "fine"
            code = "under-12-hours" if word == "fine" and ttl_s < _DAY_S // 2 else word
            yield outcome(code, exchange, subject=side, side=side, ttl_s=ttl_s)
    if not parent and not apex:
        yield unknown("no-answer", view.asked("P1"), view.asked("Q3"))


@check(
    "ttl.ds",
    properties=(RES, STA),
    asked=("P2",),
    codes={
        "fine": "The DS records of {zone} live {ttl_s} s.",
        "low": "The DS records of {zone} live {ttl_s} s, under five minutes.",
        "high": "The DS records of {zone} live {ttl_s} s, over a day.",
        "no-ds": "The parent of {zone} gives no DS records.",
    },
)
def ttl_ds(view: ZoneView) -> Iterator[Outcome]:
    """DS records live neither so short that they are a burden nor so long that a wrong one stays for days.

    Why: the TTL is how long a zone stays bogus after a mistake with its DS, and how long a key rollover must wait.
    Rule: notice under 300 s or over 86400 s.
    Source: RFC 6781 section 4.4.2; draft-ietf-dnsop-ds-automation.
    Do: have the registry use a TTL between five minutes and a day; an hour is common.
    """
    found = [
        (rrset.ttl_s, answer.exchange)
        for address, rrset in view.ds_sets().items()
        if rrset is not None and (answer := view.answer("P2", address))
    ]
    if not found:
        yield not_applicable("no-ds", view.asked("P2"))
        return
    for code, (ttl_s, exchange) in (("low", min(found, key=_ttl)), ("high", max(found, key=_ttl))):
        if (ttl_s < 300) if code == "low" else (ttl_s > _DAY_S):
            yield outcome(code, exchange, ttl_s=ttl_s)
            return
    yield outcome("fine", [exchange for _, exchange in found], ttl_s=min(found, key=_ttl)[0])


def _ttl(found: tuple[int, Exchange]) -> int:
    return found[0]


@check(
    "ttl.dnskey",
    properties=(RES,),
    asked=("Q4",),
    codes={
        "fine": "The DNSKEY records of {zone} live {ttl_s} s.",
        "low": "The DNSKEY records of {zone} live {ttl_s} s, under an hour.",
        "over-half-validity": "The DNSKEY records of {zone} live {ttl_s} s, over half of the {validity_s} s for which "
        "their signature is valid.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def ttl_dnskey(view: ZoneView) -> Iterator[Outcome]:
    """DNSKEY records live long enough to be cached, and well under the validity of their signature.

    Why: too short, and every resolver fetches the largest RRset of the zone again and again; too long, and the cache
        outlives the signature.
    Rule: warning if the TTL is over half of the shortest validity period of a signature over the DNSKEY records;
        notice under 3600 s.
    Source: RFC 6781 section 4.4.2.
    Do: use a TTL from an hour to a day, and signatures that are valid for weeks.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    sets = view.apex_rrset(DNSKEY)
    address, rrset = min(sets.items(), key=lambda item: item[1].ttl_s)
    highest_s = max(one.ttl_s for one in sets.values())
    validity_s = min((period for one in sets.values() for period in _validity_s(one)), default=None)
    shown = view.apex_exchanges(DNSKEY)
    if validity_s is not None and 2 * highest_s > validity_s:
        yield outcome("over-half-validity", shown, ttl_s=highest_s, validity_s=validity_s)
    elif rrset.ttl_s < _HOUR_S:
        answer = view.apex_answer(DNSKEY, address)
        yield outcome("low", answer.exchange if answer else shown, ttl_s=rrset.ttl_s)
    else:
        yield outcome("fine", shown, ttl_s=rrset.ttl_s)


def _validity_s(rrset: RRset) -> list[int]:
    """The validity periods of the signatures over an RRset; serial arithmetic (RFC 4034 section 3.1.5)."""
    signatures = read_all(rdata.rrsig, rrset.signatures)
    return [(one.expiration - one.inception) % (1 << 32) for one in signatures]


@check(
    "ttl.service",
    properties=(RES,),
    asked=("Z1A", "Z1M", "Z1T", "Z2"),
    codes={
        "fine": "The address, MX and TXT records of {zone} and its www live at least {ttl_s} s.",
        "short": "{rtype} of {name} lives {ttl_s} s, under five minutes: an outage of the servers shows at once.",
        "very-short": "{rtype} of {name} lives {ttl_s} s, under one minute.",
        "none": "No address, MX or TXT record of {zone} or its www was seen.",
    },
)
def ttl_service(view: ZoneView) -> Iterator[Outcome]:
    """What the zone serves lives long enough to ride out a short outage.

    Why: caches that hold the records carry a service through an attack on its name servers; 30 minutes made most of
        the difference in measurements.
    Rule: notice under 60 s for an A, AAAA, MX or TXT record of the apex or www; info under 300 s, which failover and
        steering of traffic may need.
    Source: RFC 9199 section 6; Moura 2018 ("When the Dike Breaks").
    Do: raise the TTL to half an hour or more, unless the record changes with load or failures.
    """
    www = b"www"
    names = {view.zone, view.zone.prepend(www)} if len(view.zone.wire) < 252 else {view.zone}
    found: list[tuple[int, Answer, RRset]] = []
    for answer in (a for ask in ("Z1A", "Z1M", "Z1T", "Z2") for a in view.answers(ask)):
        if has_authority(answer) and answer.qname in names and answer.qtype in (A, AAAA, MX, TXT):
            rrset = answer.message.rrset("answer", answer.qname, answer.qtype)
            if rrset is not None:
                found.append((rrset.ttl_s, answer, rrset))
    if not found:
        yield not_applicable("none", view.asked("Z1M"))
        return
    ttl_s, answer, rrset = min(found, key=lambda item: item[0])
    code = "very-short" if ttl_s < 60 else "short" if ttl_s < 300 else "fine"
    yield outcome(code, answer.exchange, ttl_s=ttl_s, rtype=str(rrset.rtype), name=str(rrset.owner))


@check(
    "soa.negative-ttl",
    properties=(RES,),
    asked=("Q5", "Q6"),
    codes={
        "fine": 'Resolvers keep a "no" of {zone} for {ttl_s} s.',
        "low": 'Resolvers keep a "no" of {zone} for {ttl_s} s, under one minute.',
        "high": 'Resolvers keep a "no" of {zone} for {ttl_s} s, over three hours; many keep it for less.',
        "very-high": 'Resolvers may keep a "no" of {zone} for {ttl_s} s, over a day.',
        "no-negative": "No server of {zone} gave a negative answer with its SOA record.",
    },
)
def negative_ttl(view: ZoneView) -> Iterator[Outcome]:
    """Negative answers are kept for a sensible time, as servers really give them.

    Why: too short, and mistyped and random names reach the servers every time; too long, and a new name, or one that
        was deleted by mistake, stays missing.
    Rule: by the TTL of the SOA record in negative answers or MINIMUM, whichever is lower: warning over 86400 s;
        notice over 10800 s, where resolvers cut it, or under 60 s.
    Source: RFC 2308 sections 4 and 5; RFC 9077 section 3.
    Do: set the TTL of the SOA record and MINIMUM to an hour.
    """
    kept = [(_negative_ttl_s(view.zone, a.message), a.exchange) for ask in ("Q5", "Q6") for a in view.answers(ask)]
    found = [(ttl_s, exchange) for ttl_s, exchange in kept if ttl_s is not None]
    if not found:
        yield not_applicable("no-negative", view.asked("Q5"))
        return
    low, high = min(found, key=_ttl), max(found, key=_ttl)
    if low[0] < 60:
        yield outcome("low", low[1], ttl_s=low[0])
    elif high[0] > 10_800:
        yield outcome("very-high" if high[0] > _DAY_S else "high", high[1], ttl_s=high[0])
    else:
        yield outcome("fine", [exchange for _, exchange in found], ttl_s=low[0])


@lru_cache(maxsize=1024)
def _negative_ttl_s(zone: Name, message: Message) -> int | None:
    """For how long a negative answer is kept; None for any other."""
    rrset = message.rrset("authority", zone, SOA)
    if rrset is None or not message.aa or message.rcode not in (NOERROR, NXDOMAIN):
        return None
    return min([rrset.ttl_s, *[soa.minimum_s for soa in read_all(rdata.soa, rrset.rdatas)]])


@check(
    "soa.expire-vs-signature",
    properties=(RES, SEC),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6"),
    codes={
        "longer": "The signatures of {zone} last at least {rest_s} s, well over EXPIRE ({expire_s} s).",
        "close": "The first signatures of {zone} end in {rest_s} s, little more than EXPIRE ({expire_s} s).",
        "shorter": "The first signatures of {zone} end in {rest_s} s, before EXPIRE ({expire_s} s).",
        "none-valid": "No valid signature of {zone} was seen.",
        "no-soa": "No server of {zone} gives its SOA record with authority.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def expire_vs_signature(view: ZoneView) -> Iterator[Outcome]:
    """A secondary that is cut off from its primary stops serving before its signatures expire.

    Why: until EXPIRE runs out it answers with what it has; expired signatures are worse than none, for validating
        resolvers then fail although other servers may be well.
    Rule: notice if the valid signature that ends first ends before EXPIRE would; info if it lasts less than 1.25
        times as long.
    Source: RFC 6781 section 4.4.1 advises an EXPIRE of a third to a quarter of the validity period.
    Do: sign for longer, renew earlier, or lower EXPIRE.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    chain = view.chain()
    ends = [
        (max(left_s), one.answers[0].answer.exchange)
        for one in held(view)
        if (left_s := [(s.fields.expiration - chain.now_s) % (1 << 32) for s in one.examined.valid if s.fields])
    ]
    soas = view.soas()
    if not ends or not soas:
        yield unknown("none-valid" if soas else "no-soa", view.asked("Q2"))
        return
    rest_s, exchange = min(ends, key=_ttl)
    expire_s = max(soa.expire_s for soa in soas.values())
    code = "shorter" if rest_s < expire_s else "close" if rest_s * 4 < expire_s * 5 else "longer"
    yield outcome(code, exchange, view.apex_exchanges(SOA), rest_s=rest_s, expire_s=expire_s)
