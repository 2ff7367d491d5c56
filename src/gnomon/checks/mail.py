"""Mail: what the zone says about where its mail goes and who may send it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gnomon.base import Address, Name, printable
from gnomon.base.codes import MX, TXT
from gnomon.base.once import once
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, REL, SEC, STA, check
from gnomon.checks.replies import UNHEARD_EDNS, labels, unheard
from gnomon.checks.told import Told, by_value, exchanges_of, told_at_apex, unusable
from gnomon.checks.view import ZoneView, class_of
from gnomon.evidence import Exchange
from gnomon.wire import rdata, spf
from gnomon.wire.rdata import Mx


def _receives_no_mail(view: ZoneView) -> bool:
    """The root, a top-level domain or a zone under arpa: nobody expects mail there."""
    return class_of(view.zone) in "RTA"


# MX


@once
def _mx(view: ZoneView) -> dict[Address, tuple[Mx, ...]]:
    """The MX records of each server that has any, by preference and exchange."""
    sets = {a: read_all(rdata.mx, rdatas) for a, rdatas in told_at_apex(view, "Z1M", MX).sets.items()}
    return {a: tuple(sorted(of, key=lambda mx: (mx.preference, mx.exchange.key))) for a, of in sets.items() if of}


@once
def mx_hosts(view: ZoneView) -> tuple[Name, ...]:
    """The hosts that the MX records of any server name, each once, those of the lowest preference first."""
    records = {record for of in _mx(view).values() for record in of if not record.exchange.is_root}
    in_order = sorted(records, key=lambda mx: (mx.preference, mx.exchange.key))
    return tuple(dict.fromkeys(mx.exchange for mx in in_order))


def mx_known(view: ZoneView) -> bool:
    """Whether any server says with authority which MX records there are, or that there are none."""
    return bool(told_at_apex(view, "Z1M", MX).sets)


def mx_shown(view: ZoneView) -> tuple[Exchange, ...]:
    """The exchanges about MX records."""
    return view.asked("Z1M")


@once
def spf_policy(view: ZoneView) -> str | None:
    """The zone's SPF record if all that have any have the same single one, and its syntax is right."""
    said = {spf.policies(read_all(rdata.txt, rdatas)) for rdatas in told_at_apex(view, "Z1T", TXT).sets.values()} - {()}
    policies = said.pop() if len(said) == 1 else ()
    return policies[0] if len(policies) == 1 and spf.wrong_term(policies[0]) is None else None


def _texts(records: Sequence[Mx]) -> tuple[str, ...]:
    return tuple(f"{mx.preference} {mx.exchange}" for mx in records)


@check(
    "mail.mx",
    properties=(REL,),
    asked=("Z1M",),
    codes={
        "targets": "Mail for {zone} goes to {targets}.",
        "null": "{zone} says that it takes no mail: {targets}.",
        "unexpected": "{zone} has {targets:an MX record|MX records}, though none is expected there: {targets} (see "
        "mail.tld-mail).",
        "none": "{zone} has no MX record; mail for it goes to its own address, if it has one.",
        "none-expected": "{zone} has no MX record; none is expected there.",
        "some-none": "{having} {having:has|have} MX records of {zone}, {without} {without:has|have} none.",
        "differ": "The servers of {zone} have different MX records: {values}.",
        "rcode": "{server} answers {rcode} to the question for the MX records of {zone}.",
        "not-authoritative": "{server} answers without authority to the question for the MX records of {zone}.",
        "dropped": "{server} does not answer the question for the MX records of {zone}; others it does.",
        **UNHEARD_EDNS,
    },
)
def mx(view: ZoneView) -> Iterator[Outcome]:
    """All servers give the same MX records, if any.

    Why: mail is lost or bounces if it depends on chance which server is asked where to deliver it.
    Rule: warning for a server of the zone that does not answer the question properly; notice if servers differ (a
        change may be on its way). A zone without MX records is reported, unless none are expected: at the root, at
        top-level domains and under arpa. A survey asks two servers, an assessment all.
    Source: RFC 5321 section 5.1; RFC 2142 section 7; RFC 1034 section 4.3.1.
    Do: let all servers have the same zone; look at what the server (or the balancer before it) does with the type MX.
    """
    told, sets = told_at_apex(view, "Z1M", MX), _mx(view)
    for address, rcode in told.rcodes.items():
        server = view.server_label(address)
        yield outcome("rcode", view.asked("Z1M", address), subject=server, server=server, rcode=rcode)
    for code, addresses in (("not-authoritative", told.without_authority), ("dropped", told.dropped)):
        for address in addresses:
            server = view.server_label(address)
            yield outcome(code, view.asked("Z1M", address), subject=server, server=server)
    shown, empty = exchanges_of(view, "Z1M", tuple(told.sets)), [a for a in told.sets if a not in sets]
    if sets and empty:
        yield outcome("some-none", shown, having=labels(view, tuple(sets)), without=labels(view, empty))
    if len(set(sets.values())) > 1:
        values = by_value(view, {a: _texts(of) for a, of in sets.items()})
        yield outcome("differ", shown, values=values)
    elif sets:
        records = next(iter(sets.values()))
        unexpected = class_of(view.zone) in "RT"
        is_null = any(record.exchange.is_root for record in records)
        code = "null" if is_null else "unexpected" if unexpected else "targets"
        yield outcome(code, shown, targets=_texts(records))
    elif empty:
        yield outcome("none-expected" if _receives_no_mail(view) else "none", shown)
    yield from unheard(view, told.heard, "Z1M")


