"""Mail: the hosts that the MX records name, their addresses, and what shows whether they can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gnomon.base import Name
from gnomon.base.codes import TLSA
from gnomon.base.once import once
from gnomon.base.special import special_purpose
from gnomon.checks import chain
from gnomon.checks.chain import ChainStatus
from gnomon.checks.lookup import HostLookup, Lookup, look_up, look_up_host, zone_of
from gnomon.checks.mail import mx_hosts, mx_known, mx_shown
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, REL, SEC, check
from gnomon.checks.tlsa import MAIL_USAGES, is_whole, wrong_with
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import services

_NO_HOSTS = {
    "no-hosts": "No MX record of {zone} names a host.",
    "mx-unknown": "The MX records of {zone} are not known (see mail.mx).",
}
_NOT_LOOKED_UP = {"not-looked-up": "Not judged for {hosts}: not looked up, or no usable answer came."}


def _without_hosts(view: ZoneView) -> Iterator[Outcome]:
    yield not_applicable("no-hosts", mx_shown(view)) if mx_known(view) else unknown("mx-unknown", mx_shown(view))


@once
def _found(view: ZoneView) -> list[HostLookup]:
    return [look_up_host(view, name) for name in mx_hosts(view)]


def _unknown(left: Sequence[HostLookup]) -> Iterator[Outcome]:
    if left:
        yield unknown("not-looked-up", _shown(left), hosts=tuple(str(host.name) for host in left))


def _shown(hosts: Sequence[HostLookup]) -> list[Exchange]:
    return [x for host in hosts for x in host.exchanges]


@check(
    "mail.mx-not-cname",
    properties=(IOP,),
    asked=("Z1M", "Z2", "H1", "H2"),
    codes={
        "hosts": "The mail {hosts:host|hosts} of {zone} {hosts:has addresses of its|have addresses of their} own: "
        "{hosts}.",
        "alias": "The mail host {host} is an alias of {target}.",
        **_NO_HOSTS,
        **_NOT_LOOKED_UP,
    },
)
def mx_not_cname(view: ZoneView) -> Iterator[Outcome]:
    """The hosts of MX records are no aliases.

    Why: senders may reject an alias there, or take the alias's target for another host and send mail in circles.
    Rule: error for each host that is the owner of a CNAME record, or lies below a DNAME.
    Source: RFC 2181 section 10.3; RFC 5321 section 5.1.
    Do: let the MX record name the host that has the address records.
    """
    hosts = _found(view)
    aliases = [host for host in hosts if host.alias is not None]
    for host in aliases:
        yield outcome("alias", host.exchanges, subject=str(host.name), host=str(host.name), target=str(host.alias))
    known = [host for host in hosts if host.is_known]
    if known and not aliases:
        yield outcome("hosts", _shown(known), hosts=tuple(str(host.name) for host in known))
    yield from _unknown([host for host in hosts if host not in aliases and not host.is_known])
    if not hosts:
        yield from _without_hosts(view)


@check(
    "mail.mx-resolves",
    properties=(REL,),
    asked=("Z1M", "Z2", "H1", "H2"),
    version=2,
    codes={
        "reachable": "{hosts:The only mail host|All mail hosts} of {zone} {hosts:has|have} addresses: {hosts}.",
        "no-name": "The mail host {host} does not exist.",
        "no-address": "The mail host {host} has no address.",
        "special": "The mail host {host} has the address {address}, which is not reachable from everywhere ({block}).",
        "failed": "The addresses of the mail host {host} cannot be looked up: {rcode}.",
        "none": "No mail host of {zone} can be reached: {hosts}.",
        **_NO_HOSTS,
        **_NOT_LOOKED_UP,
    },
)
def mx_resolves(view: ZoneView) -> Iterator[Outcome]:
    """Every host of an MX record has an address that can be reached from everywhere.

    Why: mail waits for such a host, then bounces or goes to the next; who registers a name that does not exist gets it.
    Rule: warning for each host that does not exist, has no address, only a special-purpose one, or cannot be looked
        up; error if none is left. Whether a mail server answers there is not tried.
    Source: RFC 5321 section 5.1; RFC 6890.
    Do: remove MX records of hosts that are gone; publish the addresses of those in use.
    """
    hosts, bad = _found(view), list[HostLookup]()
    for host in hosts:
        name, usable = str(host.name), [a for a in host.addresses if special_purpose(a) is None]
        if usable or (not host.is_known and not _has_failed(host)):
            continue
        bad.append(host)
        if host.addresses:
            address = host.addresses[0]
            facts = {"address": str(address), "block": str(special_purpose(address))}
            yield outcome("special", host.exchanges, subject=name, host=name, **facts)
        elif host.is_known:
            yield outcome("no-name" if host.is_missing else "no-address", host.exchanges, subject=name, host=name)
        else:
            yield outcome("failed", host.exchanges, subject=name, host=name, rcode=host.rcode)
    good, left = list[HostLookup](), list[HostLookup]()
    for host in [host for host in hosts if host not in bad]:
        (good if host.addresses else left).append(host)
    names = tuple(str(host.name) for host in hosts)
    if hosts and len(bad) == len(hosts):
        yield outcome("none", _shown(hosts), hosts=names)
    elif good and not bad and not left:
        yield outcome("reachable", _shown(good), hosts=names)
    yield from _unknown(left)
    if not hosts:
        yield from _without_hosts(view)


def _has_failed(host: HostLookup) -> bool:
    """Asked for, and no usable answer came to either question."""
    return host.v4.state == host.v6.state == "failed"


@check(
    "mail.mx-v6",
    properties=(IOP,),
    asked=("Z1M", "Z2", "H2"),
    version=2,
    codes={
        "all": "{hosts:The only mail host|All mail hosts} of {zone} {hosts:has|have} IPv6 addresses: {hosts}.",
        "some": "Mail hosts of {zone} without IPv6 address: {without}; with one: {hosts}.",
        "none": "No mail host of {zone} has an IPv6 address: {without}.",
        **_NO_HOSTS,
        **_NOT_LOOKED_UP,
    },
)
def mx_v6(view: ZoneView) -> Iterator[Outcome]:
    """Mail can be delivered over IPv6.

    Why: senders with IPv6 only cannot reach a host without it, and receive no answer either.
    Rule: notice if no mail host has an AAAA record; some without are reported. Whether the hosts answer is not tried.
    Source: RFC 3974; Internet.nl, IPv6 of mail servers.
    Do: give the mail hosts IPv6 addresses.
    """
    known = [host for host in _found(view) if host.v6.is_known]
    having = [host for host in known if host.v6.state == "found"]
    without = tuple(str(host.name) for host in known if host not in having)
    hosts, shown = tuple(str(host.name) for host in having), [x for host in known for x in host.v6.exchanges]
    left = [host for host in _found(view) if not host.v6.is_known]
    if (having and without) or (known and not left):
        yield outcome(
            "some" if having and without else "all" if having else "none", shown, hosts=hosts, without=without
        )
    yield from _unknown(left)
    if not mx_hosts(view):
        yield from _without_hosts(view)


@check(
    "mail.mx-dnssec",
    properties=(SEC,),
    asked=("Z1M", "C0", "C1", "C2"),
    codes={
        "secure": "The mail {hosts:host|hosts} of {zone} {hosts:lies in a secure zone|lie in secure zones}: {hosts}.",
        "insecure": "The mail host {host} lies in an insecure zone: {reason}.",
        "bogus": "The mail host {host} lies in a bogus zone: {reason}.",
        "indeterminate": "Whether the mail host {host} lies in a secure zone is not known: {reason}.",
        **_NO_HOSTS,
    },
)
def mx_dnssec(view: ZoneView) -> Iterator[Outcome]:
    """The hosts of MX records lie in signed zones with an unbroken chain of trust.

    Why: where the host's zone is not secure, its address can be forged, and DANE cannot protect the delivery.
    Rule: notice for each host in an insecure zone; error in a bogus one. The chain of trust is followed to the keys
        of the host's zone.
    Source: RFC 7672 section 2.1; RFC 4035 section 4.3.
    Do: have the zone of the mail host signed, with a DS at its parent; mend what breaks its chain.
    """
    secure: list[Name] = []
    shown: list[Exchange] = []
    for host in mx_hosts(view):
        status, reason, exchanges = _trust(view, host)
        if status is ChainStatus.SECURE:
            secure.append(host)
            shown += exchanges
            continue
        code, name = status.value, str(host)
        make = unknown if status is ChainStatus.INDETERMINATE else outcome
        yield make(code, exchanges, subject=name, host=name, reason=reason)
    if secure:
        yield outcome("secure", shown, hosts=tuple(map(str, secure)))
    if not mx_hosts(view):
        yield from _without_hosts(view)


def _trust(view: ZoneView, host: Name) -> tuple[ChainStatus, str, tuple[Exchange, ...]]:
    """The status of the zone that a host lies in, and why it is no better."""
    shown = look_up_host(view, host).exchanges
    if host.is_subdomain_of(view.zone) and not any(x.ask in ("H1", "H2") for x in shown):
        own = view.chain()
        last = [x for link in own.links[-1:] for x in link.exchanges]
        return own.status, own.detail, tuple(last)
    zone = zone_of(view, host)
    link = chain.elsewhere(view, host)
    if link.status is ChainStatus.SECURE and link.zone != zone:
        return ChainStatus.INDETERMINATE, "the keys of its zone were not asked for", shown
    return link.status, link.detail, link.exchanges


@check(
    "mail.tlsa",
    properties=(SEC,),
    asked=("Z2", "H4", "C1", "C2"),
    codes={
        "usable": "{hosts:A mail host|Mail hosts} of {zone} with usable TLSA records: {hosts}.",
        "none": "No mail host of {zone} has TLSA records: {hosts}.",
        "insecure": "The mail host {host} has {records:a TLSA record|TLSA records} ({records}), but senders cannot "
        "trust {records:it|them}: {reason}.",
        "wrong": "The TLSA record {record} of the mail host {host} cannot be used: {wrong}.",
        "whole": "The TLSA record {record} of the mail host {host} holds all of a certificate or key, not a digest.",
        "failed": "The TLSA records of the mail host {host} cannot be looked up: {rcode}.",
        **_NO_HOSTS,
        **_NOT_LOOKED_UP,
    },
)
def tlsa(view: ZoneView) -> Iterator[Outcome]:
    """TLSA records of mail hosts, where there are any, can be used by senders.

    Why: with them senders refuse to deliver to a forged host; records that cannot be used protect nobody, and where
        the question for them fails, senders that look for them do not deliver.
    Rule: notice if the host's zone is not secure; warning for a record with usage 0 or 1, an unknown selector or
        matching type or a digest of the wrong length; notice for one with the whole certificate or key of the server;
        warning if the question for the records fails.
    Source: RFC 7672 sections 2.1 and 3.1; RFC 7671 sections 4 and 10.1; RFC 6698 section 2.1.
    Do: publish "3 1 1" with the SHA-256 of the server's public key, in a signed zone; before a new key is used, add
        its record.
    """
    none: list[Lookup] = []
    usable: list[Lookup] = []
    left: list[HostLookup] = []
    for host in mx_hosts(view):
        found, name = look_up(view, Name(b"\x03_25\x04_tcp" + host.wire), TLSA), str(host)
        if found.state == "not-asked":
            left.append(look_up_host(view, host))
        elif found.state == "failed":
            rcode = found.rcode or "no answer"
            yield outcome("failed", found.exchanges, subject=name, host=name, rcode=rcode)
        elif found.is_absent:
            none.append(found)
        else:
            outcomes = list(_judge_tlsa(view, host, found))
            yield from outcomes
            usable += [] if outcomes else [found]
    for code, of in (("usable", usable), ("none", none)):
        if of and (code == "usable" or len(none) + len(left) == len(mx_hosts(view))):
            hosts = tuple(str(Name(one.asked.wire[9:])) for one in of)
            yield outcome(code, (x for one in of for x in one.exchanges), hosts=hosts)
    yield from _unknown(left)
    if not mx_hosts(view):
        yield from _without_hosts(view)


def _judge_tlsa(view: ZoneView, host: Name, found: Lookup) -> Iterator[Outcome]:
    name, records = str(host), read_all(services.tlsa, found.rdatas)
    status, reason, exchanges = _trust(view, host)
    if status is not ChainStatus.SECURE:
        shown = tuple(record.label for record in records)
        yield outcome("insecure", found.exchanges, exchanges, subject=name, host=name, records=shown, reason=reason)
        return
    for record in records:
        wrong = wrong_with(record, MAIL_USAGES)
        if wrong:
            yield outcome("wrong", found.exchanges, subject=name, host=name, record=record.label, wrong=wrong)
        elif is_whole(record):
            yield outcome("whole", found.exchanges, subject=name, host=name, record=record.label)
