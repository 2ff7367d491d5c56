"""Name server hosts: how each NS name resolves, from glue, the walk to its zone, and the zone's own servers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gnomon.base import Address, Name, Rcode
from gnomon.base.codes import AAAA, CNAME, DNAME, NOERROR, NXDOMAIN, A
from gnomon.checks.observed import Answer
from gnomon.checks.read import address_order, read_all
from gnomon.evidence import Exchange
from gnomon.wire import rdata

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

Resolution = Literal["resolved", "no-address", "nxdomain", "alias", "failed", "not-asked"]


@dataclass(frozen=True, slots=True)
class Host:
    """One NS name and what is known of its addresses.

    `addresses` is everything a resolver could use: glue and authoritative addresses together. `authoritative`
    comes from authoritative answers only (Q9 at the zone's servers, H1 and H2 elsewhere); `versions` are
    the IP versions for which such an answer, positive or negative, was got. `resolution` sums up these answers;
    with glue alone it is "not-asked". `alias` is the CNAME target if the name is one; `rcode` the worst seen.
    """

    name: Name
    glue: tuple[Address, ...]
    authoritative: tuple[Address, ...]
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
        return tuple(sorted({*self.glue, *self.authoritative}, key=address_order))


def resolve(view: ZoneView, name: Name) -> Host:
    """Put together everything the evidence has on `name`."""
    answers = _final_answers(view, name)
    asked = [x for x in view.about(f"name {str(name).lower()}") if x.ask in ("H0", "H1", "H2")]
    found: set[Address] = set()
    known: set[int] = set()
    alias: Name | None = None
    rcodes: list[Rcode] = []
    for answer in answers:
        message = answer.message
        question = message.question
        rcodes.append(message.rcode)
        alias = alias or _alias_of(answer, name)
        if message.rcode in (NOERROR, NXDOMAIN) and question is not None and (message.aa or alias):
            known.add(6 if question.qtype == AAAA else 4)
        for record in message.answer:
            if record.rtype in (A, AAAA) and record.owner in (name, alias):
                found.update(read_all(rdata.address, (record.rdata,)))
    resolution = _resolution(bool(found), alias, rcodes, known, bool(asked))
    delegation = view.delegation()
    glue = delegation.glue.get(name, ()) if delegation else ()
    exchanges = tuple(a.exchange for a in answers) or tuple(asked)
    authoritative = tuple(sorted(found, key=address_order))
    worst = max(rcodes, default=None)
    return Host(name, glue, authoritative, frozenset(known), resolution, alias, worst, exchanges)


def _final_answers(view: ZoneView, name: Name) -> list[Answer]:
    """The answers for A and AAAA of `name`: those of the zone's own servers for names in the zone, else H1, H2."""
    own = [a for a in view.answers("Q9") if a.qname == name]
    walked = [a for a in view.answers_about(f"name {str(name).lower()}") if a.exchange.ask in ("H1", "H2")]
    last_walk = [a for a in view.answers_about(f"name {str(name).lower()}") if a.exchange.ask == "H0"][-1:]
    if not own and not walked and last_walk and last_walk[0].message.rcode == NXDOMAIN:
        return last_walk
    return [a for a in own if a.message.aa] + walked or own


def _alias_of(answer: Answer, name: Name) -> Name | None:
    for record in answer.message.answer:
        if record.rtype == CNAME and record.owner == name:
            return next(iter(read_all(rdata.ns, (record.rdata,))), None)
    for record in answer.message.answer:
        if record.rtype == DNAME and name != record.owner and name.is_subdomain_of(record.owner):
            return next(iter(read_all(rdata.ns, (record.rdata,))), None)
    return None


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
