"""SOA record: the primary that it names (MNAME)."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Address, Name
from gnomon.base.codes import NOERROR, SOA
from gnomon.checks.hosts import Host
from gnomon.checks.observed import is_silent
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import in_order, read_all
from gnomon.checks.registry import IOP, STA, check
from gnomon.checks.view import ZoneView
from gnomon.wire import rdata
from gnomon.wire.dnssec import serial_lt

_NO_SOA = {"no-soa": "No server of {zone} gives its SOA record with authority."}


def _primaries(view: ZoneView) -> tuple[Name, ...]:
    return in_order(soa.mname for soa in view.soas().values())


@check(
    "soa.mname-authoritative",
    properties=(STA,),
    asked=("Q1", "Z3", "H1", "H2", "Q9"),
    codes={
        "serves": "{name}, which {zone} names as its primary, is one of its name servers and serves it.",
        "hidden": "{name}, which {zone} names as its primary, is none of its name servers and serves it.",
        "hidden-silent": "{name}, which {zone} names as its primary, is none of its name servers and does not answer.",
        "not-serving": "{name}, which {zone} names as its primary, answers at {address} without serving it ({how}).",
        "older": "{name}, which {zone} names as its primary, has the serial {serial}; its name servers have {newest}.",
        "unresolved": "{name}, which {zone} names as its primary, has no address.",
        "localhost": "{zone} names {name} as its primary, which means whoever asks.",
        "none-named": "{zone} names no primary (a single dot).",
        "ns-fails": "{name}, which {zone} names as its primary, is one of its name servers (see del.lame and net.udp).",
        "not-asked": "{name}, which {zone} names as its primary, was not looked up.",
        **_NO_SOA,
    },
)
def mname_authoritative(view: ZoneView) -> Iterator[Outcome]:
    """The primary that the SOA record names serves the zone, if it answers at all.

    Why: secondaries and dynamic updates use the name; one that answers wrongly, or belongs to nobody, misleads them.
    Rule: notice if the name is localhost, has no address, answers without serving the zone, or has an older serial than
        the name servers. A primary that is none of the name servers (hidden) and does not answer strangers is good
        practice and only reported; so is a single dot. Asked when zones are assessed.
    Source: RFC 1035 section 3.3.13; RFC 1996 section 2; RFC 2136 section 1.
    Do: name the server that the zone is maintained on, or a dot if nobody outside should use it.
    """
    if not view.soas():
        yield unknown("no-soa", view.asked("Q1"))
    for name in _primaries(view):
        host, text = view.addresses_of(name), str(name)
        code = _by_name(view, name, host)
        if code:
            make = unknown if code in ("ns-fails", "not-asked") else outcome
            yield make(code, view.apex_exchanges(SOA), host.exchanges, subject=text, name=text)
            continue
        yield from _at_addresses(view, name, host)


def _by_name(view: ZoneView, name: Name, host: Host) -> str:
    """What the name alone, or its place among the name servers, says; nothing if it must be asked."""
    if name.is_root:
        return "none-named"
    loops = host.addresses and all(address.is_loopback for address in host.addresses)
    if loops or name.labels[-1].lower() == b"localhost":
        return "localhost"
    if name in view.ns_names and host.addresses:
        states = {view.service(address).state for address in host.addresses}
        return "serves" if "ok" in states else "ns-fails"
    if host.addresses:
        return ""
    return "not-asked" if host.resolution == "not-asked" else "unresolved"


def _at_addresses(view: ZoneView, name: Name, host: Host) -> Iterator[Outcome]:
    """What the addresses of a primary that is none of the name servers say."""
    text, newest = str(name), _newest(view)
    serving: list[Address] = []
    faults = 0
    for address in host.addresses:
        answer = view.answer("Z3", address) or view.answer("Q1", address)
        if answer is None:
            continue
        message = answer.message
        serials = [s.serial for s in read_all(rdata.soa, (r.rdata for r in message.answer if r.rtype == SOA))]
        if message.rcode == NOERROR and message.aa and serials:
            serving.append(address)
            if newest is not None and serial_lt(serials[0], newest):
                faults += 1
                yield outcome("older", answer.exchange, subject=text, name=text, serial=serials[0], newest=newest)
        else:
            faults += 1
            how = str(message.rcode) if message.rcode != NOERROR else "no SOA record" if message.aa else "no authority"
            facts = {"name": text, "address": str(address), "how": how}
            yield outcome("not-serving", answer.exchange, subject=f"{name}/{address}", **facts)
    attempts = [x for address in host.addresses for x in view.asked("Z3", address)]
    if serving and not faults:
        yield outcome("hidden", attempts, host.exchanges, subject=text, name=text)
    elif not serving and not faults:
        asked = any(map(is_silent, attempts))
        make = outcome if asked else unknown
        yield make("hidden-silent" if asked else "not-asked", attempts, host.exchanges, subject=text, name=text)


def _newest(view: ZoneView) -> int | None:
    """The highest serial of the name servers by serial number arithmetic (RFC 1982)."""
    newest: int | None = None
    for soa in view.soas().values():
        if newest is None or serial_lt(newest, soa.serial):
            newest = soa.serial
    return newest


@check(
    "soa.mname-not-cname",
    properties=(IOP,),
    asked=("Q1", "H1", "H2", "Q9"),
    codes={
        "no-alias": "The {names:primary|primaries} that {zone} names {names:is no alias|are no aliases}: {names}.",
        "alias": "{name}, which {zone} names as its primary, is an alias of {target}.",
        "none-named": "{zone} names no primary (a single dot).",
        "unresolved": "No answer shows whether {names}, which {zone} names as its "
        "{names:primary, is an alias|primaries, are aliases}.",
        **_NO_SOA,
    },
)
def mname_not_cname(view: ZoneView) -> Iterator[Outcome]:
    """The name of the primary is no alias.

    Why: software that compares the name with NS records, or sends updates to it, does not follow aliases.
    Rule: notice if the MNAME of the SOA record owns a CNAME record or lies below a DNAME record.
    Source: RFC 1912 section 2.4; RFC 2181 section 10.3 for NS and MX.
    Do: write the target's own name into the SOA record.
    """
    names = [name for name in _primaries(view) if not name.is_root]
    if not view.soas():
        yield unknown("no-soa", view.asked("Q1"))
        return
    if not names:
        yield not_applicable("none-named", view.apex_exchanges(SOA))
        return
    hosts = [view.addresses_of(name) for name in names]
    aliases = [host for host in hosts if host.alias is not None]
    open_ = [str(host.name) for host in hosts if host.resolution in ("failed", "not-asked")]
    for host in aliases:
        facts = {"name": str(host.name), "target": str(host.alias)}
        yield outcome("alias", host.exchanges, subject=str(host.name), **facts)
    if open_:
        yield unknown("unresolved", *(host.exchanges for host in hosts), names=tuple(open_))
    elif not aliases:
        yield outcome("no-alias", *(host.exchanges for host in hosts), names=tuple(map(str, names)))