@check(
    "mail.null-mx",
    properties=(IOP,),
    asked=("Z1M",),
    codes={
        "proper": "The null MX record of {zone} stands alone.",
        "with-others": "{zone} has a null MX record and others beside it: {targets}.",
        "preference": "The null MX record of {zone} has preference {preference}; 0 is due.",
        "no-null": "{zone} has no null MX record.",
        "unusable": "No server of {zone} gives a proper answer about its MX records (see mail.mx): {servers}.",
        **UNHEARD_EDNS,
    },
)
def null_mx(view: ZoneView) -> Iterator[Outcome]:
    """A null MX record stands alone and has preference 0.

    Why: it says that the zone takes no mail; beside other MX records it contradicts them.
    Rule: warning if there are other MX records beside it; notice if its preference is not 0.
    Source: RFC 7505 section 3.
    Do: remove the null MX record, or all others; write "0 .".
    """
    told, sets = told_at_apex(view, "Z1M", MX), _mx(view)
    null = {address: records for address, records in sets.items() if any(record.exchange.is_root for record in records)}
    shown, wrong = exchanges_of(view, "Z1M", tuple(null)), False
    for records in dict.fromkeys(null.values()):
        preference = next(record.preference for record in records if record.exchange.is_root)
        if len(records) > 1:
            wrong = True
            yield outcome("with-others", shown, targets=_texts(records))
        if preference:
            wrong = True
            yield outcome("preference", shown, preference=preference)
    if null and not wrong:
        yield outcome("proper", shown)
    elif not null and told.sets:
        yield not_applicable("no-null", exchanges_of(view, "Z1M", tuple(told.sets)))
    if not told.sets:
        yield from unusable(view, told, "Z1M")


@check(
    "mail.tld-mail",
    properties=(STA,),
    asked=("Z1M",),
    codes={
        "no-mail": "{zone} has no MX records that lead anywhere.",
        "tld": "{zone} is a top-level domain and has {targets:an MX record|MX records}: {targets}.",
        "root": "The root zone has {targets:an MX record|MX records}: {targets}.",
        "other-zone": "{zone} is neither the root nor a top-level domain.",
        "unusable": "No server of {zone} gives a proper answer about its MX records (see mail.mx): {servers}.",
        **UNHEARD_EDNS,
    },
)
def tld_mail(view: ZoneView) -> Iterator[Outcome]:
    """The root and top-level domains take no mail.

    Why: addresses without a dot behind the @ do not work in most software, and go elsewhere in some.
    Rule: warning if a top-level domain has an MX record other than a null MX; notice for the root.
    Source: RFC 7085; IAB statement on dotless domains (2013).
    Do: remove the MX records.
    """
    kind = class_of(view.zone)
    if kind not in "RT":
        yield not_applicable("other-zone")
        return
    told, sets = told_at_apex(view, "Z1M", MX), _mx(view)
    usable = {a: of for a, of in sets.items() if not any(record.exchange.is_root for record in of)}
    if usable:
        records = sorted({text for of in usable.values() for text in _texts(of)})
        yield outcome(
            "root" if kind == "R" else "tld", exchanges_of(view, "Z1M", tuple(usable)), targets=tuple(records)
        )
    elif told.sets:
        yield outcome("no-mail", exchanges_of(view, "Z1M", tuple(told.sets)))
    else:
        yield from unusable(view, told, "Z1M")


