"""Consistency: do all servers of a zone give the same SOA and NS records."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

from gnomon.base import Address
from gnomon.base.codes import NS, SOA
from gnomon.checks.outcome import Outcome, outcome, unknown
from gnomon.checks.registry import STA, check
from gnomon.checks.replies import UNHEARD, hear, none_proper, unheard
from gnomon.checks.view import ZoneView
from gnomon.wire.dnssec import serial_lt
from gnomon.wire.rdata import Soa

H = TypeVar("H", bound=Hashable)


def _groups(view: ZoneView, key: Callable[[Soa], H]) -> dict[H, list[Address]]:
    """The servers by what they say, in order of their first address."""
    groups: dict[H, list[Address]] = {}
    for address, soa in view.soas().items():
        groups.setdefault(key(soa), []).append(address)
    return groups


def _tell(view: ZoneView, groups: dict[H, list[Address]]) -> tuple[str, ...]:
    return tuple(f"{value} at {' '.join(view.server_label(a) for a in of)}" for value, of in groups.items())


_SOA_ASKS = ("Q1", "Q2", "Q7")


def _compare(view: ZoneView, key: Callable[[Soa], str]) -> Iterator[Outcome]:
    groups = _groups(view, key)
    shown = view.apex_exchanges(SOA)
    if len(groups) == 1:
        yield outcome("one", shown, value=next(iter(groups)), count=len(view.soas()))
    elif groups:
        yield outcome("differ", shown, values=_tell(view, groups), count=len(groups))
    yield from _left_out(view, bool(groups), *_SOA_ASKS)


def _left_out(view: ZoneView, judged: bool, *asks: str) -> Iterator[Outcome]:
    if view.addresses:
        yield from (unheard if judged else none_proper)(view, hear(view, *asks), *asks)
    else:
        yield unknown("no-servers", view.asked("P1"))


_UNJUDGED = {**UNHEARD, "no-servers": "No address is known of any name server of {zone}."}


@check(
    "cons.soa-serial",
    properties=(STA,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "one": "{count:The only address|All # addresses} of {zone} that {count:answers has|answer have} the serial "
        "{value}.",
        "differ": "The servers of {zone} have {count} serials: {values}.",
        "unorderable": "The serials of {zone} cannot be put in order: {values}.",
        **_UNJUDGED,
    },
)
def soa_serial(view: ZoneView) -> Iterator[Outcome]:
    """All servers have the same version of the zone.

    Why: a server that lags behind answers with old data, and with expired signatures in the end.
    Rule: notice if serials differ at one point in time (a change may be on its way); error if they cannot be ordered
        by serial number arithmetic, for then secondaries will not follow.
    Source: RFC 1034 section 4.3.5; RFC 1982.
    Do: check zone transfers and NOTIFY to the servers that lag; after a wrong serial, raise it in two steps.
    """
    serials = sorted(_groups(view, lambda soa: soa.serial))
    pairs = ((a, b) for i, a in enumerate(serials) for b in serials[i + 1 :])
    if any(not serial_lt(a, b) and not serial_lt(b, a) for a, b in pairs):
        values = _tell(view, _groups(view, lambda soa: str(soa.serial)))
        yield outcome("unorderable", view.apex_exchanges(SOA), values=values)
    yield from _compare(view, lambda soa: str(soa.serial))


@check(
    "cons.soa-rname",
    properties=(STA,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "one": "All servers of {zone} name the contact {value}.",
        "differ": "The servers of {zone} name {count} contacts: {values}.",
        **_UNJUDGED,
    },
)
def soa_rname(view: ZoneView) -> Iterator[Outcome]:
    """All servers name the same contact (SOA RNAME).

    Why: a difference shows that the servers do not have copies of one zone.
    Rule: notice if there is more than one RNAME.
    Source: RFC 1035 section 3.3.13.
    Do: let all servers transfer the zone from one primary.
    """
    yield from _compare(view, lambda soa: str(soa.rname))


@check(
    "cons.soa-timers",
    properties=(STA,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "one": "All servers of {zone} have the timers {value}.",
        "differ": "The servers of {zone} have {count} sets of SOA timers: {values}.",
        **_UNJUDGED,
    },
)
def soa_timers(view: ZoneView) -> Iterator[Outcome]:
    """All servers have the same SOA timers.

    Why: a difference shows that the servers do not have copies of one zone; they then expire at different times.
    Rule: notice if there is more than one set of REFRESH, RETRY, EXPIRE and MINIMUM.
    Source: RFC 1035 section 3.3.13.
    Do: let all servers transfer the zone from one primary.
    """
    yield from _compare(view, lambda soa: f"{soa.refresh_s} {soa.retry_s} {soa.expire_s} {soa.minimum_s}")


@check(
    "cons.soa-mname",
    properties=(STA,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "one": "All servers of {zone} name the primary {value}.",
        "differ": "The servers of {zone} name {count} primaries: {values}.",
        **_UNJUDGED,
    },
)
def soa_mname(view: ZoneView) -> Iterator[Outcome]:
    """All servers name the same primary (SOA MNAME).

    Why: a difference shows several independent copies of the zone, or servers that rewrite it.
    Rule: notice if there is more than one MNAME.
    Source: RFC 1035 section 3.3.13.
    Do: let all servers transfer the zone from one primary.
    """
    yield from _compare(view, lambda soa: str(soa.mname))


@check(
    "cons.ns-set",
    properties=(STA,),
    asked=("Q3", "Q3N", "Q1"),
    codes={
        "one": "{count:The only address|All # addresses} of {zone} that {count:answers has|answer have the same} "
        "{names} NS {names:name|names}.",
        "differ": "The servers of {zone} have {count} sets of NS names: {values}.",
        "disjoint": "{server} names other name servers for {zone} than any other server: {names}.",
        **_UNJUDGED,
    },
)
def ns_set(view: ZoneView) -> Iterator[Outcome]:
    """All servers have the same NS records.

    Why: with differing sets it depends on chance which servers a resolver uses next.
    Rule: notice if the sets differ; error if one server's set has no name in common with that of any other.
    Source: RFC 1034 section 4.2.2.
    Do: let all servers transfer the zone from one primary; look for a stale copy on the server that differs.
    """
    sets = view.child_ns()
    texts = {names: f"[{' '.join(map(str, names))}]" for names in sets.values()}
    groups: dict[str, list[Address]] = {}
    for address, names in sets.items():
        groups.setdefault(texts[names], []).append(address)
    shown = view.apex_exchanges(NS)
    if len(groups) == 1:
        yield outcome("one", shown, count=len(sets), names=len(next(iter(sets.values()))))
    elif groups:
        yield outcome("differ", shown, values=_tell(view, groups), count=len(groups))
    yield from _left_out(view, bool(groups), "Q3", "Q3N")
    for address, names in sets.items() if len(groups) > 1 else ():
        others = [set(of) for a, of in sets.items() if a != address]
        if others and not any(set(names) & other for other in others):
            server = view.server_label(address)
            yield outcome("disjoint", shown, subject=server, server=server, names=tuple(map(str, names)))
