"""CAA records: who may issue certificates for names of the zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gnomon.base import Name, printable
from gnomon.base.codes import CAA
from gnomon.checks.lookup import look_up
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import REL, SEC, check
from gnomon.checks.replies import UNHEARD_EDNS, unheard
from gnomon.checks.told import by_value, exchanges_of, told_at_apex, unusable
from gnomon.checks.view import ZoneView, class_of
from gnomon.evidence import Exchange
from gnomon.sources.operators import operator_key
from gnomon.wire import services
from gnomon.wire.services import Caa

_TAGS = frozenset({"issue", "issuewild", "iodef", "contactemail", "contactphone", "issuevmc", "issuemail"})
"""IANA "Certification Authority Restriction Properties" as of 2026-08."""
_ISSUING = ("issue", "issuewild", "issuemail", "issuevmc")
_SCOPES = ("issuewild", "issuemail", "issuevmc", "iodef", "accounturi", "validationmethods")

_NOT_EXPECTED = {"not-expected": "Nobody gets a certificate for {zone} itself."}


def _not_expected(view: ZoneView) -> bool:
    return class_of(view.zone) in "RA"


@check(
    "app.caa",
    properties=(SEC,),
    asked=("Z1C", "H6"),
    version=2,
    codes={
        "limited": "Only {issuers} may issue certificates for names of {zone}.",
        "nobody": "Nobody may issue certificates for names of {zone}.",
        "unlimited": "Any certification authority may issue certificates for names of {zone}, but for what its CAA "
        "{records:record limits|records limit}: {records}.",
        "above": "{zone} has no CAA record; {records:that|those} of {at} {records:counts|count}: {records}.",
        "above-unknown": "{zone} has no CAA record; whether {at}, above it, has any is not known.",
        "none": "Any certification authority may issue certificates for names of {zone}: there is no CAA record.",
        "none-for-others": "{zone} has no CAA record; one would bind all who register names below it.",
        "differ": "The servers of {zone} have different CAA records: {values}.",
        "syntax": "The CAA record {record} of {zone} is wrong: {wrong}.",
        "unreadable": "{count} CAA {count:record|records} of {zone} cannot be read.",
        "unknown-critical": "The CAA record {record} of {zone} is critical and unknown: nobody may issue certificates.",
        "unusable": "No server of {zone} gives a proper answer about CAA (see app.caa-answerable): {servers}.",
        **_NOT_EXPECTED,
        **UNHEARD_EDNS,
    },
)
def caa(view: ZoneView) -> Iterator[Outcome]:
    """CAA records say who may issue certificates for names of the zone, and are understood.

    Why: without them any authority that somebody deceives may issue a certificate; with wrong ones nobody may, or all.
    Rule: warning for a record that cannot be read, has a value that is no domain name with parameters, or is critical
        with a tag nobody knows; notice if servers differ, or if there is none at the zone or a name above it, or none
        with the tag issue: issuewild is about wildcards only. A top-level domain, or another below which others
        register names, needs none. The domain in a record need not exist, it is the name of an authority.
    Source: RFC 8659 sections 3 to 5; RFC 9495; RFC 8657.
    Do: publish 'CAA 0 issue "<your authority>"' at the zone's name; 'CAA 0 issue ";"' if nobody is to issue.
    """
    if _not_expected(view):
        yield not_applicable("not-expected")
        return
    told = told_at_apex(view, "Z1C", CAA)
    shown = exchanges_of(view, "Z1C", tuple(told.sets))
    if len({*told.sets.values()}) > 1:
        texts = {a: tuple(_text(r) for r in read_all(services.caa, of)) for a, of in told.sets.items()}
        yield outcome("differ", shown, values=by_value(view, texts))
    rdatas = next((of for of in told.sets.values() if of), ())
    if rdatas:
        yield from _judge(rdatas, shown)
    elif told.sets:
        yield from _judge_above(view, shown)
    else:
        yield from unusable(view, told, "Z1C")


def _judge(rdatas: Sequence[bytes], shown: Sequence[Exchange]) -> Iterator[Outcome]:
    records, clean = read_all(services.caa, rdatas), True
    if len(records) < len(rdatas):
        clean = False
        yield outcome("unreadable", shown, count=len(rdatas) - len(records))
    for record in records:
        wrong = _wrong_with(record)
        if wrong:
            clean = False
            yield outcome("syntax", shown, record=_text(record), wrong=wrong)
        elif record.is_critical and record.tag not in _TAGS:
            clean = False
            yield outcome("unknown-critical", shown, record=_text(record))
    issuers = {domain for record in records if record.tag in ("issue", "issuewild") and (domain := _issuer(record))}
    if clean and not any(record.tag == "issue" for record in records):
        yield outcome("unlimited", shown, records=tuple(map(_text, records)))
    elif clean and issuers:
        yield outcome("limited", shown, issuers=tuple(sorted(map(printable, issuers))))
    elif clean:
        yield outcome("nobody", shown)


def _judge_above(view: ZoneView, shown: Sequence[Exchange]) -> Iterator[Outcome]:
    """The closest name above that has any counts (RFC 8659 section 3)."""
    for above in view.zone.ancestors()[1:-1]:
        found = look_up(view, above, CAA)
        shown = (*shown, *found.exchanges)
        if not found.is_known:
            yield unknown("above-unknown", shown, at=str(above))
            return
        records = read_all(services.caa, found.rdatas)
        if records:
            yield outcome("above", shown, at=str(above), records=tuple(map(_text, records)))
            return
    yield outcome("none-for-others" if _is_public_suffix(view.zone) else "none", shown)


def _is_public_suffix(zone: Name) -> bool:
    """Whether names right below the zone are registered by others, as the public suffix list has it."""
    below = zone.prepend(b"a") if len(zone.wire) < 254 else zone
    return operator_key(below) == below


def _issuer(record: Caa) -> str:
    """The domain of the authority, empty if the value forbids all."""
    return record.value.partition(";")[0].strip(" \t")


def _wrong_with(record: Caa) -> str:
    """Why the value of an issuing or reporting property cannot be understood; empty if it can."""
    if record.tag in _ISSUING:
        domain, _, parameters = record.value.partition(";")
        if not _is_domain(domain.strip(" \t")):
            return "its value does not begin with a domain name"
        given = [part.strip(" \t") for part in parameters.split(";")] if parameters.strip(" \t") else []
        if not all(_is_parameter(part) for part in given):
            return "its parameters are not a list of tag=value"
    if record.tag == "iodef" and not record.value.lower().startswith(("mailto:", "http://", "https://")):
        return "its value is no mailto, http or https URL"
    return ""


def _is_domain(text: str) -> bool:
    labels = text.split(".") if text else []
    return all(label.replace("-", "").isalnum() and label.isascii() and label[0] != "-" for label in labels)


def _is_parameter(text: str) -> bool:
    tag, equals, value = text.partition("=")
    tag, value = tag.strip(" \t"), value.strip(" \t")
    is_value = all(33 <= ord(letter) <= 126 and letter != ";" for letter in value)
    return bool(equals) and tag.replace("-", "").isalnum() and tag.isascii() and is_value


def _text(record: Caa) -> str:
    return printable(f'{record.flags} {record.tag} "{record.value}"')


@check(
    "app.caa-answerable",
    properties=(REL, SEC),
    asked=("Z1C",),
    codes={
        "answered": "All servers of {zone} that were heard answer the question for CAA records.",
        "rcode": "{server} answers {rcode} to the question for the CAA records of {zone}.",
        "not-authoritative": "{server} answers without authority to the question for the CAA records of {zone}.",
        "dropped": "{server} does not answer the question for the CAA records of {zone}; others it does.",
        "bogus": "The answer about CAA of {zone} cannot be validated: {reason}.",
        **_NOT_EXPECTED,
        **UNHEARD_EDNS,
    },
)
def caa_answerable(view: ZoneView) -> Iterator[Outcome]:
    """Every server answers the question for CAA records, whether there are any or not.

    Why: an authority that gets no valid answer must not issue a certificate, and an old one runs out.
    Rule: error for each server that answers with an error, without authority or not at all, and for a zone that is
        bogus. A survey asks two servers, an assessment all.
    Source: RFC 8659 section 3; CA/Browser Forum baseline requirements section 3.2.2.8.
    Do: look at what the server (or the balancer before it) does with the type CAA (257); mend the zone's signatures.
    """
    if _not_expected(view):
        yield not_applicable("not-expected")
        return
    told = told_at_apex(view, "Z1C", CAA)
    for address, rcode in told.rcodes.items():
        server = view.server_label(address)
        yield outcome("rcode", view.asked("Z1C", address), subject=server, server=server, rcode=rcode)
    for code, addresses in (("not-authoritative", told.without_authority), ("dropped", told.dropped)):
        for address in addresses:
            server = view.server_label(address)
            yield outcome(code, view.asked("Z1C", address), subject=server, server=server)
    chain = view.chain()
    if told.sets and chain.status.value == "bogus":
        yield outcome("bogus", exchanges_of(view, "Z1C", tuple(told.sets)), reason=chain.detail)
    elif told.sets and not told.faulty:
        yield outcome("answered", exchanges_of(view, "Z1C", tuple(told.sets)))
    yield from unheard(view, told.heard.but(told.faulty), "Z1C")


@check(
    "app.caa-scope",
    properties=(SEC,),
    asked=("Z1C",),
    codes={
        "plain": "The CAA records of {zone} name authorities and nothing else.",
        "scoped": "The CAA records of {zone} also say: {scopes}.",
        "none": "{zone} has no CAA record.",
        "not-known": "The CAA records of {zone} are not known (see app.caa-answerable).",
        **_NOT_EXPECTED,
    },
)
def caa_scope(view: ZoneView) -> Iterator[Outcome]:
    """What CAA records say beyond the authority's name: wildcards, mail, reports, accounts, ways to validate.

    Why: an account or a way to validate in the record keeps others who are customers of the same authority out.
    Rule: reported, not judged.
    Source: RFC 8657 sections 3 and 4; RFC 9495; RFC 8659 section 4.
    Do: consider accounturi and validationmethods if your authority knows them.
    """
    if _not_expected(view):
        yield not_applicable("not-expected")
        return
    told = told_at_apex(view, "Z1C", CAA)
    shown = exchanges_of(view, "Z1C", tuple(told.sets))
    records = read_all(services.caa, next((of for of in told.sets.values() if of), ()))
    words = {record.tag for record in records if record.tag != "issue"}
    words |= {part.partition("=")[0].strip(" \t").lower() for r in records for part in r.value.split(";")[1:]}
    scopes = tuple(word for word in _SCOPES if word in words)
    if not told.sets:
        yield unknown("not-known", view.asked("Z1C"))
    elif not records:
        yield not_applicable("none", shown)
    elif scopes:
        yield outcome("scoped", shown, scopes=scopes)
    else:
        yield outcome("plain", shown)
