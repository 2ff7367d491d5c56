"""Recorded evidence with a few responses changed: for what no server of the lab says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import dns.message
import dns.rcode
import dns.rrset

from gnomon.checks.view import ZoneView
from gnomon.engine import Status
from gnomon.evidence import Exchange

Edit = Callable[[bytes], bytes | None]
Change = Callable[[ZoneView], ZoneView]
NS2 = "28.8.8.53"


def altered(view: ZoneView, ask: str, edit: Edit, at: str = "", subject: str = "") -> ZoneView:
    """The view with each response to `ask` edited, at servers whose name or address begins with `at`; None: silence."""

    def change(x: Exchange) -> Exchange:
        where = (str(x.server_name or ""), str(x.address))
        if x.ask != ask or x.response is None or not x.subject.startswith(subject):
            return x
        if at and not any(place.startswith(at) for place in where):
            return x
        octets = edit(x.response)
        return replace(x, response=octets, status=Status.TIMEOUT if octets is None else x.status)

    return remade(view, map(change, view.exchanges))


def remade(view: ZoneView, exchanges: Iterable[Exchange]) -> ZoneView:
    """A view like another, of other exchanges."""
    return ZoneView(
        view.zone,
        exchanges,
        root_anchors=view.root_anchors,
        undelegated=view.undelegated,
        zone_class=view.zone_class,
        routing=view.routing,
    )


def message(edit: Callable[[dns.message.Message], object]) -> Edit:
    """An edit of the parsed message, in place."""

    def rewrite(octets: bytes) -> bytes:
        parsed = dns.message.from_wire(octets)
        edit(parsed)
        return parsed.to_wire()

    return rewrite


def silence(_octets: bytes) -> None:
    """No response."""


def record(text: str) -> dns.rrset.RRset:
    """An RRset of one record: "owner ttl class type rdata"."""
    owner, ttl, rdclass, rdtype, rdata = text.split(" ", 4)
    return dns.rrset.from_text(owner, int(ttl), rdclass, rdtype, rdata)


def on(ask: str, edit: Callable[[dns.message.Message], object], at: str = NS2) -> Change:
    return lambda view: altered(view, ask, message(edit), at)


def raw(ask: str, edit: Callable[[bytes], bytes | None], at: str = NS2) -> Change:
    return lambda view: altered(view, ask, edit, at)


def both(*changes: Change) -> Change:
    def apply(view: ZoneView) -> ZoneView:
        for change in changes:
            view = change(view)
        return view

    return apply


def rcode(name: str) -> Callable[[dns.message.Message], object]:
    return lambda m: m.set_rcode(dns.rcode.from_text(name))
