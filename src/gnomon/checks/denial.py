"""Authenticated denial of existence: is it there, signed, of one kind everywhere, and with the right types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gnomon.base import Address, Name, RRType
from gnomon.base.codes import CNAME, DNSKEY, DS, NS, NSEC, NSEC3, NSEC3PARAM, RRSIG, SOA
from gnomon.base.once import once
from gnomon.checks.apex_denial import ApexDenial, apex_denials, is_of_apex
from gnomon.checks.inventory import SignedAnswer, answers_at, judged_once, sends_no_signatures
from gnomon.checks.outcome import Outcome, outcome, unknown
from gnomon.checks.read import read, read_all
from gnomon.checks.registry import IOP, REL, SEC, STA, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.validation import ExaminedRRset, SignatureState, describe
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import Record, rdata

_NO_NEGATIVE = "No server of {zone} gave a negative answer to judge."
_NO_NSEC3 = "{zone} does not use NSEC3."


@check(
    "denial.present",
    properties=(SEC, REL),
    asked=("Q5", "Q6"),
    codes={
        "present": "Every negative answer of {zone} carries NSEC or NSEC3 records.",
        "missing-nxdomain": "{servers} {servers:denies|deny} the name {qname} without NSEC or NSEC3 records.",
        "missing-nodata": "{servers} {servers:denies|deny} the type {qtype} at {qname} without NSEC or NSEC3 records.",
        "missing-wildcard": "{servers} {servers:answers|answer} {qname} from a wildcard without NSEC or NSEC3 records.",
        "no-signatures": "{servers} {servers:sends|send} no signatures at all (see dnssec.dnssec-aware).",
        "no-negative-answer": _NO_NEGATIVE,
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def present(view: ZoneView) -> Iterator[Outcome]:
    """Negative and wildcard answers of a signed zone prove what they say.

    Why: validators reject a denial without proof, so that absent types and names turn into failures.
    Rule: error for servers with a DNSKEY that answer NXDOMAIN, NODATA, or from a wildcard (an RRSIG with fewer labels
        than the name) without any NSEC or NSEC3 record.
    Source: RFC 4035 section 3.1.3; RFC 5155 section 7.2.
    Do: serve the zone with a server that knows DNSSEC, and sign it with its NSEC or NSEC3 chain.
    """
    keyed, inventory = signed_servers(view), view.chain().inventory
    if not keyed:
        yield from without_keys(view)
        return
    bare: dict[str, list[SignedAnswer]] = {}
    silent, good = list[Address](), list[SignedAnswer]()
    heard = hear(view, "Q6", "Q5", at=keyed, edns=True)
    for address in dict.fromkeys(a.address for a in heard.answers):
        if sends_no_signatures(inventory, address):
            silent.append(address)
            continue
        for signed in (s for ask in ("Q6", "Q5") if (s := inventory.get((ask, address)))):
            kind = _must_prove(signed)
            if kind and not signed.denial_types:
                bare.setdefault(f"missing-{kind}", []).append(signed)
            elif kind:
                good.append(signed)
    for code, of in sorted(bare.items()):
        shown = [s.answer.exchange for s in of]
        servers = labels(view, [s.answer.address for s in of])
        qname = of[0].answer.qname if code == "missing-wildcard" else of[0].about
        yield outcome(code, shown, servers=servers, qname=str(qname), qtype=str(of[0].answer.qtype))
    if silent:
        shown = [signed.answer.exchange for address in silent for signed in answers_at(inventory, address)]
        yield unknown("no-signatures", shown, servers=labels(view, silent))
    if good and not bare:
        yield outcome("present", [s.answer.exchange for s in good])
    elif heard.answers and not good and not bare and not silent:
        yield unknown("no-negative-answer", heard.shown)
    yield from unheard(view, heard, "Q6", "Q5")


def _must_prove(signed: SignedAnswer) -> str:
    """What an answer must prove: nxdomain, nodata, wildcard, or nothing."""
    if signed.is_nxdomain:
        return "nxdomain"
    if signed.is_nodata:
        return "nodata"
    for examined in signed.positive:
        depth = len(examined.rrset.owner.labels)
        if any(one.fields is not None and one.fields.labels < depth for one in examined.signatures):
            return "wildcard"
    return ""


@check(
    "denial.one-kind",
    properties=(STA, IOP),
    asked=("Q5", "Q6", "Q8N", "Q8P"),
    codes={
        "nsec": "The servers of {zone} deny with NSEC.",
        "nsec3": "The servers of {zone} deny with NSEC3.",
        "mixed": "{servers} {servers:uses|use} NSEC and NSEC3 for {zone} at the same time.",
        "differ": "Some servers of {zone} use NSEC ({nsec}), others NSEC3 ({nsec3}).",
        "none-seen": "{servers} gave no NSEC, NSEC3 or NSEC3PARAM record of {zone} (see denial.present).",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def one_kind(view: ZoneView) -> Iterator[Outcome]:
    """The zone denies with either NSEC or NSEC3, the same at all servers.

    Why: a zone with both kinds proves some things twice and others not at all.
    Rule: error if one server shows both kinds, or servers differ, by their answers about NSEC and NSEC3PARAM at the
        apex, or where these show neither, by other denials. While a zone changes over this can be seen for the time
        that a transfer takes; repeat the assessment before acting.
    Source: RFC 5155 sections 10.4 and 10.5.
    Do: finish the change from one kind to the other at every server.
    """
    keyed = signed_servers(view)
    if not keyed:
        yield from without_keys(view)
        return
    heard = hear(view, "Q6", "Q5", "Q8P", "Q8N", at=keyed, edns=True)
    at = tuple(dict.fromkeys(answer.address for answer in heard.answers))
    shown_at = {one.address: one for one in apex_denials(view)}
    kinds = {address: _kinds(view, address, shown_at.get(address)) for address in at}
    shown = heard.shown
    mixed = [address for address, of in kinds.items() if len(of) > 1]
    nsec = [address for address, of in kinds.items() if of == {NSEC}]
    nsec3 = [address for address, of in kinds.items() if of == {NSEC3}]
    none = [address for address, of in kinds.items() if not of]
    if mixed:
        yield outcome("mixed", shown, servers=labels(view, mixed))
    if nsec and nsec3:
        yield outcome("differ", shown, nsec=labels(view, nsec), nsec3=labels(view, nsec3))
    elif not mixed and (nsec or nsec3):
        yield outcome("nsec" if nsec else "nsec3", shown)
    if none:
        yield unknown("none-seen", shown, servers=labels(view, none))
    yield from unheard(view, heard, "Q6", "Q5")


def _kinds(view: ZoneView, address: Address, shown: ApexDenial | None) -> set[int]:
    """NSEC, NSEC3, both or neither."""
    kinds = {int(NSEC)} if shown and shown.has_nsec else set[int]()
    kinds |= {int(NSEC3)} if shown and shown.has_nsec3 else set()
    return kinds or {t for signed in answers_at(view.chain().inventory, address) for t in signed.denial_types}


# DS is at the parent's side of a cut (RFC 4035 section 2.4), and nothing beside a CNAME (RFC 1034 section 3.6.2).
_BITMAP_NEVER = frozenset({int(t) for t in (CNAME, DS)})
_BITMAP_MUST = frozenset({int(t) for t in (NS, SOA, RRSIG, DNSKEY)})


@check(
    "denial.bitmap",
    version=2,
    properties=(SEC, IOP),
    asked=("Q6", "Q8N", "Q8P"),
    codes={
        "right": "The type lists in the denial records of the apex of {zone} fit what is there.",
        "nsec-wrong": "The NSEC record of {zone} at {servers} lists wrong types: {what}.",
        "nsec3-wrong": "The NSEC3 record of the apex of {zone} at {servers} lists wrong types: {what}.",
        "none-seen": "No server of {zone} gave a denial record of the apex.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def bitmap(view: ZoneView) -> Iterator[Outcome]:
    """The denial record of the apex lists the types that are there, and not the one that is denied.

    Why: a type that is there but not in the list can be denied by anyone who replays the record, and is by resolvers
        that answer from the denials they remember (RFC 8198).
    Rule: error if the record of the apex lacks SOA, NS, DNSKEY or RRSIG (NSEC also itself, NSEC3 also NSEC3PARAM) or a
        type of which the same server gives records there, if it lists the type that it denies, a type of the other
        kind of denial, or DS or CNAME, which are never at an apex. Other types that are not there are no fault.
    Source: RFC 4034 section 4.1.2; RFC 5155 section 7.1.
    Do: sign the zone again with a maintained signer.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    wrong: dict[tuple[str, str], list[SignedAnswer]] = {}
    seen = list[SignedAnswer]()
    for address in signed_servers(view):
        for signed in answers_at(view.chain().inventory, address):
            if signed.is_nodata and signed.answer.qname == view.zone:
                there, denied = _types_at_apex(view)[address], int(signed.answer.qtype or 0)
                for kind, what in _faults_of_lists(view, signed.negative, there, denied):
                    seen.append(signed)
                    if what:
                        wrong.setdefault((kind, what), []).append(signed)
    for (kind, what), of in sorted(wrong.items()):
        servers = labels(view, list(dict.fromkeys(signed.answer.address for signed in of)))
        yield outcome(f"{kind}-wrong", [signed.answer.exchange for signed in of], servers=servers, what=what)
    heard = hear(view, "Q6", "Q8P", "Q8N", at=signed_servers(view), edns=True)
    if seen and not wrong:
        yield outcome("right", [signed.answer.exchange for signed in seen])
    elif heard.answers and not seen:
        yield unknown("none-seen", heard.shown)
    yield from unheard(view, heard, "Q6")


