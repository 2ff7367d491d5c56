"""Name server hosts: how each NS name resolves, from glue, the walk to its zone, and the zone's own servers."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple

from gnomon.base import Address, Name, Rcode
from gnomon.base.codes import AAAA, CNAME, DNAME, NOERROR, NS, NXDOMAIN, SOA, A
from gnomon.checks.aliases import is_below
from gnomon.checks.observed import Answer, asked_in
from gnomon.checks.read import address_order, read, read_all
from gnomon.evidence import Exchange
from gnomon.evidence.subject import cut_subject, name_subject
from gnomon.wire import rdata

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

Resolution = Literal["resolved", "no-address", "nxdomain", "alias", "failed", "not-asked"]


class Host(NamedTuple):
    """One NS name and what is known of its addresses.

    `addresses` is everything a resolver could use. `authoritative` comes from authoritative answers only (Q9 at
    the zone's servers, H1 and H2 elsewhere), `unconfirmed` from other answers; `versions` are the IP versions for
    which an authoritative answer, positive or negative, was got. `resolution` sums up the answers; with glue alone
    it is "not-asked". `alias` is the target if the name is a CNAME or below a DNAME; `rcode` the highest seen.
    """

    name: Name
    glue: tuple[Address, ...]
    authoritative: tuple[Address, ...]
    unconfirmed: tuple[Address, ...]
    versions: frozenset[int]
    resolution: Resolution
    alias: Name | None
    rcode: Rcode | None
    exchanges: tuple[Exchange, ...]

    def knows(self, version: int) -> bool:
        """True if an authoritative answer says which addresses of that IP version the name has, or that it has none."""
        return version in self.versions or self.resolution == "nxdomain"

    @property
    def addresses(self) -> tuple[Address, ...]:
        return tuple(sorted({*self.glue, *self.authoritative, *self.unconfirmed}, key=address_order))


def resolve(view: ZoneView, name: Name) -> Host:
    """Put together everything the evidence has on `name`."""
    answers = _answers(view, name)
    alias = next((to for a in answers if a.qname == name and (to := _alias_of(a, name))), None)
    found: set[Address] = set()
    confirmed: set[Address] = set()
    known: set[int] = set()
    rcodes: list[Rcode] = []
    shown: dict[object, Exchange] = {}  # the first exchange that shows each fact
    for answer in answers:
        if _is_referral(answer):
            continue
        message, owners = answer.message, (answer.qname, alias)
        if not message.answer and (message.tc or message.malformed is not None):
            continue  # cut off: what it lacks may be there
        rcodes.append(message.rcode)
        if message.rcode in (NOERROR, NXDOMAIN) and message.aa:
            known.add(6 if answer.qtype == AAAA else 4)
        records = (r.rdata for r in message.answer if r.rtype in (A, AAAA) and r.owner in owners)
        addresses = read_all(rdata.address, records)
        found.update(addresses)
        shown.setdefault((answer.qtype, message.rcode, message.aa, addresses), answer.exchange)
        confirmed.update(addresses if message.aa else ())
    delegation = view.delegation()
    tried = () if rcodes else _tried(view, name)
    resolution = _resolution(bool(found), alias, rcodes, known, bool(tried))
    glue = delegation.glue.get(name, ()) if delegation else ()
    return Host(
        name=name,
        glue=glue,
        authoritative=tuple(sorted(confirmed, key=address_order)),
        unconfirmed=tuple(sorted(found - confirmed, key=address_order)),
        versions=frozenset(known),
        resolution=resolution,
        alias=alias,
        rcode=max(rcodes, default=None),
        exchanges=tuple(shown.values()) or tried,
    )


def _answers(view: ZoneView, name: Name) -> tuple[Answer, ...]:
    """What came back for A and AAAA of `name`, and of its alias's target: the zone's own servers first."""
    own = view.answers_for_host(name)
    walked = tuple(a for a in view.answers_about(name_subject(name)) if a.exchange.ask in ("H1", "H2"))
    authoritative = tuple(a for a in own if a.message.aa)
    return authoritative + walked or own


def _tried(view: ZoneView, name: Name) -> tuple[Exchange, ...]:
    """The attempts to find the name: the questions for it, else the walk to the zone that should have it."""
    inside = name.is_subdomain_of(view.zone)
    own = tuple(x for x in view.asked("Q9") if inside and (asked := asked_in(x.query)) and asked[0] == name)
    walked = own + view.about(name_subject(name))
    if walked or inside:
        return walked
    cuts = (view.about(cut_subject(above)) for above in name.ancestors()[1:-1])
    return next((tuple(x for x in found if x.ask == "C0") for found in cuts if found), ())


def _is_referral(answer: Answer) -> bool:
    """A step on the way down, not an answer about the name."""
    message = answer.message
    if message.aa or message.answer or message.rcode != NOERROR:
        return False
    return any(r.rtype == NS for r in message.authority) and not any(r.rtype == SOA for r in message.authority)


def _alias_of(answer: Answer, name: Name) -> Name | None:
    """The target of the CNAME that `name` is; of a DNAME above it where the server made no CNAME of that."""
    records = answer.message.answer
    made = (r for r in records if r.rtype == CNAME and r.owner == name)
    above = (r for r in records if r.rtype == DNAME and is_below(name, r.owner))
    return next((read(rdata.ns, record.rdata) for record in chain(made, above)), None)


def _resolution(found: bool, alias: Name | None, rcodes: list[Rcode], known: set[int], asked: bool) -> Resolution:
    if alias is not None:
        return "alias"
    if found:
        return "resolved"
    if NXDOMAIN in rcodes:
        return "nxdomain"
    if known == {4, 6}:
        return "no-address"
    return "failed" if rcodes or asked else "not-asked"