# SPF


@check(
    "mail.spf-single",
    properties=(SEC, IOP),
    asked=("Z1T", "Z1M"),
    codes={
        "valid": "{zone} has one SPF record, and its syntax is right.",
        "none": "{zone} takes mail but has no SPF record.",
        "none-no-mail": "{zone} has neither MX records nor an SPF record.",
        "none-expected": "{zone} has no SPF record; none is expected there.",
        "null": "The SPF record of {zone} says that no mail comes from it.",
        "unexpected": "The SPF record of {zone} lets mail come from it, which nobody expects there: {policy}.",
        "several": "{servers} {servers:has|have} more than one SPF record of {zone}.",
        "differ": "The servers of {zone} have different SPF records: {values}.",
        "syntax": "The SPF record of {zone} is wrong at {term}.",
        "no-authority": "No server of {zone} gives an authoritative answer at all.",
        "unusable": "No server of {zone} gives a proper answer about its TXT records: {servers}.",
        **UNHEARD_EDNS,
    },
)
def spf_single(view: ZoneView) -> Iterator[Outcome]:
    """The zone has one SPF record with valid syntax, the same at all servers.

    Why: without it anyone can send mail in the zone's name; receivers treat two records or a wrong one as an error.
    Rule: warning if there is more than one record, or one with wrong syntax, or if no server of the zone gives a
        proper answer about TXT; notice if servers differ, or if a zone with MX records (other than a null MX) has no
        SPF record. At the root, at top-level domains and under arpa none is needed, and one that lets anybody send is
        a notice. A survey asks two servers, an assessment all.
    Source: RFC 7208 sections 3.2, 4.5 and 12.
    Do: publish one TXT record that begins with "v=spf1"; "v=spf1 -all" if the zone sends no mail.
    """
    told = told_at_apex(view, "Z1T", TXT)
    if not told.sets:
        yield from _without_txt(view, told)
        return
    said = {a: spf.policies(read_all(rdata.txt, rdatas)) for a, rdatas in told.sets.items()}
    shown, found = exchanges_of(view, "Z1T", tuple(said)), set(said.values())
    policies = next(iter(said.values()))
    if len(found) > 1:
        texts = {address: tuple(map(printable, of)) for address, of in said.items()}
        yield outcome("differ", shown, values=by_value(view, texts))
    elif len(policies) > 1:
        yield outcome("several", shown, servers=labels(view, tuple(said)))
    elif not policies:
        takes_mail = any(not record.exchange.is_root for records in _mx(view).values() for record in records)
        code = "none-expected" if _receives_no_mail(view) else "none" if takes_mail else "none-no-mail"
        yield outcome(code, shown)
    else:
        yield from _judge_policy(view, policies[0], shown)
    yield from unheard(view, told.heard, "Z1T")


def _judge_policy(view: ZoneView, policy: str, shown: Sequence[Exchange]) -> Iterator[Outcome]:
    term = spf.wrong_term(policy)
    if term is not None:
        yield outcome("syntax", shown, term=printable(term))
    elif not _receives_no_mail(view):
        yield outcome("valid", shown)
    elif spf.is_null(policy):
        yield outcome("null", shown)
    else:
        yield outcome("unexpected", shown, policy=printable(policy))


def _without_txt(view: ZoneView, told: Told) -> Iterator[Outcome]:
    states = {view.service(address).state for address in view.addresses}
    if told.faulty:
        yield outcome("unusable", exchanges_of(view, "Z1T", told.faulty), servers=labels(view, told.faulty))
    elif states and not states & {"ok", "unobserved"}:
        yield unknown("no-authority", exchanges_of(view, "Z1T", view.addresses))
    else:
        yield from unheard(view, told.heard, "Z1T")