@once
def _types_at_apex(view: ZoneView) -> Mapping[Address, frozenset[int]]:
    """The types of which each server gives records of the apex."""
    found: dict[Address, frozenset[int]] = {}
    for address, answers in view.chain().inventory.by_address.items():
        given = [one.rrset for signed in answers for one in signed.positive]
        found[address] = frozenset([int(rrset.rtype) for rrset in given if rrset.owner == view.zone])
    return found


@once
def _faults_of_lists(
    view: ZoneView, negative: tuple[ExaminedRRset, ...], there: frozenset[int], denied: int
) -> list[tuple[str, str]]:
    """The kind of each list of types in a denial of the type `denied`, with its faults; `there` are those seen."""
    return [(kind, _list_faults(kind, types, there, denied)) for kind, types in _lists(view.zone, negative)]


def _lists(zone: Name, negative: tuple[ExaminedRRset, ...]) -> Iterator[tuple[str, frozenset[int]]]:
    for one in negative:
        if one.rrset.rtype == NSEC and one.rrset.owner == zone:
            yield from (("nsec", fields.types) for fields in read_all(rdata.nsec, one.rrset.rdatas))
        if one.rrset.rtype == NSEC3:
            for octets in one.rrset.rdatas:
                fields = read(rdata.nsec3, octets)
                record = Record(one.rrset.owner, one.rrset.rtype, 1, 0, octets)
                if fields is not None and is_of_apex(zone, record):
                    yield "nsec3", fields.types


