"""The web: addresses of the zone's own name and www, their TLSA records, and names that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Name
from gnomon.base.codes import DNAME, HTTPS, SOA, TLSA
from gnomon.checks.chain import ChainStatus
from gnomon.checks.lookup import HostLookup, look_up, look_up_host
from gnomon.checks.mail import mx_hosts
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, SEC, check
from gnomon.checks.tlsa import ALL_USAGES, is_whole, wrong_with
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.sources.operators import operator_key
from gnomon.wire import services


def _www(view: ZoneView) -> Name | None:
    return Name(b"\x03www" + view.zone.wire) if len(view.zone.wire) < 252 else None


def _web_hosts(view: ZoneView) -> list[HostLookup]:
    """The zone's name and www."""
    return [look_up_host(view, name) for name in (view.zone, _www(view)) if name is not None]


@check(
    "app.web-v6",
    properties=(IOP,),
    asked=("Z1A", "Z2", "H1", "H2"),
    codes={
        "all": "{hosts} {hosts:has|have} IPv6 addresses.",
        "missing": "{without} {without:has|have} IPv4 addresses only.",
        "no-address": "Neither {zone} nor www below it has an address.",
        "not-known": "The addresses of {hosts} are not known: no usable answer, or not asked.",
    },
)
def web_v6(view: ZoneView) -> Iterator[Outcome]:
    """The web site has IPv6 addresses.

    Why: clients with IPv6 only cannot reach it otherwise, or only through a translator.
    Rule: notice if the zone's name or www has an A record and no AAAA record. Whether a web server answers there, and
        with the same pages, is not tried.
    Source: Internet.nl, IPv6 of the web site; RFC 6540.
    Do: publish AAAA records there.
    """
    hosts = _web_hosts(view)
    having = [host for host in hosts if host.v6.state == "found"]
    without = [host for host in hosts if host.v4.state == "found" and host.v6.is_absent]
    left = [host for host in hosts if host not in having + without and not (host.v4.is_absent and host.v6.is_known)]
    if without:
        shown = [x for host in without for x in host.exchanges]
        yield outcome("missing", shown, without=tuple(str(host.name) for host in without))
    elif having and not left:
        shown = [x for host in having for x in host.exchanges]
        yield outcome("all", shown, hosts=tuple(str(host.name) for host in having))
    if left:
        shown = [x for host in left for x in host.exchanges]
        yield unknown("not-known", shown, hosts=tuple(str(host.name) for host in left))
    if not (having or without or left):
        yield not_applicable("no-address", *(host.exchanges for host in hosts))


@check(
    "app.tlsa-web",
    properties=(SEC,),
    asked=("Z2",),
    codes={
        "usable": "{name} has {records:a TLSA record|TLSA records} that can be used: {records}.",
        "single": "{name} has one TLSA record ({records}); a second one must be there before the key is changed.",
        "none": "{name} has no TLSA record.",
        "wrong": "The TLSA record {record} of {name} cannot be used: {wrong}.",
        "whole": "The TLSA record {record} of {name} holds all of a certificate or key, not a digest.",
        "not-known": "The TLSA records of {name} are not known: no usable answer, or not asked.",
    },
)
def tlsa_web(view: ZoneView) -> Iterator[Outcome]:
    """TLSA records of the zone's web server, where there are any, can be used.

    Why: a record that cannot be used protects nobody; who checks a wrong one does not connect.
    Rule: warning for a record with an unknown usage, selector or matching type, or a digest of the wrong length;
        notice for one with the whole certificate or key of the server; a single record is reported. Whether it matches
        the server's certificate is not tried; whether the zone is secure is judged by app.keys-need-dnssec.
    Source: RFC 6698 section 2.1; RFC 7671 sections 8.1 and 10.1.2; Internet.nl, DANE.
    Do: publish "3 1 1" with the SHA-256 of the server's public key; before a new key is used, add its record.
    """
    name = Name(b"\x04_443\x04_tcp" + view.zone.wire) if len(view.zone.wire) < 245 else view.zone
    found, shown = look_up(view, name, TLSA), str(name)
    records, clean = read_all(services.tlsa, found.rdatas), True
    for record in records:
        wrong = wrong_with(record, ALL_USAGES)
        if wrong:
            clean = False
            yield outcome("wrong", found.exchanges, name=shown, record=record.label, wrong=wrong)
        elif is_whole(record):
            clean = False
            yield outcome("whole", found.exchanges, name=shown, record=record.label)
    if records and clean:
        code = "usable" if len(records) > 1 else "single"
        yield outcome(code, found.exchanges, name=shown, records=tuple(record.label for record in records))
    elif not records and found.is_known:
        yield not_applicable("none", found.exchanges, name=shown)
    elif not records:
        yield unknown("not-known", found.exchanges, name=shown)


