"""Whether an address serves the zone: one word for each address, from its answers to the SOA question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from gnomon.base import Address
from gnomon.base.codes import NOERROR, NS, REFUSED, SERVFAIL, SOA
from gnomon.checks.observed import Answer, is_silent
from gnomon.evidence import Exchange

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

ServiceState = Literal[
    "ok", "silent", "refused", "servfail", "rcode", "malformed", "recursive", "upward-referral",
    "not-authoritative", "no-soa", "unobserved",
]  # fmt: skip

# The plain question first: it shows the least of EDNS and transport trouble, which other checks judge.
SOA_ASKS = ("Q1", "Q2", "Q7")


class Service(NamedTuple):
    """What an address does for the zone, and the exchanges that show it.

    `state`: ok (NOERROR, AA and an SOA owned by the zone), silent, refused, servfail, rcode (any other rcode),
    malformed, recursive (an answer from a cache: RA without AA), upward-referral (a referral to an ancestor),
    not-authoritative (any other answer without AA), no-soa (AA without the SOA), unobserved (nothing was sent).
    """

    address: Address
    state: ServiceState
    rcode: str
    exchanges: tuple[Exchange, ...]


def service(view: ZoneView, address: Address) -> Service:
    """Judge from the first of the SOA questions (plain, EDNS, TCP) that was answered."""
    for ask in SOA_ASKS:
        answer = view.answer(ask, address)
        if answer is not None:
            return Service(address, _state(view, answer), str(answer.message.rcode), (answer.exchange,))
    attempts = tuple(x for ask in SOA_ASKS for x in view.asked(ask, address))
    silent = tuple(x for x in attempts if is_silent(x))
    return Service(address, "silent" if silent else "unobserved", "", silent or attempts)


def _state(view: ZoneView, answer: Answer) -> ServiceState:
    message = answer.message
    if message.rcode != NOERROR:
        return "refused" if message.rcode == REFUSED else "servfail" if message.rcode == SERVFAIL else "rcode"
    has_soa = any(r.rtype == SOA and r.owner == view.zone for r in message.answer)
    if message.aa and has_soa:
        return "ok"
    if message.malformed is not None and not has_soa:
        return "malformed"
    if message.aa:
        return "no-soa"
    if message.answer:
        return "recursive" if message.ra else "not-authoritative"
    upward = (r for r in message.authority if r.rtype == NS and view.zone.is_subdomain_of(r.owner))
    return "upward-referral" if any(r.owner != view.zone for r in upward) else "not-authoritative"
