"""The parent side of a zone: what each parent server said, and the delegation that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gnomon.base import Address, Name
from gnomon.base.codes import AAAA, CNAME, DNAME, DS, NOERROR, NS, NXDOMAIN, SOA, A
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import shown_by
from gnomon.checks.read import address_order, in_order, read_all
from gnomon.evidence import Exchange
from gnomon.wire import Record, RRset, rdata

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

Says = Literal["referral", "answer", "nodata", "nxdomain", "alias", "elsewhere", "failure"]


@dataclass(frozen=True, slots=True)
class Undelegated:
    """A delegation given by the user instead of taken from the parent: name servers, their addresses, DS rdatas.

    Without name servers only the DS is the user's.
    """

    ns_names: tuple[Name, ...]
    glue: Mapping[Name, tuple[Address, ...]]
    ds: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class ParentAnswer:
    """What one parent server says about the zone's existence (question P1).

    `says`: referral (NS of the zone in the authority section), answer (it serves the zone itself), nodata or
    nxdomain, alias (CNAME or DNAME), elsewhere (a referral to another name), failure (any other rcode). `parent` is
    the zone above as this server shows it, None if it does not; `target` is where an alias leads.
    """

    answer: Answer
    says: Says
    parent: Name | None
    ns_names: tuple[Name, ...] = ()
    glue: Mapping[Name, tuple[Address, ...]] = field(default_factory=dict)
    target: Name | None = None


@dataclass(frozen=True, slots=True)
class Delegation:
    """The delegation as a resolver meets it: the union over the parent's servers, or the user's own input.

    `ds` is None where the parent has none or was not understood; `ds_known` tells which.
    """

    ns_names: tuple[Name, ...]
    glue: Mapping[Name, tuple[Address, ...]]
    ds: RRset | None
    ds_known: bool
    exchanges: tuple[Exchange, ...]
    given: bool = False


def parent_zone(view: ZoneView) -> Name:
    """The closest zone above as the parent's answers about the DS show it; the name above where they do not."""
    found = (_zone_above(view.zone, answer) for answer in view.answers("P2"))
    return next((above for above in found if above is not None), view.zone.parent())


def parent_answers(view: ZoneView) -> tuple[ParentAnswer, ...]:
    """The readable answers to P1 in address order; those without EDNS if there are no others.

    Where servers further up referred to a zone in between that then delegates, those of that zone count alone.
    """
    answers = [_parent_answer(view, answer) for answer in view.answers("P1") or view.answers("P1N")]
    between = {
        name
        for a in answers
        if a.says == "elsewhere"
        for name in read_all(rdata.ns, (r.rdata for r in a.answer.message.authority if r.rtype == NS))
    }
    lower = [a for a in answers if a.answer.exchange.server_name in between]
    return tuple(lower if any(a.ns_names for a in lower) else answers)


def _parent_answer(view: ZoneView, answer: Answer) -> ParentAnswer:
    message, zone = answer.message, view.zone
    ds = view.answer("P2", answer.address)
    above = _zone_above(zone, answer) or (_zone_above(zone, ds) if ds else None)
    for says, section in (("referral", message.authority), ("answer", message.answer)):
        names = read_all(rdata.ns, (r.rdata for r in section if r.rtype == NS and r.owner == zone))
        if names and message.rcode == NOERROR:
            glue = _glue(answer, {name for name in names if name.is_subdomain_of(view.parent_zone)})
            return ParentAnswer(answer, "referral" if says == "referral" else "answer", above, names, glue)
    says, dname = _without_ns(zone, answer), view.answer("P4", answer.address)
    if says == "nodata" and dname is not None and _without_ns(zone, dname) == "alias":
        return ParentAnswer(answer, "alias", above, target=_target(zone, dname))
    return ParentAnswer(answer, says, above, target=_target(zone, answer))


def _zone_above(zone: Name, answer: Answer) -> Name | None:
    """The zone that speaks: the owner of its SOA record, the signer of a DS, or where a referral leads."""
    message = answer.message
    above = [r.owner for r in message.authority if r.rtype == SOA]
    found = message.rrset("answer", zone, DS) or message.rrset("authority", zone, DS)
    above += [rrsig.signer for rrsig in read_all(rdata.rrsig, found.signatures if found else ())]
    if not above and not message.aa:
        above = [r.owner for r in message.authority if r.rtype == NS and not r.owner.is_root]
    return next((owner for owner in above if owner != zone and zone.is_subdomain_of(owner)), None)


def _aliases(zone: Name, answer: Answer) -> list[Record]:
    return [r for r in answer.message.answer if r.rtype in (CNAME, DNAME) and zone.is_subdomain_of(r.owner)]


def _target(zone: Name, answer: Answer) -> Name | None:
    return next(iter(read_all(rdata.ns, (r.rdata for r in _aliases(zone, answer)))), None)


def _without_ns(zone: Name, answer: Answer) -> Says:
    message = answer.message
    if _aliases(zone, answer):
        return "alias"
    if message.rcode == NXDOMAIN:
        return "nxdomain"
    if message.rcode != NOERROR:
        return "failure"
    if any(r.rtype == NS for r in message.authority) and not any(r.rtype == SOA for r in message.authority):
        return "elsewhere"
    return "nodata"


def _glue(answer: Answer, wanted: set[Name]) -> dict[Name, tuple[Address, ...]]:
    """The addresses of hosts that the parent may speak for (RFC 9471 section 2); others are not believed."""
    found: dict[Name, set[Address]] = {}
    for record in answer.message.additional:
        if record.rtype in (A, AAAA) and record.owner in wanted:
            for address in read_all(rdata.address, (record.rdata,)):
                found.setdefault(record.owner, set()).add(address)
    return {name: tuple(sorted(found[name], key=address_order)) for name in in_order(found)}


def delegation(view: ZoneView) -> Delegation | None:
    """The zone's delegation, None when there is none (the root, a name that is no zone, or no answer)."""
    if view.undelegated is not None and view.undelegated.ns_names:
        return _given(view.zone, view.undelegated)
    answers = [a for a in view.parent_answers() if a.ns_names]
    referrals = [a for a in answers if a.says == "referral"] or answers
    if not referrals:
        return None
    glue: dict[Name, set[Address]] = {}
    for parent in referrals:
        for name, addresses in parent.glue.items():
            glue.setdefault(name, set()).update(addresses)
    return Delegation(
        in_order(name for parent in referrals for name in parent.ns_names),
        {name: tuple(sorted(glue[name], key=address_order)) for name in in_order(glue)},
        view.ds(),
        bool(view.ds_sets()),
        shown_by(parent.answer for parent in referrals),
    )


def _given(zone: Name, given: Undelegated) -> Delegation:
    names = in_order(given.ns_names)
    glue = {name: addresses for name, addresses in given.glue.items() if addresses}
    return Delegation(names, glue, given_ds(zone, given), True, (), given=True)


def given_ds(zone: Name, given: Undelegated) -> RRset | None:
    """The user's DS records as an RRset without signatures."""
    return RRset(zone, DS, 1, 0, tuple(sorted(given.ds)), ()) if given.ds else None


def ds_sets(view: ZoneView) -> dict[Address, RRset | None]:
    """The DS RRset at each parent server that gave an authoritative answer; None is a proper "none"."""
    sets: dict[Address, RRset | None] = {}
    for answer in view.answers("P2"):
        message = answer.message
        found = message.rrset("answer", view.zone, DS)
        if found is not None:
            sets[answer.address] = found
        elif message.aa and message.rcode in (NOERROR, NXDOMAIN):
            sets[answer.address] = None
    return sets
