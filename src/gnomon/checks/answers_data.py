"""What must not be in public answers: private addresses, addresses of a top-level domain, special-use names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address

from gnomon.base import ROOT, Address, Name
from gnomon.base.codes import AAAA, MX, NOERROR, NS, NXDOMAIN, A
from gnomon.base.special import special_purpose
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.read import read
from gnomon.checks.registry import IOP, SEC, STA, check
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import Message, rdata

_COLLISION = IPv4Address("127.0.53.53")


@check(
    "resp.public-data-only",
    properties=(SEC,),
    asked=("Z1A", "Z2", "Q9", "S25"),
    codes={
        "public": "{count:The only address|All # addresses} seen in {zone} {count:is|are} public.",
        "private": "{name} in {zone} has the address {address}, which is not public ({block}).",
        "collision": "{name} in {zone} has the address {address}, by which name collisions are announced.",
        "none": "No address of a name in {zone} was seen.",
    },
)
def public_data_only(view: ZoneView) -> Iterator[Outcome]:
    """Names in a public zone have public addresses.

    Why: a private address leads everybody to a machine of his own network; it tells of networks inside, and lets a
        stranger's page reach them (DNS rebinding).
    Rule: the addresses of the zone itself, of www, of its name servers and mail hosts. Warning for an address of a
        special-purpose block, as private, loopback or link-local; error for 127.0.53.53, which registries give while a
        new top-level domain is found to collide with names in private use, and nobody else should.
    Source: RFC 1918 section 5; RFC 6890; RFC 8190; ICANN name collision occurrence management framework.
    Do: keep such names in a zone that only the inside sees.
    """
    seen: dict[tuple[Name, Address], Exchange] = {}
    for ask in ("Z1A", "Z2", "Q9", "S25"):
        for answer in view.answers(ask):
            for owned in _addresses(view.zone, answer.message):
                seen.setdefault(owned, answer.exchange)
    faults = 0
    for (name, address), exchange in seen.items():
        block = special_purpose(address)
        if block is not None:
            faults += 1
            code, text = "collision" if address == _COLLISION else "private", str(address)
            yield outcome(code, exchange, subject=f"{name} {text}", name=str(name), address=text, block=block)
    if not seen:
        yield not_applicable("none")
    elif not faults:
        yield outcome("public", dict.fromkeys(seen.values()), count=len(seen))


@lru_cache(maxsize=1024)
def _addresses(zone: Name, message: Message) -> tuple[tuple[Name, Address], ...]:
    """The address records of names in the zone, in an answer with authority."""
    if not message.aa or message.rcode != NOERROR:
        return ()
    records = [r for r in message.answer if r.rtype in (A, AAAA) and r.owner.is_subdomain_of(zone)]
    return tuple([(r.owner, address) for r in records if (address := read(rdata.address, r.rdata)) is not None])


@check(
    "resp.dotless",
    properties=(IOP, STA),
    asked=("Z1A", "Z1M"),
    version=2,
    codes={
        "none": "{zone} has no address and no mail exchange of its own.",
        "dotless": "{zone} itself has {types} records: a name without a dot.",
        "not-a-tld": "{zone} is no top-level domain.",
        "no-answer": "No server of {zone} answered for its addresses and mail exchanges.",
    },
)
def dotless(view: ZoneView) -> Iterator[Outcome]:
    """A top-level domain has no addresses and takes no mail itself.

    Why: a name without a dot is completed with the local domain, or taken for a search; it works here and not there,
        and its certificates and cookies belong to everybody below.
    Rule: warning for A, AAAA or MX records at a top-level domain, but not for a null MX, which says that it takes no
        mail. For a generic one the contract forbids them all; which it is, the DNS does not tell.
    Source: RFC 7085; SAC 053; gTLD registry agreement, specification 6, section 2.2.
    Do: remove the records.
    """
    if len(view.zone.labels) != 1 or view.zone_class != "T":
        yield not_applicable("not-a-tld")
        return
    answers = [a for ask in ("Z1A", "Z1M") for a in view.answers(ask) if a.message.aa and a.message.rcode == NOERROR]
    found = [(a, r) for a in answers for r in a.message.answer if r.rtype in (A, AAAA, MX) and r.owner == view.zone]
    found = [(a, r) for a, r in found if r.rtype != MX or r.rdata[2:] != ROOT.wire]
    if found:
        types = tuple(dict.fromkeys(str(record.rtype) for _, record in found))
        yield outcome("dotless", [answer.exchange for answer, _ in found], types=types)
    elif answers:
        yield outcome("none", shown_by(answers))
    else:
        yield unknown("no-answer", view.asked("Z1A"), view.asked("Z1M"))


@check(
    "resp.special-use",
    properties=(STA,),
    asked=("Z6",),
    codes={
        "denied": "The root denies the names that are kept for special use.",
        "delegated": "The root delegates {names}, which {names:is|are} kept for special use.",
        "answered": "{server} answers with records for {names}, which {names:is|are} kept for special use.",
        "not-the-root": "{zone} is not the root: it has nothing to say about special-use names at the top.",
        "no-answer": "No root server answered for special-use names.",
    },
)
def special_use(view: ZoneView) -> Iterator[Outcome]:
    """The root denies the names at the top that are kept for special use.

    Why: software relies on it that these never exist in the DNS, or treats them in its own way; a delegation would
        turn private questions into public traffic.
    Rule: alt, internal, invalid, local, localhost, onion and test are asked for at two root servers. Warning for a
        delegation or records. Servers of other zones refuse such questions: see resp.out-of-zone.
    Source: RFC 6761 section 6; RFC 6762 section 22.1; RFC 7686; RFC 9476; SAC 113.
    Do: nothing at your own servers; a root zone with such names is not the one that IANA publishes.
    """
    if not view.is_root:
        yield not_applicable("not-the-root")
        return
    answers = view.answers("Z6")
    delegated = [a for a in answers if not a.message.answer and any(r.rtype == NS for r in a.message.authority)]
    if delegated:
        names = tuple(dict.fromkeys(str(answer.qname) for answer in delegated))
        yield outcome("delegated", shown_by(delegated), names=names)
    given = [answer for answer in answers if answer.message.answer]
    for address in dict.fromkeys(answer.address for answer in given):
        server, own = view.server_label(address), [answer for answer in given if answer.address == address]
        names = tuple(str(answer.qname) for answer in own)
        yield outcome("answered", shown_by(own), subject=server, server=server, names=names)
    denied = [answer for answer in answers if answer.message.rcode == NXDOMAIN]
    if denied and not delegated and not given:
        yield outcome("denied", shown_by(denied))
    elif not answers or not (denied or delegated or given):
        yield unknown("no-answer", view.asked("Z6"))
