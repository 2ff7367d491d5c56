"""The denial records of the apex at each server: are they there, of the apex, complete and signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from gnomon.base import Address, Name, RRType
from gnomon.base.codes import NOERROR, NSEC, NSEC3, NSEC3PARAM, SOA
from gnomon.base.once import once
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.proofs import MAX_ITERATIONS, hash_of_label
from gnomon.checks.read import read, read_all
from gnomon.checks.registry import IOP, SEC, STA, check
from gnomon.checks.replies import (
    UNHEARD_EDNS,
    UNSIGNED,
    hear,
    is_dropped,
    labels,
    signed_servers,
    unheard,
    without_keys,
)
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import Message, Record, dnssec, rdata

_SHARED = {**UNSIGNED, **UNHEARD_EDNS}


@dataclass(frozen=True, slots=True)
class ApexDenial:
    """What one server says when asked for NSEC (Q8N) and NSEC3PARAM (Q8P) of the apex.

    Of the two a signed zone has one: with NSEC the first is answered and the second denied by that NSEC, with NSEC3
    the second is answered and the first denied by the NSEC3 of the apex.
    """

    address: Address
    nsec_answer: Answer | None
    param_answer: Answer | None
    nsec: tuple[Record, ...]
    """NSEC records in the answer to the NSEC question."""
    params: tuple[Record, ...]
    denying_nsec: tuple[Record, ...]
    """NSEC records by which NSEC3PARAM is denied."""
    denying_nsec3: tuple[Record, ...]
    """NSEC3 records by which NSEC is denied."""

    @property
    def has_nsec(self) -> bool:
        return bool(self.nsec or self.denying_nsec)

    @property
    def has_nsec3(self) -> bool:
        return bool(self.params or self.denying_nsec3)

    def soa_fault(self, rtype: int) -> str:
        """The code for a denial with NSEC or NSEC3 that lacks the SOA of the zone; empty if it has it."""
        answer, denying = (
            (self.param_answer, self.denying_nsec) if rtype == NSEC else (self.nsec_answer, self.denying_nsec3)
        )
        if not denying or answer is None or answer.qname is None:
            return ""
        owners = {record.owner for record in answer.message.authority if record.rtype == SOA}
        return "" if answer.qname in owners else "other-soa" if owners else "without-soa"

    @property
    def contradiction(self) -> str:
        """The code for showing one half of either kind only: `half-seen` if a question itself failed."""
        failed = _failed(self.nsec_answer, NSEC) or _failed(self.param_answer, NSEC3PARAM)
        return "half-seen" if failed else "contradicts"


@once
def apex_denials(view: ZoneView) -> list[ApexDenial]:
    """Of each server that has a DNSKEY and was asked."""
    found = list[ApexDenial]()
    for address in signed_servers(view):
        if view.asked("Q8N", address) or view.asked("Q8P", address):
            nsec, param = view.answer("Q8N", address), view.answer("Q8P", address)
            shown = _of_type(nsec, NSEC, "answer"), _of_type(param, NSEC3PARAM, "answer")
            denying = _of_type(param, NSEC, "denial"), _of_type(nsec, NSEC3, "denial")
            found.append(ApexDenial(address, nsec, param, *shown, *denying))
    return found


def _of_type(answer: Answer | None, rtype: int, where: str) -> tuple[Record, ...]:
    return () if answer is None else _records_of_type(answer.message, rtype, where)


@lru_cache(maxsize=1024)
def _records_of_type(message: Message, rtype: int, where: str) -> tuple[Record, ...]:
    if not message.aa or message.rcode != NOERROR or (where == "denial") == bool(message.answer):
        return ()
    section = message.authority if where == "denial" else message.answer
    return tuple([record for record in section if record.rtype == rtype])


def _failed(answer: Answer | None, rtype: int) -> bool:
    """Whether the question itself failed, so that nothing follows from what is not seen."""
    return (
        not _is_proper(answer)
        or answer is None
        or bool(answer.message.answer and not _of_type(answer, rtype, "answer"))
    )


def _is_proper(answer: Answer | None) -> bool:
    return answer is not None and answer.message.aa and answer.message.rcode == NOERROR


_QUERY_CODES = {
    "query-dropped": "{servers} {servers:does|do} not answer when asked for the {rtype} records of {zone}.",
    "query-error": "{servers} {servers:answers|answer} {rcode}, or without authority, when asked for the {rtype} "
    "records of {zone}.",
    "strange-answer": "{servers} {servers:answers|answer} the question for the {rtype} records of {zone} with records "
    "of another type.",
}


def _query_faults(view: ZoneView, ask: str, rtype: RRType) -> Iterator[Outcome]:
    """How servers fail on the question itself: no answer, an error, records of another type."""
    found: dict[str, list[Address]] = {}
    rcodes: set[str] = set()
    for address in signed_servers(view):
        answer = view.answer(ask, address)
        if answer is None and is_dropped(view, ask, address):
            found.setdefault("query-dropped", []).append(address)
        elif answer is not None and not answer.message.tc and not _is_proper(answer):
            found.setdefault("query-error", []).append(address)
            rcodes.add(str(answer.message.rcode))
        elif answer is not None and answer.message.answer and not _of_type(answer, rtype, "answer"):
            found.setdefault("strange-answer", []).append(address)
    for code, at in sorted(found.items()):
        shown = [x for address in at for x in view.asked(ask, address)]
        yield outcome(code, shown, servers=labels(view, at), rtype=str(rtype), rcode=tuple(sorted(rcodes)))


# What other checks report as their finding.
_OTHERS = ("half-seen", "without-soa", "other-soa")


def _report(view: ZoneView, found: dict[str, list[Address]], good: str, absent: str) -> Iterator[Outcome]:
    """One outcome for each code but `good`; `good` if it is the only one, `absent` if there is none."""
    shown = _shown_at(view)
    for code, at in sorted(found.items()):
        if code != good:
            state = unknown if code in _OTHERS else outcome
            yield state(code, [x for address in at for x in shown[address]], servers=labels(view, at))
    if set(found) == {good}:
        yield outcome(good, [x for address in found[good] for x in shown[address]])
    elif not found:
        yield not_applicable(absent, [x for of in shown.values() for x in of])


@once
def _shown_at(view: ZoneView) -> dict[Address, list[Exchange]]:
    return {a: [*view.asked("Q8N", a), *view.asked("Q8P", a)] for a in signed_servers(view)}


@check(
    "denial.nsec-apex",
    properties=(SEC,),
    asked=("Q8N", "Q8P"),
    codes={
        "right": "Every server of {zone} has one NSEC record at the apex.",
        "several": "{servers} {servers:gives|give} more than one NSEC record for the apex of {zone}.",
        "wrong-owner": "{servers} {servers:gives|give} an NSEC record for the apex of {zone} that is of another name.",
        "contradicts": "{servers} {servers:has|have} an NSEC record of {zone} when asked for it or when denying, but "
        "not both.",
        "half-seen": "{servers} showed an NSEC record of {zone}, but one of the two questions failed.",
        "without-soa": "{servers} {servers:denies|deny} with NSEC, but without the SOA of {zone} (see "
        "resp.negative-soa).",
        "other-soa": "{servers} {servers:denies|deny} with NSEC, but with another zone's SOA (see resp.negative-soa).",
        **_QUERY_CODES,
        "no-nsec": "{zone} does not use NSEC.",
        **_SHARED,
    },
)
def nsec_apex(view: ZoneView) -> Iterator[Outcome]:
    """The apex of a zone with NSEC has exactly one NSEC record, also when it denies.

    Why: it proves which types the zone itself has; a wrong one denies what is there, or proves nothing.
    Rule: error for several NSEC records, one of another name, one that shows only when asked for or only when denying
        (NSEC3PARAM), an error or silence when asked for NSEC, or records of another type in that answer.
    Source: RFC 4034 section 4; RFC 4035 sections 2.3 and 3.1.3.1.
    Do: sign the zone again with a maintained signer.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    found: dict[str, list[Address]] = {}
    faults = list(_query_faults(view, "Q8N", NSEC))
    for one in apex_denials(view):
        if not one.has_nsec:
            continue
        for records in (one.nsec, one.denying_nsec):
            if len(records) > 1:
                found.setdefault("several", []).append(one.address)
            elif records and records[0].owner != view.zone:
                found.setdefault("wrong-owner", []).append(one.address)
        if bool(one.nsec) != bool(one.denying_nsec) and not one.has_nsec3:
            found.setdefault(one.contradiction, []).append(one.address)
        if fault := one.soa_fault(NSEC):
            found.setdefault(fault, []).append(one.address)
        found.setdefault("right", []).append(one.address)
    yield from faults
    bad = {code: list(dict.fromkeys(at)) for code, at in found.items() if code != "right"}
    if bad or not faults:
        yield from _report(view, bad or found, "right", "no-nsec")
    yield from unheard(view, hear(view, "Q4", at=signed_servers(view), edns=True), "Q4")


