"""Authenticated denial of existence: is it there, of one kind everywhere, and with sane NSEC3 parameters."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Address
from gnomon.base.codes import NSEC, NSEC3, NSEC3PARAM
from gnomon.checks.inventory import SignedAnswer, answers_at, sends_no_signatures
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, REL, SEC, STA, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import rdata
from gnomon.wire.rdata import Nsec3, Nsec3param

_NO_NEGATIVE = "No server of {zone} gave a negative answer to judge."
_NO_NSEC3 = "{zone} does not use NSEC3."


@check(
    "denial.present",
    properties=(SEC, REL),
    asked=("Q5", "Q6"),
    codes={
        "present": "Every negative answer of {zone} carries NSEC or NSEC3 records.",
        "missing-nxdomain": "{servers} deny the name {qname} without NSEC or NSEC3 records.",
        "missing-nodata": "{servers} deny the type {qtype} at {qname} without NSEC or NSEC3 records.",
        "missing-wildcard": "{servers} answer {qname} from a wildcard without NSEC or NSEC3 records.",
        "no-signatures": "{servers} send no signatures at all (see dnssec.dnssec-aware).",
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
            if kind and not _denials(signed):
                bare.setdefault(f"missing-{kind}", []).append(signed)
            elif kind:
                good.append(signed)
    for code, of in sorted(bare.items()):
        shown = [s.answer.exchange for s in of]
        servers = labels(view, [s.answer.address for s in of])
        yield outcome(code, shown, servers=servers, qname=str(of[0].answer.qname), qtype=str(of[0].answer.qtype))
    if silent:
        shown = [signed.answer.exchange for address in silent for signed in answers_at(inventory, address)]
        yield unknown("no-signatures", shown, servers=labels(view, silent))
    if good and not bare:
        yield outcome("present", [s.answer.exchange for s in good])
    elif heard.answers and not good and not bare and not silent:
        yield unknown("no-negative-answer", [a.exchange for a in heard.answers])
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


def _denials(signed: SignedAnswer) -> list[int]:
    return [int(one.rrset.rtype) for one in signed.negative if one.rrset.rtype in (NSEC, NSEC3)]


@check(
    "denial.one-kind",
    properties=(STA, IOP),
    asked=("Q5", "Q6"),
    codes={
        "nsec": "All servers of {zone} deny with NSEC.",
        "nsec3": "All servers of {zone} deny with NSEC3.",
        "mixed": "{servers} deny names of {zone} with NSEC and NSEC3 at the same time.",
        "differ": "Some servers of {zone} deny with NSEC ({nsec}), others with NSEC3 ({nsec3}).",
        "none-seen": "No NSEC or NSEC3 record of {zone} was seen.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def one_kind(view: ZoneView) -> Iterator[Outcome]:
    """The zone denies with either NSEC or NSEC3, the same at all servers.

    Why: a zone with both kinds proves some things twice and others not at all.
    Rule: error if one server gives both kinds, or servers differ. While a zone changes over this can be seen for the
        time that a transfer takes; repeat the assessment before acting.
    Source: RFC 5155 sections 10.4 and 10.5.
    Do: finish the change from one kind to the other at every server.
    """
    keyed = signed_servers(view)
    if not keyed:
        yield from without_keys(view)
        return
    heard = hear(view, "Q6", "Q5", at=keyed, edns=True)
    kinds = {a: {t for s in answers_at(view.chain().inventory, a) for t in _denials(s)} for a in keyed}
    shown = [x for address in keyed for ask in ("Q5", "Q6") for x in view.asked(ask, address)]
    mixed = [address for address, of in kinds.items() if len(of) > 1]
    nsec = [address for address, of in kinds.items() if of == {NSEC}]
    nsec3 = [address for address, of in kinds.items() if of == {NSEC3}]
    if mixed:
        yield outcome("mixed", shown, servers=labels(view, mixed))
    if nsec and nsec3:
        yield outcome("differ", shown, nsec=labels(view, nsec), nsec3=labels(view, nsec3))
    elif not mixed and (nsec or nsec3):
        yield outcome("nsec" if nsec else "nsec3", shown)
    elif not mixed and heard.answers:
        yield unknown("none-seen", shown)
    yield from unheard(view, heard, "Q6", "Q5")


@check(
    "denial.nsec3-iterations",
    properties=(SEC, IOP),
    asked=("Q5", "Q6", "Q8P"),
    codes={
        "zero": "{zone} uses no extra NSEC3 iterations at {servers}.",
        "over-0": "{zone} uses {iterations} extra NSEC3 iterations at {servers}; there must be none.",
        "over-50": "{zone} uses {iterations} extra NSEC3 iterations at {servers}; many resolvers give up at 50.",
        "over-150": "{zone} uses {iterations} extra NSEC3 iterations at {servers}; all resolvers give up at 150.",
        "no-nsec3": _NO_NSEC3,
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def nsec3_iterations(view: ZoneView) -> Iterator[Outcome]:
    """NSEC3 uses no extra iterations.

    Why: they cost servers and resolvers work and keep no attacker away; resolvers draw a line and give up protection
        beyond it.
    Rule: warning for 1 to 50; error above 50 (BIND, Knot Resolver and PowerDNS then treat the answer as insecure);
        critical above 150 if there is a DS (Unbound's default limit too).
    Source: RFC 9276 sections 3.1 and 3.2; CVE-2023-50868.
    Do: set the iterations to 0 and sign the zone again.
    """
    keyed = signed_servers(view)
    if not keyed:
        yield from without_keys(view)
        return
    heard = hear(view, "Q6", "Q5", at=keyed, edns=True)
    most = {address: max(seen, key=lambda one: one[0].iterations) for address, seen in _parameters(view).items()}
    found: dict[int, list[Address]] = {}
    for address, (of, _) in most.items():
        found.setdefault(of.iterations, []).append(address)
    for count, at in sorted(found.items()):
        code = "over-150" if count > 150 and view.ds() else "over-50" if count > 50 else "over-0" if count else "zero"
        yield outcome(code, [most[address][1] for address in at], iterations=count, servers=labels(view, at))
    if not found and heard.answers:
        yield not_applicable("no-nsec3", [a.exchange for a in heard.answers])
    yield from unheard(view, heard, "Q6", "Q5")


@check(
    "denial.nsec3-salt",
    properties=(SEC,),
    asked=("Q5", "Q6", "Q8P"),
    codes={
        "empty": "{zone} uses no NSEC3 salt at {servers}.",
        "salted": "{zone} uses an NSEC3 salt of {octets} octets ({salt}) at {servers}.",
        "no-nsec3": _NO_NSEC3,
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def nsec3_salt(view: ZoneView) -> Iterator[Outcome]:
    """NSEC3 uses no salt.

    Why: the zone's name already makes its hashes its own; a salt adds nothing and costs a full re-signing to change.
    Rule: warning if any NSEC3 or NSEC3PARAM record has one.
    Source: RFC 9276 section 3.1.
    Do: set the salt to "-" and sign the zone again.
    """
    keyed = signed_servers(view)
    if not keyed:
        yield from without_keys(view)
        return
    heard = hear(view, "Q6", "Q5", at=keyed, edns=True)
    longest = {address: max(seen, key=lambda one: len(one[0].salt)) for address, seen in _parameters(view).items()}
    found: dict[bytes, list[Address]] = {}
    for address, (of, _) in longest.items():
        found.setdefault(of.salt, []).append(address)
    for salt, at in sorted(found.items()):
        shown, code = [longest[address][1] for address in at], "salted" if salt else "empty"
        yield outcome(code, shown, octets=len(salt), salt=salt.hex(), servers=labels(view, at))
    if not found and heard.answers:
        yield not_applicable("no-nsec3", [a.exchange for a in heard.answers])
    yield from unheard(view, heard, "Q6", "Q5")


def _parameters(view: ZoneView) -> dict[Address, list[tuple[Nsec3 | Nsec3param, Exchange]]]:
    """The parameters in the NSEC3 and NSEC3PARAM records of each server that has any."""
    found: dict[Address, list[tuple[Nsec3 | Nsec3param, Exchange]]] = {}
    for address in signed_servers(view):
        for signed in answers_at(view.chain().inventory, address):
            many = list[Nsec3 | Nsec3param]()
            for one in signed.rrsets:
                if one.rrset.rtype == NSEC3:
                    many += read_all(rdata.nsec3, one.rrset.rdatas)
                elif one.rrset.rtype == NSEC3PARAM and one.rrset.owner == view.zone:
                    many += read_all(rdata.nsec3param, one.rrset.rdatas)
            if many:
                found.setdefault(address, []).extend((parameters, signed.answer.exchange) for parameters in many)
    return found
