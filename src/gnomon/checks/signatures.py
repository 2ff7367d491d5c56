"""RRSIG records: do they verify, are they in time, for how long, and not for too long."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Address, RRType
from gnomon.base.codes import DNSKEY, SOA
from gnomon.checks.each import held
from gnomon.checks.inventory import SIGNED_ASKS, SignedAnswer, apex, sends_no_signatures
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.registry import REL, RES, SEC, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.validation import ExaminedRRset, ExaminedSignature, SignatureState, describe, iso, moment_s
from gnomon.checks.view import ZoneView

_HOUR_S = 3600
_DAY_S = 86_400

_STATE_CODES = {
    "valid": "Every server of {zone} signs its {rtype} record set validly.",
    "missing": "{servers} {servers:gives|give} the {rtype} record set of {zone} without a signature.",
    "no-key": "At {servers} {detail}.",
    "not-yet-valid": "At {servers} {detail} (see sig.inception).",
    "invalid": "At {servers} {detail}.",
    "unusable": "At {servers} {detail} (see sig.signer and sig.labels).",
    "expired": "At {servers} {detail} (see sig.not-expired).",
    "not-checkable": "At {servers} {detail}.",
    "no-signatures": "{servers} {servers:sends|send} no signatures at all (see dnssec.dnssec-aware).",
    "no-rrset": "{servers} gave no {rtype} record set of {zone} when asked for it with DO.",
    **UNSIGNED,
    **UNHEARD_EDNS,
}
# The states of the best signature that no code of its own is worth.
_UNUSABLE = ("malformed", "wrong-signer", "bad-labels")
_CAUSED_ELSEWHERE = ("expired", "not-yet-valid", "unusable", "no-signatures", "no-rrset", "not-checkable")


@check("sig.dnskey", properties=(SEC, REL), asked=("Q4",), codes=_STATE_CODES, version=2)
def dnskey(view: ZoneView) -> Iterator[Outcome]:
    """The DNSKEY RRset has a valid signature at every server.

    Why: validators trust no key, and so nothing in the zone, without it.
    Rule: error if no signature over DNSKEY is valid at a server, by what is wrong with the one that comes closest:
        absent, by a key that is not there, or does not verify. One that is expired, not valid yet, by another signer
        or with too many labels is the finding of sig.not-expired, sig.inception, sig.signer or sig.labels, a server
        without any signatures dnssec.dnssec-aware's. What it means for validators
        is dnssec.chain-validates' to say.
    Source: RFC 4035 sections 2.2 and 5.3.
    Do: sign the zone again with its current keys, and check the signer's clock.
    """
    yield from _state_of(view, DNSKEY, "Q4")


@check("sig.soa", properties=(SEC, REL), asked=("Q2",), codes=_STATE_CODES, version=2)
def soa(view: ZoneView) -> Iterator[Outcome]:
    """The SOA RRset has a valid signature at every server.

    Why: it stands for all data signed with the zone's keys, and negative answers carry it.
    Rule: as sig.dnskey, for the SOA record.
    Source: RFC 4035 sections 2.2 and 5.3.
    Do: sign the zone again with its current keys, and check the signer's clock.
    """
    yield from _state_of(view, SOA, "Q2")


def _state_of(view: ZoneView, rtype: int, ask: str) -> Iterator[Outcome]:
    keyed = signed_servers(view)
    if not keyed:
        yield from without_keys(view)
        return
    inventory, heard = view.chain().inventory, hear(view, ask, at=keyed, edns=True)
    found: dict[str, list[tuple[Address, str]]] = {}
    for answer in heard.answers:
        examined = apex(inventory, view.zone, rtype, answer.address)
        detail = describe(examined, view.chain().now_s) if examined is not None else ""
        code = _code_of(examined, silent=sends_no_signatures(inventory, answer.address))
        found.setdefault(code, []).append((answer.address, detail))
    for code, at in sorted(found.items()):
        shown = [x for address, _ in at for x in view.asked(ask, address)]
        servers, name = labels(view, [address for address, _ in at]), str(RRType(rtype))
        if code != "valid":
            state = unknown if code in _CAUSED_ELSEWHERE else outcome
            yield state(code, shown, servers=servers, rtype=name, detail=at[0][1])
        elif len(found) == 1:
            yield outcome(code, shown, rtype=name)
    yield from unheard(view, heard, ask)


def _code_of(examined: ExaminedRRset | None, *, silent: bool) -> str:
    if examined is None:
        return "no-rrset"
    failure = examined.failure or "valid"
    if failure == "missing" and silent:
        return "no-signatures"
    return "unusable" if failure in _UNUSABLE else failure


@check(
    "sig.not-expired",
    properties=(REL,),
    asked=SIGNED_ASKS,
    codes={
        "current": "No record set of {zone} lives on expired signatures.",
        "expired": "The signatures over {rrsets} of {zone} have expired at {servers}, the first at {at}.",
        "all-expired": "Every server gives {rrsets} of {zone} with signatures that expired, the first at {at}.",
        "one-expired": "At {servers} {rrsets} of {zone} {rrsets:carries|carry} a signature that expired at {at}, "
        "beside a valid one.",
        "no-signatures": "No signature of {zone} was seen.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def not_expired(view: ZoneView) -> Iterator[Outcome]:
    """No signature has expired.

    Why: from that second on validators reject the data.
    Rule: error for RRsets at some servers whose only usable signatures have expired, critical if every server's
        DNSKEY or SOA RRset is among them; warning for an expired signature beside a valid one. No tolerance; dates by
        serial arithmetic.
    Source: RFC 4035 section 5.3.1; RFC 4034 section 3.1.5; RFC 1982.
    Do: sign the zone again now, then find out why the signer did not.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    answers, everything = list(view.chain().inventory.values()), [one.examined for one in held(view)]
    any_expired = any(one.failure == "expired" or _expired(one) for one in everything)
    dead, beside = list[tuple[SignedAnswer, ExaminedRRset]](), list[tuple[SignedAnswer, ExaminedRRset]]()
    for answer in answers if any_expired else ():
        for examined in answer.rrsets:
            if examined.failure == "expired":
                dead.append((answer, examined))
            elif not examined.failure and _expired(examined):
                beside.append((answer, examined))
    if not any(examined.signatures for examined in everything):
        yield not_applicable("no-signatures", [answer.answer.exchange for answer in answers])
    elif not dead and not beside:
        yield outcome("current", [answer.answer.exchange for answer in answers])
    if dead:
        vital = {a.answer.address for a, e in dead if e.rrset.rtype in (DNSKEY, SOA) and e.rrset.owner == view.zone}
        code = "all-expired" if vital == {a.answer.address for a in answers} else "expired"
        yield _about_expired(view, code, dead)
    if beside:
        yield _about_expired(view, "one-expired", beside)
    yield from unheard(view, hear(view, "Q4", edns=True), "Q4")


