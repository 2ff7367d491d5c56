"""The contact in the SOA record as a mail address: can it be written, and does mail to it go anywhere?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gnomon.base import Address, Name
from gnomon.base.codes import AAAA, CNAME, MX, NOERROR, SOA, A
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, outcome, shown_by, unknown
from gnomon.checks.read import in_order, read_all
from gnomon.checks.registry import REL, check
from gnomon.checks.replies import is_partial
from gnomon.checks.view import ZoneView
from gnomon.evidence.subject import name_subject
from gnomon.wire import rdata

_LOCAL_PART = re.compile(rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(rb"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")


@check(
    "syn.rname-mailbox",
    properties=(REL,),
    asked=("Q1", "H8", "Z1M", "H1", "H2", "Z2", "Z1A"),
    version=2,
    codes={
        "reachable": "Mail for {mailbox}, the contact of {zone}, goes to {hosts}.",
        "inside": "Mail for {mailbox}, the contact of {zone}, goes to {hosts}, but its domain lies in {zone} itself.",
        "not-an-address": "The contact {rname} in the SOA record of {zone} is no mail address.",
        "no-destination": "Mail for {mailbox}, the contact of {zone}, goes nowhere: {reason}.",
        "localhost": "Mail for {mailbox}, the contact of {zone}, goes to the address {address} of {host}.",
        "alias": "Mail for {mailbox}, the contact of {zone}, goes to {host}, which is an alias.",
        "null-mx": "{domain} says that it takes no mail, so {mailbox}, the contact of {zone}, cannot be reached.",
        "not-looked-up": "Not judged for {mailbox}, the contact of {zone}: where its mail goes is not known.",
        "no-soa": "No server of {zone} gives its SOA record with authority.",
    },
)
def rname_mailbox(view: ZoneView) -> Iterator[Outcome]:
    """The contact in the SOA record is a mail address that mail can be sent to.

    Why: it is where strangers report that the zone is broken.
    Rule: warning if RNAME is no mail address of RFC 5322 (with an at sign, see syn.rname-at), if its mail exchange is
        an alias, has a loopback address, or its domain takes no mail (null MX); notice if its domain has neither mail
        exchange nor address; information if its domain lies in the zone, so that reports do not arrive while the zone
        is broken, as with most zones.
    Source: RFC 1912 section 2.2; RFC 1035 section 8; RFC 5321 section 5.1; RFC 2142 section 7.
    Do: write an address that works, best in another zone.
    """
    if not view.soas():
        yield unknown("no-soa", view.asked("Q1"))
    for rname in in_order(soa.rname for soa in view.soas().values()):
        at = [address for address, soa in view.soas().items() if soa.rname == rname]
        shown = [answer.exchange for address in at if (answer := view.apex_answer(SOA, address)) is not None]
        domain = rname.parent()
        mailbox = _mailbox(rname)
        if mailbox is None:
            yield outcome("not-an-address", shown, subject=str(rname), rname=str(rname))
            continue
        code, facts, answers = _destination(view, domain)
        if code == "reachable" and domain.is_subdomain_of(view.zone):
            code = "inside"
        shown += shown_by(answers)
        make = unknown if code == "not-looked-up" else outcome
        yield make(code, shown, subject=mailbox, mailbox=mailbox, domain=str(domain), **facts)


def _mailbox(rname: Name) -> str | None:
    """RNAME as a mail address; None if it is none."""
    labels = rname.labels
    if len(labels) < 2 or not _LOCAL_PART.fullmatch(labels[0]) or not all(map(_LABEL.fullmatch, labels[1:])):
        return None
    return f"{labels[0].decode('ascii')}@{str(rname.parent()).rstrip('.')}"


def _destination(view: ZoneView, domain: Name) -> tuple[str, dict[str, str | tuple[str, ...]], Sequence[Answer]]:
    """The outcome's code for the mail of a domain, the facts in its sentence, and what shows it."""
    asked = view.answers("Z1M") if domain == view.zone else _about(view, domain, "H8")
    final = [a for a in asked if a.qtype == MX and (a.message.aa or a.message.answer) and not is_partial(a)]
    if not final:
        return "not-looked-up", {}, asked
    failed = [a for a in final if a.message.rcode != NOERROR]
    if len(failed) == len(final):
        return "no-destination", {"reason": f"{failed[0].message.rcode} for {domain}"}, final
    records = [r.rdata for a in final for r in a.message.answer if r.rtype == MX]
    exchanges = in_order(mx.exchange for mx in read_all(rdata.mx, records))
    if exchanges and all(name.is_root for name in exchanges):
        return "null-mx", {}, final
    hosts = [name for name in exchanges if not name.is_root] or [domain]
    found = {host: _addresses(view, host) for host in hosts}
    answers = [*final, *(a for host in hosts for a in _address_answers(view, host))]
    for host in hosts:
        if any(r.rtype == CNAME and r.owner == host for a in answers for r in a.message.answer):
            return "alias", {"host": str(host)}, answers
        local = [address for address in found[host] or () if address.is_loopback]
        if local:
            return "localhost", {"host": str(host), "address": str(local[0])}, answers
    if any(found.values()):
        return "reachable", {"hosts": tuple(str(host) for host, of in found.items() if of)}, answers
    if any(of is None for of in found.values()):
        return "not-looked-up", {}, answers
    return "no-destination", {"reason": f"{', '.join(map(str, hosts))} has no address"}, answers


def _about(view: ZoneView, name: Name, *asks: str) -> list[Answer]:
    """What was heard about a name that was looked up elsewhere."""
    return [answer for answer in view.answers_about(name_subject(name)) if answer.exchange.ask in asks]


def _address_answers(view: ZoneView, host: Name) -> list[Answer]:
    """What was heard about the addresses of a host, from the zone's own servers or elsewhere."""
    own = [a for ask in ("Z2", "Z1A", "Q9", "S25") for a in view.answers(ask) if a.qname == host]
    return [a for a in (*own, *_about(view, host, "H1", "H2")) if a.qtype in (A, AAAA)]


def _addresses(view: ZoneView, host: Name) -> tuple[Address, ...] | None:
    """The addresses of a host; None if nobody answered about it."""
    answers = [a for a in _address_answers(view, host) if (a.message.aa or a.message.answer) and not is_partial(a)]
    if not answers:
        return None
    records = (r.rdata for a in answers for r in a.message.answer if r.rtype in (A, AAAA))
    return read_all(rdata.address, records)
