"""Questions for the DS at the parent and at the child, and the anchors that stand for it at the root."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Address
from gnomon.base.codes import DNSKEY, DS, NOERROR, NS, NXDOMAIN, SOA
from gnomon.checks.chain import matches
from gnomon.checks.inventory import apex
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, SEC, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, hear, is_partial, labels, probe, unheard, without_keys
from gnomon.checks.validation import key_label
from gnomon.checks.view import ZoneView
from gnomon.wire import rdata


@check(
    "dnssec.ds-answer-authoritative",
    properties=(IOP, SEC),
    asked=("P2", "P1"),
    codes={
        "authoritative": "Every server of the parent that was asked for the DS of {zone} answers with authority.",
        "referral": "{server} of the parent answers the question for the DS of {zone} with a referral.",
        "nxdomain": "{server} of the parent says that {zone} does not exist when asked for its DS, but delegates it.",
        "not-authoritative": "{server} of the parent answers without authority when asked for the DS of {zone}.",
        "error": "{server} of the parent answers {rcode} when asked for the DS of {zone}.",
        "dropped": "{server} of the parent does not answer when asked for the DS of {zone}, but answers for its NS.",
        "parent-no-answer": "No server of the parent of {zone} gave an answer that could be judged.",
        "root": "The root has no parent.",
        "given": "The delegation of {zone} was given by hand, so the parent was not asked.",
    },
)
def ds_answer_authoritative(view: ZoneView) -> Iterator[Outcome]:
    """The parent's servers answer the question for the DS with authority.

    Why: the DS belongs to the parent; validators ask for it there, and take a referral for a lost chain of trust.
    Rule: error for a server of the parent that delegates the zone and answers the question for its DS with a
        referral, NXDOMAIN, another error or without the AA bit; warning if it does not answer this question alone.
    Source: RFC 4035 section 3.1.4.1; RFC 6840 section 4.1.
    Do: replace the server's software by one that knows DNSSEC.
    """
    if view.is_root or view.undelegated is not None:
        yield not_applicable("root" if view.is_root else "given")
        return
    good, clean = list[Answer](), True
    for parent in view.parent_answers():
        if not parent.ns_names:
            continue
        address, answer = parent.answer.address, view.answer("P2", parent.answer.address)
        code = _ds_fault(view, answer) if answer is not None else "dropped"
        asked = view.asked("P2", address)
        if code and asked:
            clean, rcode = False, str(answer.message.rcode) if answer is not None else ""
            yield outcome(code, parent.answer.exchange, asked, subject=str(address), server=str(address), rcode=rcode)
        elif answer is not None:
            good.append(answer)
    if good and clean:
        yield outcome("authoritative", shown_by(good))
    elif clean:
        yield unknown("parent-no-answer", view.asked("P2"))


def _ds_fault(view: ZoneView, answer: Answer) -> str:
    message = answer.message
    if is_partial(answer):
        return ""
    if message.rcode != NOERROR:
        return "nxdomain" if message.rcode == NXDOMAIN else "error"
    if not message.aa:
        refers = any(record.rtype == NS and record.owner == view.zone for record in message.authority)
        return "referral" if refers and message.rrset("answer", view.zone, DS) is None else "not-authoritative"
    return ""


@check(
    "dnssec.ds-at-child",
    properties=(IOP,),
    asked=("Q8D",),
    codes={
        "denied": "The servers of {zone} that were asked for its DS deny it, or answer for the parent.",
        "own-ds": "{servers} {servers:has|have} a DS record at the apex of {zone} itself, signed by the zone.",
        "referral": "{servers} {servers:answers|answer} the question for the DS of {zone} with a referral.",
        "not-authoritative": "{servers} {servers:answers|answer} without authority when asked for the DS of {zone}.",
        "error": "{servers} {servers:answers|answer} {rcodes} when asked for the DS of {zone}.",
        "without-soa": "{servers} {servers:denies|deny} the DS of {zone} without a SOA record.",
        "dropped": "{servers} {servers:does|do} not answer when asked for the DS of {zone}.",
        "root": "The root has no parent that could have a DS.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def ds_at_child(view: ZoneView) -> Iterator[Outcome]:
    """The zone's own servers deny its DS, unless they serve the parent too.

    Why: a resolver that does not know of the zone cut asks there, and must be told politely that it is the wrong side.
    Rule: warning unless the answer is authoritative and either a DS that the parent signs, or a denial with a SOA
        record.
    Source: RFC 4035 sections 2.4 and 3.1.4.1.
    Do: replace the server's software by one that knows DNSSEC; remove a DS at the apex.
    """
    if view.is_root:
        yield not_applicable("root")
        return
    if not view.asked("Q8D"):
        yield from without_keys(view)
        return
    probed = probe(view, "Q8D", alive="Q2", edns=True)
    found: dict[str, list[Answer]] = {}
    for answer in probed.answers:
        found.setdefault(_child_fault(view, answer) or "denied", []).append(answer)
    for code, of in sorted(found.items()):
        if code != "denied":
            rcodes = tuple(sorted({str(answer.message.rcode) for answer in of}))
            servers = labels(view, [answer.address for answer in of])
            yield outcome(code, shown_by(of), servers=servers, rcodes=rcodes)
    if probed.dropped:
        shown = [x for address in probed.dropped for x in view.asked("Q8D", address)]
        yield outcome("dropped", shown, servers=labels(view, probed.dropped))
    elif set(found) == {"denied"}:
        yield outcome("denied", [answer.exchange for answer in found["denied"]])
    yield from unheard(view, probed.heard.but(_not_chosen(view)), "Q8D")


def _not_chosen(view: ZoneView) -> tuple[Address, ...]:
    """The servers that were not to be asked: the plan asks a few only."""
    return tuple(address for address in view.addresses if not view.asked("Q8D", address))


def _child_fault(view: ZoneView, answer: Answer) -> str:
    message = answer.message
    if is_partial(answer):
        return ""
    if message.rcode != NOERROR:
        return "error"
    own = message.rrset("answer", view.zone, DS)
    if not message.aa:
        return "referral" if any(record.rtype == NS for record in message.authority) else "not-authoritative"
    if own is not None:
        signers = {signature.signer for signature in read_all(rdata.rrsig, own.signatures)}
        return "own-ds" if view.zone in signers else ""
    return "" if any(record.rtype == SOA for record in message.authority) else "without-soa"


@check(
    "dnssec.trust-anchor",
    properties=(SEC,),
    asked=("Q4",),
    codes={
        "signs": "{anchors:A configured trust anchor|Configured trust anchors} of {zone} {anchors:signs|sign} its "
        "DNSKEY record set: {anchors}.",
        "none-signs": "No configured trust anchor of {zone} ({anchors}) signs its DNSKEY record set at {servers}.",
        "standby": "The trust anchor {anchor} names a key of {zone} that does not sign the DNSKEY record set now.",
        "absent": "The trust anchor {anchor} names a key that {zone} does not have.",
        "no-anchor": "No trust anchor was given for {zone}.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def trust_anchor(view: ZoneView) -> Iterator[Outcome]:
    """A configured trust anchor signs the keys of its zone.

    Why: where none does, every answer below that zone is bogus for whoever uses these anchors.
    Rule: error if none of the anchors of the zone matches a DNSKEY with a valid signature over the DNSKEY RRset; notice
        for an anchor whose key is not published beside one that signs. An anchor whose key is published and waits
        for its time is no fault: that is how the root's key is rolled.
    Source: RFC 4033 section 5; RFC 5011 section 2.4; RFC 7958.
    Do: take the anchors anew from IANA, and verify them.
    """
    anchors = view.root_anchors if view.is_root and view.undelegated is None else ()
    if not anchors:
        yield not_applicable("no-anchor")
        return
    heard, keys = hear(view, "Q4"), view.keys()
    if not keys:
        yield from without_keys(view)
        return
    shown = heard.shown
    named: dict[str, list[bytes]] = {}
    for one in anchors:
        of = [key.rdata for key in keys if matches(one, view.zone, key)]
        named.setdefault(key_label(one.key_tag, one.algorithm), []).extend(of)
    closed, signing = list[Address](), set[bytes]()
    for address in view.dnskeys():
        examined = apex(view.chain().inventory, view.zone, DNSKEY, address)
        valid = {s.key.rdata for s in examined.valid if s.key is not None} if examined is not None else set()
        signing |= valid
        if not any(octets in valid for of in named.values() for octets in of):
            closed.append(address)
    if closed:
        yield outcome("none-signs", shown, anchors=tuple(named), servers=labels(view, closed))
    else:
        good = [text for text, of in named.items() if signing.intersection(of)]
        yield outcome("signs", shown, anchors=tuple(good))
        for text, of in named.items():
            if text not in good:
                yield outcome("standby" if of else "absent", shown, subject=f"anchor {text}", anchor=text)
    yield from unheard(view, heard, "Q4")
