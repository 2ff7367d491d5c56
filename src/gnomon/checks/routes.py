"""Where the addresses of name servers are announced: from a routing table, or as a look-up service told (R1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Literal

from gnomon.base import Address
from gnomon.base.codes import CNAME, NOERROR, NXDOMAIN, SOA, TXT
from gnomon.base.once import once
from gnomon.checks.observed import Answer
from gnomon.checks.read import read_all
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.evidence.subject import server_subject
from gnomon.sources.routing import Route
from gnomon.wire import rdata


@dataclass(frozen=True, slots=True)
class Announced:
    """The announced range of an address.

    `how`: known, unrouted (the source says that it has none), or failed (the look-up service gave no usable answer).
    `exchanges` are the questions to the service; a routing table needs none.
    """

    address: Address
    how: Literal["known", "unrouted", "failed"]
    route: Route | None = None
    exchanges: tuple[Exchange, ...] = ()


@once
def announced(view: ZoneView, version: int) -> Mapping[Address, Announced]:
    """Each server address of that IP version; nothing if there is neither a routing table nor a look-up."""
    if not has_source(view):
        return {}
    return {address: _announced(view, address) for address in view.addresses if address.version == version}


def has_source(view: ZoneView) -> bool:
    """Whether anything tells where addresses are announced."""
    if view.routing is not None:
        return True
    return bool(view.attempts("R1")) and any(_asked(view, address) for address in view.addresses)


def _announced(view: ZoneView, address: Address) -> Announced:
    exchanges = _asked(view, address)
    if view.routing is not None and not exchanges:
        route = view.routing.route(address)
        return Announced(address, "unrouted" if route is None else "known", route)
    answers = [a for a in view.answers_about(server_subject(address)) if a.exchange.ask == "R1"]
    if not answers:
        return Announced(address, "failed", None, exchanges)
    return _read(address, answers, exchanges)


def _asked(view: ZoneView, address: Address) -> tuple[Exchange, ...]:
    return tuple(x for x in view.about(server_subject(address)) if x.ask == "R1")


def _read(address: Address, answers: list[Answer], exchanges: tuple[Exchange, ...]) -> Announced:
    """What the service's last answer says: TXT records "AS | prefix | ...", the most specific prefix counts.

    A text in another form is passed over; a prefix that does not hold the address makes the answer useless.
    """
    message = answers[-1].message
    texts = [b"".join(of) for of in read_all(rdata.txt, (r.rdata for r in message.answer if r.rtype == TXT))]
    has_alias = any(r.rtype == CNAME for answer in answers for r in answer.message.answer)
    is_negative = message.aa or any(r.rtype == SOA for r in message.authority)
    if message.rcode == NXDOMAIN or (message.rcode == NOERROR and is_negative and not texts):
        return Announced(address, "failed" if has_alias else "unrouted", None, exchanges)
    if message.rcode != NOERROR or not texts:
        return Announced(address, "failed", None, exchanges)
    routes = [route for text in texts if (route := _route(text)) is not None]
    if any(not _holds(route, address) for route in routes):
        return Announced(address, "failed", None, exchanges)
    best = max(routes, key=lambda route: int(route.first) - int(route.last), default=None)
    return Announced(address, "unrouted" if best is None else "known", best, exchanges)


def _route(text: bytes) -> Route | None:
    """The range and the first AS of a text as Team Cymru's service gives it."""
    fields = [field.strip() for field in text.decode("ascii", "replace").split("|")]
    try:
        network = ip_network(fields[1])
        return Route(network.network_address, network.broadcast_address, int(fields[0].split()[0]), None)
    except (IndexError, ValueError):
        return None


def _holds(route: Route, address: Address) -> bool:
    return route.first.version == address.version and int(route.first) <= int(address) <= int(route.last)


def shown(view: ZoneView, found: Iterable[Announced]) -> list[Exchange]:
    """What shows the addresses, and where they are announced."""
    delegation = view.delegation()
    hosts = (view.addresses_of(name).exchanges for name in view.ns_names)
    named = [*(delegation.exchanges if delegation else ()), *(x for of in hosts for x in of)]
    return [*named, *(x for one in found for x in one.exchanges)]
