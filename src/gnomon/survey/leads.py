"""What an answer about a zone's mail and web leads to: names that must be looked up too.

Pure functions, for the planner that asks and for the judge that gathers what was answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from gnomon.base import InputError, Name
from gnomon.base.codes import AAAA, CAA, HTTPS, MX, NS, SOA, TLSA, TXT, A
from gnomon.survey import reading
from gnomon.survey.steps import Key
from gnomon.wire import MalformedRdata, Message, rdata, services, spf, tags

T = TypeVar("T")

SMTP = (b"_25", b"_tcp")
_KINDS: dict[int, str] = {A: "host", AAAA: "host", HTTPS: "host", TLSA: "tlsa", TXT: "text", CAA: "caa"}
_DMARC = b"_dmarc"
_WALKED = 8  # steps of the DMARC tree walk (RFC 9989 section 4.10)


def leads(zone: Name, qname: Name, qtype: int, message: Message) -> tuple[Key, ...]:
    """What must be looked up after this answer to a question about `qname`, in or below `zone`."""
    owner = reading.end_of_aliases(message, qname)
    rdatas = tuple(r.rdata for r in message.answer if r.rtype == qtype and r.owner == owner)
    kind = _KINDS.get(qtype)
    if not rdatas and kind is not None:
        if owner != qname and not owner.is_subdomain_of(zone):
            return ((kind, owner),)
        if not message.aa and any(r.rtype == NS and qname.is_subdomain_of(r.owner) for r in message.authority):
            return ((kind, qname),) if qname != zone else ()
    return leads_of(zone, qname, qtype, rdatas)


def leads_of(zone: Name, qname: Name, qtype: int, rdatas: Sequence[bytes]) -> tuple[Key, ...]:
    """The same for the record data that an answer gives in the end; none is a lead too."""
    if qtype == SOA and qname == zone:
        return tuple(_of_contact(zone, rdatas))
    if qtype == MX:
        return tuple(_of_mx(rdatas)) if qname == zone else tuple(_of_contacts_mx(qname, rdatas))
    if qtype == HTTPS:
        found = [one.target for octets in rdatas if (one := _read(services.svcb, octets))]
        return tuple(("host", target) for target in found if not target.is_root)
    if qtype == TXT:
        texts = [strings for octets in rdatas if (strings := _read(rdata.txt, octets))]
        return tuple(_of_dmarc(zone, texts) if _is_dmarc(zone, qname) else _of_spf(texts))
    if qtype == CAA and qname == zone and not rdatas:
        return tuple(("caa", above) for above in zone.ancestors()[1:-1])
    return ()


def _of_mx(rdatas: Sequence[bytes]) -> Iterable[Key]:
    found = [mx for octets in rdatas if (mx := _read(rdata.mx, octets)) and not mx.exchange.is_root]
    for mx in sorted(found, key=lambda mx: (mx.preference, mx.exchange.key)):
        yield "host", mx.exchange
        if (port := below(mx.exchange, *SMTP)) is not None:
            yield "tlsa", port


def contact_domain(rname: Name) -> Name | None:
    """The domain of the mail address that RNAME stands for (RFC 1035 section 8); None for a name of one label."""
    return rname.parent() if len(rname.labels) > 1 else None


def _of_contact(zone: Name, rdatas: Sequence[bytes]) -> Iterable[Key]:
    for octets in rdatas[:1]:
        soa = _read(rdata.soa, octets)
        domain = contact_domain(soa.rname) if soa else None
        if domain is not None and domain != zone:
            yield "mx", domain


def _of_contacts_mx(domain: Name, rdatas: Sequence[bytes]) -> Iterable[Key]:
    """Mail goes to the domain itself if it has no MX records (RFC 5321 section 5.1)."""
    found = [mx.exchange for octets in rdatas if (mx := _read(rdata.mx, octets)) and not mx.exchange.is_root]
    yield from (("host", exchange) for exchange in sorted(found, key=lambda name: name.key))
    if not rdatas:
        yield "host", domain


def _of_spf(texts: Sequence[tuple[bytes, ...]]) -> Iterable[Key]:
    policies = spf.policies(texts)
    for policy in policies if len(policies) == 1 and spf.wrong_term(policies[0]) is None else ():
        for term in spf.terms(policy):
            domain = term.domain
            if domain is not None and term.name in ("include", "redirect"):
                yield "text", domain
            elif domain is not None and term.name in ("a", "exists"):
                yield "host", domain


def _of_dmarc(zone: Name, texts: Sequence[tuple[bytes, ...]]) -> Iterable[Key]:
    """Who gets reports must agree to it (RFC 9990 section 4); without a policy the one above counts."""
    policies = tags.policies(texts, "DMARC1")
    if not policies:
        for above in zone.ancestors()[1:-1][-_WALKED + 1 :]:
            if (name := below(above, _DMARC)) is not None:
                yield "text", name
    for domain in report_domains(zone, policies):
        if (name := below(domain, *zone.labels, b"_report", _DMARC)) is not None:
            yield "text", name


def report_domains(zone: Name, policies: Sequence[str]) -> tuple[Name, ...]:
    """The domains outside the zone's own that its only DMARC policy has reports sent to."""
    read = tags.read(policies[0]) if len(policies) == 1 else None
    found = [d for tag, value in read or () if tag in ("rua", "ruf") for d in tags.mail_domains(value)]
    outside = (d for d in found if not d.is_subdomain_of(zone) and not zone.is_subdomain_of(d))
    return tuple(dict.fromkeys(outside))


def below(name: Name, *labels: bytes) -> Name | None:
    """The name with these labels put in front, None if that is too long."""
    try:
        for label in reversed(labels):
            name = name.prepend(label)
    except InputError:
        return None
    return name


def _is_dmarc(zone: Name, qname: Name) -> bool:
    return qname == below(zone, _DMARC)


def _read(parse: Callable[[bytes], T], octets: bytes) -> T | None:
    try:
        return parse(octets)
    except MalformedRdata:
        return None
