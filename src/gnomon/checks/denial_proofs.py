"""Do the denial records prove what the answer says: of names, of wildcards, of the delegation's missing DS."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gnomon.base import Name
from gnomon.base.codes import DS, NOERROR, NS, NSEC, NSEC3, SOA
from gnomon.base.once import once
from gnomon.checks.chain import ChainStatus
from gnomon.checks.inventory import SignedAnswer
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.proofs import MAX_ITERATIONS, OPT_OUT, Denial, Proof, hashed_span
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, SEC, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.validation import ExaminedRRset
from gnomon.checks.view import ZoneView
from gnomon.wire import RRset, dnssec, rdata

_ASKS = ("Q5", "Q6")
_ABOUT_ANSWERS = ("covered", "not-closest")  # the codes that are not about a denial
_CODES = {
    "none-seen": "No server of {zone} gave a denial with NSEC or NSEC3 records that could be judged.",
    **UNSIGNED,
    **UNHEARD_EDNS,
}


@once
def _judged(view: ZoneView) -> list[SignedAnswer]:
    """The answers about a name that is not there (Q5) and a type that is not there (Q6) with denial records."""
    inventory, keyed = view.chain().inventory, signed_servers(view)
    found = (inventory.get((ask, address)) for address in keyed for ask in _ASKS)
    return [one for one in found if one is not None and one.denial_types and not _is_costly(view, one.negative)]


@once
def _is_costly(view: ZoneView, negative: tuple[ExaminedRRset, ...]) -> bool:
    """So many iterations that the hashes are not computed: denial.nsec3-iterations says it."""
    rdatas = (octets for one in negative if one.rrset.rtype == NSEC3 for octets in one.rrset.rdatas)
    return any(nsec3.iterations > MAX_ITERATIONS for nsec3 in read_all(rdata.nsec3, rdatas))


@once
def _records(view: ZoneView, negative: tuple[ExaminedRRset, ...]) -> Denial:
    """The denial records of an answer, whether their signatures are valid or not: denial.signed judges that."""
    return Denial(view.zone, (one.rrset for one in negative if one.rrset.rtype in (NSEC, NSEC3)))


def _report(view: ZoneView, flaw: Callable[[SignedAnswer], str], good: str) -> Iterator[Outcome]:
    """One outcome for each flaw of any answer with its servers; `good` where there is none."""
    keyed = signed_servers(view)
    if not keyed:
        yield from without_keys(view)
        return
    found: dict[str, list[SignedAnswer]] = {}
    judged = _judged(view)
    flaws: dict[tuple[int, int], str] = {}  # equal answers of several servers share what was examined
    for signed in judged:
        key = id(signed.positive), id(signed.negative)
        if key not in flaws:
            flaws[key] = flaw(signed)
        found.setdefault(flaws[key], []).append(signed)
    for code, of in sorted(found.items()):
        if code:
            servers = labels(view, list(dict.fromkeys(signed.answer.address for signed in of)))
            denied = (code not in _ABOUT_ANSWERS and of[0].about) or of[0].answer.qname
            names = {"qname": str(denied), "qtype": str(of[0].answer.qtype)}
            yield outcome(code, [signed.answer.exchange for signed in of], servers=servers, **names)
    heard = hear(view, *_ASKS, at=keyed, edns=True)
    if set(found) == {""}:
        yield outcome(good, [signed.answer.exchange for signed in judged])
    elif heard.answers and not judged:
        yield unknown("none-seen", heard.shown)
    yield from unheard(view, heard, *_ASKS)


@check(
    "denial.covers",
    properties=(SEC, IOP),
    asked=(*_ASKS, "Q9"),
    codes={
        "proven": "The denial records of {zone} prove that the name or type asked for is not there.",
        "name-not-covered": "{servers} {servers:denies|deny} {qname} with records none of which covers the name (or "
        "its next closer).",
        "no-encloser": "{servers} {servers:denies|deny} {qname} without the NSEC3 record of an existing name above it.",
        "no-match": "{servers} {servers:denies|deny} {qtype} at {qname} without the record of that name.",
        "last-not-apex": "{servers} {servers:has|have} an NSEC record of {zone} that leads out of the zone, or "
        "backwards but not to the apex.",
        "covers-existing": "{servers} {servers:has|have} a denial record that covers an existing name ({qname} was "
        "asked for).",
        **_CODES,
    },
)
def covers(view: ZoneView) -> Iterator[Outcome]:
    """Denial records cover the name, or match it, as the proof needs.

    Why: a denial that does not fit is no proof, and validators answer SERVFAIL; one that covers an existing name lets
        anybody deny that.
    Rule: error if for NXDOMAIN no NSEC covers the name, or with NSEC3 no record matches a closest encloser or covers
        the next closer name; if for an absent type no record matches the name and none shows it as an empty
        non-terminal or opted out; if a record covers a host of the zone for which an address was given; or if the
        next name of an NSEC lies outside the zone, or not behind its owner and is not the apex, as that of the last
        one is. A compact denial covers nothing: denial.compact judges it. Types in the
        record are denial.bitmap's matter, the wildcard denial.wildcard's, signatures denial.signed's.
    Source: RFC 4035 section 5.4; RFC 5155 sections 8.3 to 8.7; RFC 7129.
    Do: sign the zone again with a maintained signer, and load the same version everywhere.
    """
    hosts = [n for n in view.ns_names if n.is_subdomain_of(view.zone) and _exists(view, n)]

    def flaw(signed: SignedAnswer) -> str:
        denial, name = _records(view, signed.negative), signed.about
        if any(denial.covers(host) for host in hosts):
            return "covers-existing"
        if _ends_elsewhere(view.zone, signed):
            return "last-not-apex"
        if name is not None and signed.is_nxdomain:
            lacking = denial.lacking_for_no_name(name)
            return {"encloser": "no-encloser", "name": "name-not-covered"}.get(lacking, "")
        if name is None or not signed.is_nodata or denial.matches(name):
            return ""
        proven = denial.no_type(name, int(signed.answer.qtype or 0))
        return "" if proven in (Proof.PROVEN, Proof.OPTED_OUT) else "no-match"

    yield from _report(view, flaw, "proven")


def _ends_elsewhere(zone: Name, signed: SignedAnswer) -> bool:
    """Whether an NSEC leads out of the zone, or backwards to another name than the apex (RFC 4034 section 4.1.1)."""
    sets = [one.rrset for one in signed.negative if one.rrset.rtype == NSEC]
    nexts = [(rrset.owner, nsec.next_name) for rrset in sets for nsec in read_all(rdata.nsec, rrset.rdatas)]
    return any(n != zone and (n <= owner or not n.is_subdomain_of(zone)) for owner, n in nexts)


def _exists(view: ZoneView, host: Name) -> bool:
    """Whether a server gave an address of the host that this zone has signed, not a zone below that it has too."""
    sets = [a.message.rrset("answer", host, a.qtype) for a in view.answers_for_host(host) if a.qtype is not None]
    signatures = (octets for rrset in sets if rrset is not None for octets in rrset.signatures)
    return any(signature.signer == view.zone for signature in read_all(rdata.rrsig, signatures))


@check(
    "denial.wildcard",
    properties=(SEC, IOP),
    asked=_ASKS,
    codes={
        "right": "The answers of {zone} prove what they say about wildcards.",
        "not-covered": "{servers} {servers:denies|deny} {qname} without proof that no wildcard would answer for it.",
        "covered": "{servers} {servers:answers|answer} {qname} from a wildcard that {servers:its|their} own denial "
        "records cover.",
        "not-closest": "{servers} {servers:answers|answer} {qname} from a wildcard without proof that the name itself "
        "does not exist.",
        **_CODES,
    },
)
def wildcard(view: ZoneView) -> Iterator[Outcome]:
    """Answers prove that no wildcard applies, or that the wildcard they come from does.

    Why: without it an attacker can withhold the wildcard's answer, or pass it off for an existing name's.
    Rule: error if the records of an NXDOMAIN do not cover the wildcard at the closest encloser; if the records beside
        an answer from a wildcard cover that wildcard itself, or do not prove that the name does not exist.
    Source: RFC 4035 sections 3.1.3.2, 3.1.3.3 and 5.3.4; RFC 5155 sections 8.4 and 8.8.
    Do: sign the zone again with a maintained signer, and load the same version everywhere.
    """

    def flaw(signed: SignedAnswer) -> str:
        denial, name = _records(view, signed.negative), signed.about
        for one in signed.positive:
            depth = one.expanded_from
            if depth is not None:
                owner = one.rrset.owner
                encloser = owner.ancestors()[len(owner.labels) - depth]
                if denial.covers(encloser.prepend(b"*")):
                    return "covered"
                if denial.no_closer(owner, depth) is Proof.FAILS:
                    return "not-closest"
        if name is not None and signed.is_nxdomain and denial.lacking_for_no_name(name) == "wildcard":
            return "not-covered"
        return ""

    yield from _report(view, flaw, "right")


@check(
    "denial.delegation",
    properties=(SEC,),
    asked=("P1", "P2"),
    codes={
        "right": "The parent proves that {zone} has no DS with a record that fits a delegation.",
        "soa-bit": "The parent denies the DS of {zone} with a record that lists SOA, so one of a zone.",
        "ds-bit": "The parent denies the DS of {zone} with a record that lists DS.",
        "no-ns-bit": "The parent denies the DS of {zone} with a record that does not list NS.",
        "opt-out-unset": "The parent covers {zone} with an NSEC3 record that has no opt-out flag, and delegates it.",
        "no-record": "The parent gave no NSEC or NSEC3 record about the DS of {zone} (see dnssec.chain-validates).",
        "iterations": "The parent's NSEC3 records about the DS of {zone} have more than 50 iterations: not computed.",
        "parent-unsigned": "No chain of trust leads to the parent of {zone}, so it has to prove nothing.",
        "has-ds": "The parent of {zone} has a DS for it.",
        "root": "The root has no parent.",
        "given": "The delegation of {zone} was given by hand, so the parent was not asked.",
        "no-delegation": "The parent does not delegate {zone} (see del.zone-exists).",
        "parent-no-answer": "No server of the parent of {zone} gave a usable answer.",
    },
)
def delegation(view: ZoneView) -> Iterator[Outcome]:
    """The parent proves the absence of the DS with a record that fits a delegation.

    Why: with any other record a delegation could be passed off as something else, and validators reject it.
    Rule: for the delegation of this zone, where its parent has no DS: error if the NSEC or NSEC3 record at the cut
        lists SOA or DS or lacks NS, or if an NSEC3 record covers the name without the opt-out flag. A referral without
        any such record is what dnssec.chain-validates reports.
    Source: RFC 4035 sections 3.1.4 and 5.2; RFC 5155 sections 7.2.4, 8.6 and 8.9; RFC 6840 section 4.4.
    Do: tell the operator of the parent zone.
    """
    if view.is_root or view.undelegated is not None:
        yield not_applicable("root" if view.is_root else "given")
        return
    answers = [*view.answers("P1"), *view.answers("P2")]
    usable = [a for a in answers if a.message.rcode == NOERROR and not a.message.tc]
    if view.ds() is not None:
        yield not_applicable("has-ds", view.asked("P2"))
        return
    if view.delegation() is None and usable:
        yield not_applicable("no-delegation", shown_by(usable))
        return
    found: dict[str, list[Answer]] = {}
    for answer in usable:
        if answer.message.rrset("authority", view.zone, NS) or answer.exchange.ask == "P2":
            found.setdefault(_delegation_flaw(view, answer), []).append(answer)
    if not usable:
        yield unknown("parent-no-answer", view.asked("P2"))
    for code, of in sorted(found.items()):
        if code not in _NOT_WRONG:
            yield outcome(code, shown_by(of))
    if found.keys() <= _NOT_WRONG and usable:
        if "right" in found:
            yield outcome("right", shown_by(usable))
        elif (link := view.chain().broken_above) and link.zone != view.zone and link.status is ChainStatus.INSECURE:
            yield not_applicable("parent-unsigned", shown_by(usable))
        else:
            yield unknown("iterations" if "iterations" in found else "no-record", shown_by(usable))


_NOT_WRONG = frozenset({"right", "no-record", "iterations"})


def _delegation_flaw(view: ZoneView, answer: Answer) -> str:
    message, above = answer.message, view.parent_zone
    nsec = message.rrset("authority", view.zone, NSEC)
    if nsec is not None:
        return next((_bits(of.types) for of in read_all(rdata.nsec, nsec.rdatas)), "no-record")
    spans = [
        span
        for record in message.authority
        if record.rtype == NSEC3 and (span := hashed_span(above, record.owner, record.rdata)) is not None
    ]
    for span in spans:
        of = span.fields
        if of.iterations > MAX_ITERATIONS:
            return "iterations"
        if dnssec.nsec3_hash(view.zone, of.algorithm, of.iterations, of.salt) == span.owner_hash:
            return _bits(of.types)
    rrsets = [RRset.of([r]) for r in message.authority if r.rtype == NSEC3]
    proof = Denial(above, rrsets).no_type(view.zone, DS) if rrsets else Proof.MISSING
    if proof is Proof.OPTED_OUT:
        return "right"
    unset = bool(spans) and not any(span.fields.flags & OPT_OUT for span in spans)
    return "opt-out-unset" if unset and Denial(above, rrsets).covers(view.zone) else "no-record"


def _bits(types: frozenset[int]) -> str:
    return "soa-bit" if SOA in types else "ds-bit" if DS in types else "right" if NS in types else "no-ns-bit"