@check(
    "denial.nsec3-apex",
    properties=(SEC,),
    asked=("Q8N", "Q8P"),
    codes={
        "right": "Every server of {zone} denies at the apex with the one NSEC3 record of the apex.",
        "several": "{servers} {servers:denies|deny} a type at the apex of {zone} with more than one NSEC3 record.",
        "wrong-owner": "{servers} {servers:denies|deny} a type at the apex of {zone} with the NSEC3 record of another "
        "name.",
        "contradicts": "{servers} {servers:has|have} an NSEC3PARAM record of {zone} or {servers:denies|deny} with "
        "NSEC3, but not both.",
        "half-seen": "{servers} showed NSEC3 for {zone}, but one of the two questions failed.",
        "without-soa": "{servers} {servers:denies|deny} with NSEC3, but without the SOA of {zone} (see "
        "resp.negative-soa).",
        "other-soa": "{servers} {servers:denies|deny} with NSEC3, but with another zone's SOA (see resp.negative-soa).",
        "no-nsec3": "{zone} does not use NSEC3.",
        **_SHARED,
    },
)
def nsec3_apex(view: ZoneView) -> Iterator[Outcome]:
    """A zone with NSEC3 denies types at its apex with the NSEC3 record of the apex.

    Why: only the record whose owner is the hash of the name can deny a type there.
    Rule: error for several NSEC3 records in such a denial, one of another name, or NSEC3 in denials without
        NSEC3PARAM at the apex or the other way round. Hashes over 50 iterations are not computed.
    Source: RFC 5155 sections 4 and 7.2.3.
    Do: sign the zone again with a maintained signer.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    found: dict[str, list[Address]] = {}
    for one in apex_denials(view):
        if not one.has_nsec3:
            continue
        found.setdefault("right", []).append(one.address)
        if len(one.denying_nsec3) > 1:
            found.setdefault("several", []).append(one.address)
        elif one.denying_nsec3 and not is_of_apex(view.zone, one.denying_nsec3[0]):
            found.setdefault("wrong-owner", []).append(one.address)
        if bool(one.params) != bool(one.denying_nsec3) and not one.has_nsec:
            found.setdefault(one.contradiction, []).append(one.address)
        if fault := one.soa_fault(NSEC3):
            found.setdefault(fault, []).append(one.address)
    bad = {code: at for code, at in found.items() if code != "right"}
    yield from _report(view, bad or found, "right", "no-nsec3")
    yield from unheard(view, hear(view, "Q4", at=signed_servers(view), edns=True), "Q4")


def is_of_apex(zone: Name, record: Record) -> bool:
    """Whether an NSEC3 record is of the apex; True where that cannot be computed."""
    fields = read(rdata.nsec3, record.rdata)
    if fields is None or fields.iterations > MAX_ITERATIONS:
        return True
    hashed = dnssec.nsec3_hash(zone, fields.algorithm, fields.iterations, fields.salt)
    if hashed is None:
        return True
    owner = record.owner
    return not owner.is_root and hash_of_label(owner.labels[0]) == hashed and owner.parent() == zone


@check(
    "denial.nsec3param",
    properties=(IOP, STA),
    asked=("Q8P",),
    codes={
        "right": "Every server of {zone} has one NSEC3PARAM record at the apex.",
        "several": "{servers} {servers:has|have} more than one NSEC3PARAM record of {zone}.",
        "wrong-owner": "{servers} {servers:answers|answer} the question for NSEC3PARAM of {zone} with that of another "
        "name.",
        **_QUERY_CODES,
        "no-nsec3": "{zone} does not use NSEC3.",
        **_SHARED,
    },
)
def nsec3param(view: ZoneView) -> Iterator[Outcome]:
    """A zone with NSEC3 has one NSEC3PARAM record.

    Why: secondary servers learn from it which chain to deny with.
    Rule: error for several records with flags 0, one of another name, an error or silence when asked for it, or records
        of another type in that answer.
    Source: RFC 5155 section 4.
    Do: take the records of unfinished chains out of the zone, and sign it again.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    found: dict[str, list[Address]] = {}
    faults = list(_query_faults(view, "Q8P", NSEC3PARAM))
    for one in apex_denials(view):
        if one.params:
            fields = read_all(rdata.nsec3param, (record.rdata for record in one.params))
            own = all(record.owner == view.zone for record in one.params)
            code = "several" if sum(of.flags == 0 for of in fields) > 1 else "right" if own else "wrong-owner"
            found.setdefault(code, []).append(one.address)
    yield from faults
    bad = {code: at for code, at in found.items() if code != "right"}
    if bad or not faults:
        yield from _report(view, bad or found, "right", "no-nsec3")
    yield from unheard(view, hear(view, "Q4", at=signed_servers(view), edns=True), "Q4")