def _list_faults(kind: str, types: frozenset[int], there: frozenset[int], denied: int) -> str:
    never = _BITMAP_NEVER | {int(NSEC3), int(NSEC3PARAM) if kind == "nsec" else int(NSEC)}
    must = (_BITMAP_MUST | {int(NSEC) if kind == "nsec" else int(NSEC3PARAM)} | there) - never - {denied}
    missing, extra = must - types, types & (never | {denied})
    parts = ((missing, "missing"), (extra, "listed"))
    return ", ".join(f"{' '.join(str(RRType(t)) for t in sorted(of))} {word}" for of, word in parts if of)


@check(
    "denial.signed",
    version=2,
    properties=(SEC, REL),
    asked=("Q5", "Q6", "Q8N", "Q8P"),
    codes={
        "valid": "Every NSEC and NSEC3 record of {zone} that was seen has a valid signature.",
        **{
            f"{kind}-{word}": f"At {{servers}} {{detail}}{see}."
            for kind in ("nsec", "nsec3")
            for word, see in (
                ("missing", ""), ("no-key", ""), ("not-yet-valid", " (see sig.inception)"), ("invalid", ""),
                ("unusable", " (see sig.signer and sig.labels)"),
                ("expired", " (see sig.not-expired)"), ("not-checkable", ""),
            )
        },
        "beside-no-key": "{servers} {servers:signs|sign} {what} of {zone} validly, and once more with a key that is "
        "not there.",
        "beside-not-checkable": "{servers} {servers:signs|sign} {what} of {zone} validly, and once more in a way that "
        "was not checked.",
        "no-signatures": "{servers} {servers:sends|send} no signatures at all (see dnssec.dnssec-aware).",
        "none-seen": "No server of {zone} gave an NSEC or NSEC3 record.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)  # fmt: skip
def signed(view: ZoneView) -> Iterator[Outcome]:
    """NSEC and NSEC3 records have valid signatures.

    Why: an unsigned denial proves nothing; validators answer SERVFAIL for names that do not exist.
    Rule: error for servers that give an NSEC or NSEC3 record of which no signature is valid, by what is wrong with the
        one that comes closest; warning for a signature by an absent key beside a valid one. One that is expired, not
        valid yet, by another signer or with too many labels is the finding of sig.not-expired, sig.inception,
        sig.signer or sig.labels, a server without any signature dnssec.dnssec-aware's.
    Source: RFC 4035 section 5.4; RFC 5155 section 8.
    Do: sign the zone again with its current keys, and check the signer's clock.
    """
    keyed, inventory = signed_servers(view), view.chain().inventory
    if not keyed:
        yield from without_keys(view)
        return
    silent = [address for address in keyed if sends_no_signatures(inventory, address)]
    found: dict[str, list[tuple[Exchange, ExaminedRRset]]] = {}
    for answer, codes in judged_once(inventory, [a for a in keyed if a not in silent], _signed_codes):
        for code, one in codes:
            found.setdefault(code, []).append((answer.answer.exchange, one))
    for code, at in sorted(found.items()):
        state = unknown if code.endswith(_CAUSED_ELSEWHERE) else outcome
        if code != "valid":
            servers = labels(view, list(dict.fromkeys(x.address for x, _ in at)))
            detail, what = describe(at[0][1], view.chain().now_s), str(at[0][1].rrset.rtype)
            yield state(code, [x for x, _ in at], servers=servers, detail=detail, what=what)
    if set(found) == {"valid"}:
        yield outcome("valid", [x for x, _ in found["valid"]])
    if silent:
        yield unknown("no-signatures", servers=labels(view, silent))
    heard = hear(view, "Q6", "Q5", "Q8P", "Q8N", at=keyed, edns=True)
    if heard.answers and not found and not silent:
        yield unknown("none-seen", heard.shown)
    yield from unheard(view, heard, "Q6", "Q5")


_CAUSED_ELSEWHERE = ("-expired", "-not-yet-valid", "-unusable", "-not-checkable")


def _signed_codes(answer: SignedAnswer) -> list[tuple[str, ExaminedRRset]]:
    """The denial records of an answer, each with its code."""
    return [(_signed_code(one), one) for one in answer.rrsets if one.rrset.rtype in (NSEC, NSEC3)]


def _signed_code(one: ExaminedRRset) -> str:
    kind = "nsec" if one.rrset.rtype == NSEC else "nsec3"
    failure = one.failure
    if not failure:
        # Of an algorithm that no key has: sig.orphan-tag tells of it.
        states = [signature.state for signature in one.signatures if signature.reason != "other-algorithm"]
        beside = [state for state in (SignatureState.NO_KEY, SignatureState.NOT_CHECKABLE) if state in states]
        return f"beside-{beside[0]}" if beside else "valid"
    return f"{kind}-unusable" if failure in ("malformed", "wrong-signer", "bad-labels") else f"{kind}-{failure}"