def _expired(examined: ExaminedRRset) -> list[ExaminedSignature]:
    return [one for one in examined.signatures if one.state is SignatureState.EXPIRED]


def _about_expired(view: ZoneView, code: str, found: list[tuple[SignedAnswer, ExaminedRRset]]) -> Outcome:
    now_s = view.chain().now_s
    ends = [moment_s(one.fields.expiration, now_s) for _, e in found for one in _expired(e) if one.fields]
    at = labels(view, list(dict.fromkeys(answer.answer.address for answer, _ in found)))
    rrsets = tuple(dict.fromkeys(str(examined.rrset.rtype) for _, examined in found))
    shown = [answer.answer.exchange for answer, _ in found]
    return outcome(code, shown, servers=at, rrsets=rrsets, at=iso(min(ends)))


@check(
    "sig.remaining",
    version=2,
    properties=(REL, RES),
    asked=SIGNED_ASKS,
    codes={
        "ample": "The first signatures of {zone} to expire last until {at}.",
        "under-12-hours": "The signature of {key} over {rtype} of {zone} ends at {at}, in less than 12 hours.",
        "under-24-hours": "The signature of {key} over {rtype} of {zone} ends at {at}, in less than 24 hours.",
        "under-72-hours": "The signature of {key} over {rtype} of {zone} ends at {at}, in less than 72 hours.",
        "none-valid": "No valid signature of {zone} was seen.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def remaining(view: ZoneView) -> Iterator[Outcome]:
    """Signatures are renewed well before they expire.

    Why: what is left is the time to notice and repair a signer that has stopped.
    Rule: by the valid signature that ends first (of several over one RRset, the last): warning under 12 hours;
        for top-level, root and critical zones warning under 72 hours and error under 24. Less than the TTL is
        sig.ttl-outlives' finding.
    Source: RFC 6781 section 4.4.2; Zonemaster DNSSEC04; 24 and 72 hours are Gnomon's proposal.
    Do: renew signatures when about half of their time is left.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    chain = view.chain()
    ends = [
        (max([_end_s(signature, chain.now_s) for signature in one.examined.valid]), one.examined, one.answers[0])
        for one in held(view)
        if one.examined.valid
    ]
    if not ends:
        yield unknown("none-valid", [answer.answer.exchange for answer in chain.inventory.values()])
    else:
        end_s, examined, answer = min(ends, key=lambda item: item[0])
        best = max(examined.valid, key=lambda one: _end_s(one, chain.now_s))
        hours = next((hours for hours in (12, 24, 72) if end_s - chain.now_s < hours * _HOUR_S), 0)
        code = f"under-{hours}-hours" if hours else "ample"
        facts = {"key": best.label, "rtype": str(examined.rrset.rtype), "at": iso(end_s)}
        yield outcome(code, answer.answer.exchange, **facts)
    yield from unheard(view, hear(view, "Q4", edns=True), "Q4")


@check(
    "sig.validity-max",
    properties=(SEC,),
    asked=SIGNED_ASKS,
    codes={
        "moderate": "No signature of {zone} is valid for more than {days} {days:day|days}.",
        "over-45-days": "The signature of {key} over {rtype} of {zone} is valid for {days} days.",
        "long-validity": "The signature of {key} over {rtype} of {zone} is valid for {days} days, more than 180.",
        "long-remaining": "The signature of {key} over {rtype} of {zone} lasts {left_days} days more, over 180.",
        "none-valid": "No valid signature of {zone} was seen.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def validity_max(view: ZoneView) -> Iterator[Outcome]:
    """No signature is valid for very long.

    Why: who has an old answer can replay it until its signature ends, also after the data or the key was withdrawn.
    Rule: by the valid signature with the longest period: warning over 180 days in all or still to come; notice over
        45 days for top-level and critical zones.
    Source: Zonemaster DNSSEC04; RFC 6781 section 4.4.2; 45 days are Gnomon's proposal.
    Do: set the signer's validity period to a few weeks.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    chain = view.chain()
    spans = [
        (_end_s(s, chain.now_s) - moment_s(s.fields.inception, chain.now_s), s, one.examined, one.answers[0])
        for one in held(view)
        for s in one.examined.valid
        if s.fields is not None
    ]
    if not spans:
        yield unknown("none-valid", [answer.answer.exchange for answer in chain.inventory.values()])
    else:
        span_s, one, examined, answer = max(spans, key=lambda item: item[0])
        left_s = max(_end_s(other, chain.now_s) for _, other, _, _ in spans) - chain.now_s
        code = "long-remaining" if left_s > 180 * _DAY_S else "long-validity" if span_s > 180 * _DAY_S else "moderate"
        code = "over-45-days" if code == "moderate" and span_s > 45 * _DAY_S else code
        facts = {"key": one.label, "rtype": str(examined.rrset.rtype)}
        days, left_days = -(-span_s // _DAY_S), left_s // _DAY_S
        yield outcome(code, answer.answer.exchange, days=days, left_days=left_days, **facts)
    yield from unheard(view, hear(view, "Q4", edns=True), "Q4")


def _end_s(one: ExaminedSignature, now_s: int) -> int:
    return moment_s(one.fields.expiration, now_s) if one.fields is not None else now_s