@check(
    "app.keys-need-dnssec",
    properties=(SEC,),
    asked=("Z2", "S20"),
    codes={
        "secure": "{zone} is secure, and has records that hold keys: {records}.",
        "insecure": "{zone} has records that hold keys ({records}), but nobody can trust them: {reason}.",
        "indeterminate": "Whether {zone}, which has key records ({records}), is secure is not known: {reason}.",
        "none-seen": "No TLSA, SSHFP, OPENPGPKEY, SMIMEA or CERT record of {zone} was seen.",
    },
)
def keys_need_dnssec(view: ZoneView) -> Iterator[Outcome]:
    """Records that hold keys of services lie in a secure zone.

    Why: without DNSSEC whoever can change an answer on the way puts in his own key.
    Rule: warning if a TLSA, SSHFP, OPENPGPKEY, SMIMEA or CERT record is seen in a zone that is not secure. TLSA is
        asked for at the web's and the mail hosts' ports; the others are seen in answers to ANY and zone transfers.
    Source: RFC 4255 section 2.4; RFC 6698 section 4.1; RFC 7929 section 6; RFC 8162 section 8; RFC 4398 section 6.
    Do: sign the zone, with a DS at the parent.
    """
    seen, shown = _key_records(view)
    chain = view.chain()
    if not seen:
        yield not_applicable("none-seen")
    elif chain.status is ChainStatus.SECURE:
        yield outcome("secure", shown, records=seen)
    elif chain.status is ChainStatus.INDETERMINATE:
        yield unknown("indeterminate", shown, records=seen, reason=chain.detail)
    else:
        yield outcome("insecure", shown, records=seen, reason=chain.detail)


_KEY_TYPES = {37: "CERT", 44: "SSHFP", 52: "TLSA", 53: "SMIMEA", 61: "OPENPGPKEY"}


def _key_records(view: ZoneView) -> tuple[tuple[str, ...], list[Exchange]]:
    """Owner and type of such records in the zone's own authoritative answers, and where they were seen."""
    seen: dict[str, Exchange] = {}
    for ask in ("Z2", "S19", "S20"):
        for answer in view.answers(ask):
            for record in answer.message.answer if answer.message.aa or ask == "S20" else ():
                if record.rtype in _KEY_TYPES and record.owner.is_subdomain_of(view.zone):
                    seen.setdefault(f"{record.owner} {_KEY_TYPES[record.rtype]}", answer.exchange)
    names = sorted(seen)
    return tuple(names), [seen[name] for name in names]


@check(
    "app.dangling-cname",
    properties=(SEC,),
    asked=("Z1M", "Z1H", "Z2", "H1", "H2"),
    version=2,
    codes={
        "lead-on": "{targets:The only name|All names} that records of {zone} lead to {targets:exists|exist}: "
        "{targets}.",
        "nowhere": "{owner} leads to {target}, which does not exist.",
        "unregistered": "{owner} leads to {target}, in the domain {domain}, which is not in the zone above it.",
        "not-known": "Whether {targets} {targets:exists|exist} is not known: no usable answer, or not asked.",
        "no-targets": "No record of {zone} that was asked for leads to a name elsewhere.",
    },
)
def dangling_cname(view: ZoneView) -> Iterator[Outcome]:
    """Names that records lead to exist.

    Why: whoever registers or claims a name that is gone speaks, and gets mail, in the name of the zone.
    Rule: warning if the target of an alias at www, of an MX or of an HTTPS record does not exist; error if its whole
        domain is not delegated in the zone above, so that it may be free to register (registration data is not read).
    Source: Liu and others, "All Your DNS Records Point to Us" (2016); RFC 8020.
    Do: remove the record; look why it was forgotten.
    """
    leads = _leads(view)
    left: list[Name] = []
    good: list[Name] = []
    for target, owner in leads.items():
        host = look_up_host(view, target)
        domain = _undelegated(view, target) if host.is_missing else None
        facts = {"owner": owner, "target": str(target), "domain": str(domain)}
        if domain is not None:
            yield outcome("unregistered", host.exchanges, subject=owner, **facts)
        elif host.is_missing:
            yield outcome("nowhere", host.exchanges, subject=owner, **facts)
        else:
            (good if host.is_known else left).append(target)
    shown = [x for target in leads for x in look_up_host(view, target).exchanges]
    if good and len(good) == len(leads):
        yield outcome("lead-on", shown, targets=tuple(map(str, good)))
    if left:
        yield unknown("not-known", shown, targets=tuple(map(str, left)))
    if not leads:
        yield not_applicable("no-targets")


def _leads(view: ZoneView) -> dict[Name, str]:
    """The targets of the records that were asked for, with the name and type that leads there."""
    found: dict[Name, str] = dict.fromkeys(mx_hosts(view), f"{view.zone} MX")
    www = _www(view)
    if www is not None and (alias := look_up_host(view, www).alias) is not None:
        host = look_up_host(view, alias)
        if not (_is_made(view, www) and host.is_missing and _undelegated(view, alias) is None):
            found.setdefault(alias, f"{www} CNAME")
    for record in read_all(services.svcb, look_up(view, view.zone, HTTPS).rdatas):
        if not record.target.is_root:
            found.setdefault(record.target, f"{view.zone} HTTPS")
    return found


def _is_made(view: ZoneView, name: Name) -> bool:
    """Whether the name is an alias only because a DNAME record makes one of every name."""
    answers = (answer for answer in view.answers("Z2") if answer.qname == name)
    return any(record.rtype == DNAME for answer in answers for record in answer.message.answer)


def _undelegated(view: ZoneView, target: Name) -> Name | None:
    """The registrable domain of a target that does not exist, if the servers of the zone above deny all of it.

    A resolver that walks there stops at the first name that does not exist (RFC 8020): the denial then comes with
    the SOA of the zone above the registrable domain. What the root denies is in no top-level domain, and nobody can
    register it.
    """
    domain = operator_key(target)
    host = look_up_host(view, target)
    for exchange in host.exchanges:
        message = view.message(exchange)
        owners = [r.owner for r in message.authority if r.rtype == SOA] if message is not None else []
        if any(domain != owner and domain.is_subdomain_of(owner) and not owner.is_root for owner in owners):
            return domain
    return None
