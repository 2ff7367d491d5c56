"""Consistency: do all servers of a zone answer alike, beyond its SOA and NS records, and which server is which."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from functools import lru_cache

from gnomon.base import Address, Name
from gnomon.base.codes import AAAA, CAA, NOERROR, NXDOMAIN, OPTION_NSID, OPTION_ZONEVERSION, SOA, TXT, A
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.read import address_order, read_all
from gnomon.checks.registry import REL, SEC, STA, check
from gnomon.checks.replies import (
    UNHEARD,
    UNHEARD_EDNS,
    Heard,
    has_authority,
    hear,
    is_partial,
    labels,
    none_proper,
    probe,
    referred_to,
    unheard,
)
from gnomon.checks.unjudged import unjudged
from gnomon.checks.view import ZoneView
from gnomon.wire import Message, rdata


@check(
    "cons.ns-host-addresses",
    properties=(STA,),
    asked=("Q9",),
    version=2,
    codes={
        "agree": "The servers of {zone} agree on the addresses of the name servers inside it ({names}).",
        "differ": "The servers of {zone} have different addresses for {name}: {values}.",
        "none-answers": "No server of {zone} answers with authority for {name}, which is inside it.",
        "below-a-cut": "{name} lies in {cut}, which {zone} delegates: its own servers do not speak for it.",
        "none-inside": "No name server of {zone} is inside it.",
        **UNHEARD,
    },
)
def ns_host_addresses(view: ZoneView) -> Iterator[Outcome]:
    """All servers have the same addresses for the name servers inside the zone.

    Why: it depends on chance which address a resolver then uses, and one of them is probably out of date.
    Rule: warning for each NS name inside the zone for which servers give different A or AAAA records; error if servers
        that serve the zone give no authoritative answer for it at all, nor refer to a zone below that it lies in.
    Source: RFC 1034 section 4.2.2.
    Do: let all servers transfer the zone from one primary; look for a stale copy on the server that differs.
    """
    inside = [name for name in view.ns_names if name.is_subdomain_of(view.zone)]
    agreeing: list[Name] = []
    for name in inside:
        answers = [a for a in view.answers_for_host(name) if a.exchange.ask == "Q9" and a.qtype in (A, AAAA)]
        usable = [a for a in answers if has_authority(a) and not is_partial(a) and a.address in view.serving]
        sets = {rtype: _sets([a for a in usable if a.qtype == rtype]) for rtype in (A, AAAA)}
        for of in (of for of in sets.values() if len(of) > 1):
            shown = shown_by(usable)
            yield outcome("differ", shown, subject=str(name), name=str(name), values=_tell(view, of))
        serving = [a for a in answers if view.service(a.address).state == "ok"]
        cut = next((cut for a in serving for cut in referred_to(a.message, view.zone)), None)
        bare = bool(serving) and not any(map(has_authority, serving))
        if bare and cut is not None:
            yield not_applicable("below-a-cut", shown_by(answers), subject=str(name), name=str(name), cut=str(cut))
        elif bare:
            yield outcome("none-answers", shown_by(answers), subject=str(name), name=str(name))
        elif usable and all(len(of) < 2 for of in sets.values()):
            agreeing.append(name)
    if not inside:
        yield not_applicable("none-inside", view.asked("P1"), view.asked("Q3"))
        return
    if agreeing and len(agreeing) == len(inside):
        yield outcome("agree", view.asked("Q9"), names=tuple(map(str, agreeing)))
    at = [a for a in view.addresses if view.asked("Q9", a) or view.service(a).state not in ("ok", "unobserved")]
    yield from unheard(view, _but_lame(view, hear(view, "Q9", at=at or view.addresses)), "Q9")


def _but_lame(view: ZoneView, heard: Heard) -> Heard:
    """The same, with the servers that answer with authority here and do not serve the zone among the missing."""
    lame = dict.fromkeys(answer.address for answer in heard.answers if answer.address not in view.serving)
    return heard.also("not-serving", lame) if lame else heard


def _sets(answers: list[Answer]) -> dict[tuple[Address, ...], list[Address]]:
    """The servers by the addresses that they give for what they were asked."""
    found: dict[tuple[Address, ...], list[Address]] = {}
    for answer in answers:
        found.setdefault(_given(answer.message, answer.qname, answer.qtype), []).append(answer.address)
    return found


@lru_cache(maxsize=1024)
def _given(message: Message, name: Name | None, rtype: int | None) -> tuple[Address, ...]:
    owned = [r.rdata for r in message.answer if r.rtype == rtype and r.owner == name]
    return tuple(sorted(set(read_all(rdata.address, owned)), key=address_order))


def _tell(view: ZoneView, groups: Mapping[tuple[Address, ...], list[Address]]) -> tuple[str, ...]:
    return tuple(
        f"{' '.join(map(str, value)) or 'none'} at {' '.join(labels(view, of))}" for value, of in groups.items()
    )


_COMPARED = ((TXT, "Z1T"), (CAA, "Z1C"))


@check(
    "cons.apex-rrsets",
    properties=(STA, SEC),
    asked=("Z1T", "Z1C", "Q1"),
    version=2,
    codes={
        "agree": "The servers of {zone} that were asked have the same {types} records.",
        "differ": "Servers of {zone} with the same serial have different {rtype} records: {servers}.",
        "differ-by-serial": "Servers of {zone} with different serials have different {rtype} records: {servers}.",
        "not-compared": "Fewer than two servers of {zone} gave an authoritative answer for one of these types.",
    },
)
def apex_rrsets(view: ZoneView) -> Iterator[Outcome]:
    """All servers have the same TXT and CAA records of the zone itself.

    Why: proofs of ownership, policies and the choice of certification authorities must not depend on which server
        is asked.
    Rule: warning if servers with the same serial have different records of a type; notice if only servers with
        different serials do. SOA, NS, DNSKEY and MX have checks of their own (cons.soa-serial and others, cons.ns-set,
        key.on-all-servers, mail.mx); address records may be steered and are left out.
    Source: RFC 1034 section 4.2.2.
    Do: let all servers transfer the zone from one primary; look for a server with another copy or an edited one.
    """
    compared: list[str] = []
    faults = 0
    for rtype, ask in _COMPARED:
        heard = [a for a in view.answers(ask) if has_authority(a) and a.qname == view.zone and a.qtype == rtype]
        answers = [a for a in heard if a.address in view.serving and not is_partial(a)]
        if len(answers) < 2:
            continue
        compared.append(str(rtype))
        sets = {a.address: _rdatas(view.zone, rtype, a) for a in answers}
        code = _difference(view, sets)
        if code:
            faults += 1
            shown, servers = shown_by(answers), labels(view, tuple(sets))
            yield outcome(code, shown, subject=str(rtype), rtype=str(rtype), servers=servers)
    if not compared:
        yield unknown("not-compared", view.asked("Z1T"))
    elif not faults:
        shown = shown_by(a for _, ask in _COMPARED for a in view.answers(ask))
        yield outcome("agree", shown, types=tuple(compared))


def _rdatas(zone: Name, rtype: int, answer: Answer) -> frozenset[bytes]:
    rrset = answer.message.rrset("answer", zone, rtype)
    return frozenset(rrset.rdatas) if rrset else frozenset()


def _difference(view: ZoneView, values: Mapping[Address, Hashable]) -> str:
    """Whether servers with one serial differ, only those with different serials do, or none."""
    if len(set(values.values())) < 2:
        return ""
    by_serial: dict[int | None, set[Hashable]] = {}
    for address, value in values.items():
        soa = view.soa(address)
        by_serial.setdefault(soa.serial if soa else None, set()).add(value)
    return "differ" if any(len(of) > 1 for of in by_serial.values()) else "differ-by-serial"


@check(
    "cons.negative-agree",
    properties=(STA,),
    asked=("Q5", "Q6", "Q1"),
    version=2,
    codes={
        "agree": "The servers of {zone} agree on names and types that do not exist ({count} compared).",
        "differ": "Servers of {zone} with the same serial contradict each other about {what}: {values}.",
        "differ-by-serial": "Servers of {zone} with different serials contradict each other about {what}: {values}.",
        **UNHEARD_EDNS,
    },
)
def negative_agree(view: ZoneView) -> Iterator[Outcome]:
    """All servers agree on which names do not exist.

    Why: NXDOMAIN denies everything below a name; where only some servers say so, what exists depends on chance.
    Rule: error if servers with the same serial answer the same question with NXDOMAIN here and NOERROR there; notice if
        only servers with different serials do. Asked are a random name below the zone and an unknown type at it.
    Source: RFC 8020 section 2; RFC 2308 section 2.
    Do: serve the same zone everywhere; look for a wildcard, or for software that answers NXDOMAIN for empty names.
    """
    faults, counted = 0, 0
    for ask, what in (("Q5", "a name that should not exist"), ("Q6", "a type that the zone does not have")):
        heard = hear(view, ask)
        answers = [a for a in heard.answers if a.address in view.serving and a.message.rcode in (NOERROR, NXDOMAIN)]
        rcodes = {a.address: str(a.message.rcode) for a in answers}
        counted = max(counted, len(rcodes))
        code = _difference(view, rcodes)
        if code:
            faults += 1
            values = tuple(f"{rcode} at {view.server_label(address)}" for address, rcode in rcodes.items())
            yield outcome(code, shown_by(answers), subject=ask, what=what, values=values)
    if counted and not faults:
        shown = [a.exchange for ask in ("Q5", "Q6") for a in hear(view, ask).answers]
        yield outcome("agree", shown, count=counted)
    yield from (unheard if counted else none_proper)(view, _but_lame(view, hear(view, "Q5")), "Q5")


@check(
    "cons.zoneversion",
    properties=(STA,),
    asked=("S6", "S6V", "Q2"),
    codes={
        "matches": "The zone version that servers of {zone} give with their answers is the serial ({count}).",
        "differs": "{server} gives {version} as the version of the zone, and the serial {serial} in the same answer.",
        "malformed": "{server} gives a zone version that cannot be read.",
        "absent": "No server of {zone} gives the version of the zone when asked for it.",
        "dropped": "Not judged at {servers}: silent when asked with several EDNS options (see edns.option-list).",
        "no-edns": "Not judged at {servers}: no EDNS there (see edns.support).",
        **UNHEARD,
    },
)
def zoneversion(view: ZoneView) -> Iterator[Outcome]:
    """The zone version in an answer is the serial of the zone that answered.

    Why: who debugs a cluster of servers relies on it to tell which version an answer came from.
    Rule: warning if a server asked for ZONEVERSION gives a serial that differs from the SOA record in the same answer,
        or an option of the wrong form. That it gives none is reported.
    Source: RFC 9660 section 3.
    Do: update the server software, or switch the option off.
    """
    probed = probe(view, "S6V", alive="Q2", edns=True, first="S6")
    good: list[Answer] = []
    faults = 0
    for answer in probed.answers:
        edns = answer.message.edns
        data = edns.option(OPTION_ZONEVERSION) if edns else None
        if data is None:
            continue
        server = view.server_label(answer.address)
        records = [r.rdata for r in answer.message.answer if r.rtype == SOA]
        serials = [soa.serial for soa in read_all(rdata.soa, records)]
        if len(data) < 2 or (data[1] == 0 and len(data) != 6):
            faults += 1
            yield outcome("malformed", answer.exchange, subject=server, server=server)
        elif data[1] == 0 and serials and int.from_bytes(data[2:], "big") not in serials:
            faults += 1
            version = int.from_bytes(data[2:], "big")
            yield outcome("differs", answer.exchange, subject=server, server=server, version=version, serial=serials[0])
        else:
            good.append(answer)
    if good and not faults:
        yield outcome("matches", shown_by(good), count=len(good))
    elif probed.answers and not good and not faults:
        yield outcome("absent", probed.shown)
    if probed.dropped:
        shown = [x for address in probed.dropped for x in view.asked("S6V", address)]
        yield unknown("dropped", shown, servers=labels(view, probed.dropped))
    yield from unheard(view, probed.heard, "S6", "S6V")


@check(
    "cons.instance-identity",
    properties=(STA,),
    asked=("Q2",),
    codes={
        "all": "Every server of {zone} that could be judged says which instance it is (NSID): {names}.",
        "some": "Some servers of {zone} say which instance they are (NSID); not {servers}.",
        "none": "No server of {zone} says which instance it is (NSID).",
        "no-edns": "Not judged at {servers}: no EDNS there (see edns.support).",
        **UNHEARD,
    },
)
def instance_identity(view: ZoneView) -> Iterator[Outcome]:
    """Servers say which instance of them answered.

    Why: behind one address there may be many machines; without a name nobody outside can tell which one is at fault.
    Rule: info if some or all servers give no NSID; notice for the root and top-level domains, most of whose
        addresses are anycast.
    Source: RFC 5001; RFC 4892; RSSAC047.
    Do: switch NSID on and give every instance a name.
    """
    heard = hear(view, "Q2", edns=True)
    names: dict[Address, bytes] = {}
    for answer in heard.answers:
        identity = answer.message.edns.option(OPTION_NSID) if answer.message.edns else None
        names[answer.address] = identity or b""
    nameless = [address for address, identity in names.items() if not identity]
    shown = heard.shown
    if names and not nameless:
        texts = tuple(sorted({identity.decode("ascii", "backslashreplace") for identity in names.values()}))
        yield outcome("all", shown, names=texts)
    elif names:
        code = "none" if len(nameless) == len(names) else "some"
        yield outcome(code, shown, servers=labels(view, nameless))
    yield from unheard(view, heard, "Q2")


@unjudged("cons.serial-lag", properties=(STA, REL), needs="history")
def serial_lag() -> None:
    """A new version of the zone reaches every server soon.

    Why: until then users get old data from some servers.
    Rule: by the minutes between the first sighting of a serial at any server and its sighting at each: warning for
        top-level and critical zones if the 95th percentile is over 60 minutes, error over 4 hours.
    Source: ICANN registry agreement, specification 10 (DNS update time); RSSAC047 section 5.4.
    Do: check NOTIFY, transfers and REFRESH of the server that lags.
    """


@unjudged("cons.instance-agree", properties=(STA,), needs="vantage-points")
def instance_agree() -> None:
    """The instances behind one anycast address serve the same version of the zone.

    Why: whoever is routed to the stale instance gets old data, and nobody elsewhere sees it.
    Rule: warning if instances of one address differ by more than one serial for longer than REFRESH; error if one lags
        for more than a quarter of EXPIRE.
    Source: RSSAC047 sections 4.6 and 5.4; RFC 4786 section 4.
    Do: check transfers to that instance; withdraw its route while it is stale.
    """


@unjudged("cons.serial-monotonic", properties=(STA,), needs="history")
def serial_monotonic() -> None:
    """The serial never goes backwards, and changes with the content.

    Why: secondaries do not follow a serial that goes backwards, and do not notice a change without a new one.
    Rule: error if the serial of an address decreases between surveys (RFC 1982) other than by a reset in two steps;
        warning if the content changed under the same serial.
    Source: RFC 1982; RFC 1912 section 2.2.
    Do: raise the serial with every change; after a wrong serial reset it in two steps.
    """
