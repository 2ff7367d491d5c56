"""NSEC3 parameters: as few as possible, known ones only, the same at all servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gnomon.base import Address, Name
from gnomon.base.codes import NSEC3, NSEC3PARAM
from gnomon.base.once import once
from gnomon.checks.each import held
from gnomon.checks.inventory import SignedAnswer, answers_at, judged_once
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.proofs import OPT_OUT, hash_of_label
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, SEC, STA, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import RRset, rdata
from gnomon.wire.rdata import Nsec3, Nsec3param

_SHA1_OCTETS = 20
_ASKS = ("Q6", "Q5", "Q8P", "Q8N")
_CODES = {
    "no-nsec3": "{zone} does not use NSEC3.",
    "none-seen": "No server of {zone} gave an NSEC or NSEC3 record, or a proper answer about them.",
    **UNSIGNED,
    **UNHEARD_EDNS,
}

Parameters = Nsec3 | Nsec3param
Seen = dict[Address, list[tuple[Parameters, Exchange]]]
"""By server: the records with different parameters, each with the first exchange that gave them."""


@once
def _parameters(view: ZoneView) -> Seen:
    """The parameters in the NSEC3 and NSEC3PARAM records of each server that has any."""
    found: dict[Address, dict[tuple[object, ...], tuple[Parameters, Exchange]]] = {}
    for signed, many in _bearing(view):
        first = found.setdefault(signed.answer.address, {})
        for key, parameters in many.items():
            first.setdefault(key, (parameters, signed.answer.exchange))
    return {address: list(of.values()) for address, of in found.items()}


@once
def _bearing(view: ZoneView) -> list[tuple[SignedAnswer, dict[tuple[object, ...], Parameters]]]:
    """The answers of the signed servers that have such records, with their different parameters."""
    said = judged_once(view.chain().inventory, signed_servers(view), lambda signed: _in_answer(view.zone, signed))
    return [(signed, many) for signed, many in said if many]


def _in_answer(zone: Name, signed: SignedAnswer) -> dict[tuple[object, ...], Parameters]:
    """The different parameters in one answer, in order."""
    many = list[Parameters]()
    for rrset in [one.rrset for one in signed.rrsets]:
        if rrset.rtype == NSEC3:
            many += read_all(rdata.nsec3, rrset.rdatas)
        elif rrset.rtype == NSEC3PARAM and rrset.owner == zone:
            many += read_all(rdata.nsec3param, rrset.rdatas)
    different = dict[tuple[object, ...], Parameters]()
    for one in many:
        different.setdefault((type(one), one.algorithm, one.flags, one.iterations, one.salt), one)
    return different


@once
def _served(view: ZoneView) -> Seen:
    """The same from NSEC3 records alone: NSEC3PARAM has no opt-out flag (RFC 5155 section 4.1.2)."""
    seen = _parameters(view).items()
    kept = {address: [one for one in of if isinstance(one[0], Nsec3)] for address, of in seen}
    return {address: of for address, of in kept.items() if of}


def _by_value(
    view: ZoneView, seen: Seen, value: Callable[[Parameters], int | bytes], code: Callable[[int | bytes], str]
) -> Iterator[Outcome]:
    """One outcome for each value of a parameter, naming the servers that have it."""
    keyed = signed_servers(view)
    if not keyed:
        yield from without_keys(view)
        return
    found: dict[int | bytes, dict[Address, Exchange]] = {}
    for address, of in seen.items():
        for parameters, exchange in of:
            found.setdefault(value(parameters), {}).setdefault(address, exchange)
    for number, at in sorted(found.items(), key=lambda item: str(item[0])):
        text = number.hex() if isinstance(number, bytes) else number
        octets = len(number) if isinstance(number, bytes) else 0
        yield outcome(code(number), list(at.values()), value=text, octets=octets, servers=labels(view, list(at)))
    heard = hear(view, *_ASKS, at=keyed, edns=True)
    if not found and heard.answers:
        inventory = view.chain().inventory
        told = any(s.denial_types or s.ask == "Q8N" for a in keyed for s in answers_at(inventory, a))
        shown = heard.shown
        yield not_applicable("no-nsec3", shown) if told else unknown("none-seen", shown)
    yield from unheard(view, heard, *_ASKS)


@check(
    "denial.nsec3-hash",
    properties=(IOP,),
    asked=_ASKS,
    codes={
        "sha1": "{zone} hashes names with SHA-1 at {servers}, the only algorithm there is.",
        "unknown": "{zone} uses NSEC3 hash algorithm {value} at {servers}, which no validator knows.",
        **_CODES,
    },
)
def nsec3_hash(view: ZoneView) -> Iterator[Outcome]:
    """NSEC3 uses the hash algorithm that validators know.

    Why: a validator ignores records with another one, so that nothing is denied.
    Rule: error for any algorithm but 1 (SHA-1) in an NSEC3 or NSEC3PARAM record.
    Source: RFC 5155 sections 8.1 and 11; IANA registry of NSEC3 hash algorithms.
    Do: sign the zone again with algorithm 1.
    """
    yield from _by_value(view, _parameters(view), lambda p: p.algorithm, lambda n: "sha1" if n == 1 else "unknown")


@check(
    "denial.nsec3-iterations",
    properties=(SEC, IOP),
    asked=_ASKS,
    codes={
        "zero": "{zone} uses no extra NSEC3 iterations at {servers}.",
        "over-0": "{zone} uses {value} extra NSEC3 {value:iteration|iterations} at {servers}; there must be none.",
        "over-50": "{zone} uses {value} extra NSEC3 iterations at {servers}; many resolvers give up at 50.",
        "over-150": "{zone} uses {value} extra NSEC3 iterations at {servers}; all resolvers give up at 150.",
        **_CODES,
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
    top = "over-150" if view.ds() else "over-50"
    limits = ((150, top), (50, "over-50"), (0, "over-0"))

    def code(count: int | bytes) -> str:
        return next((word for limit, word in limits if int(count) > limit), "zero")

    yield from _by_value(view, _parameters(view), lambda p: p.iterations, code)


@check(
    "denial.nsec3-salt",
    properties=(SEC,),
    asked=_ASKS,
    codes={
        "empty": "{zone} uses no NSEC3 salt at {servers}.",
        "salted": "{zone} uses an NSEC3 salt of {octets} {octets:octet|octets} ({value}) at {servers}.",
        **_CODES,
    },
)
def nsec3_salt(view: ZoneView) -> Iterator[Outcome]:
    """NSEC3 uses no salt.

    Why: the zone's name already makes its hashes its own; a salt adds nothing and costs a full re-signing to change.
    Rule: warning if any NSEC3 or NSEC3PARAM record has one.
    Source: RFC 9276 section 3.1.
    Do: set the salt to "-" and sign the zone again.
    """
    yield from _by_value(view, _parameters(view), lambda p: p.salt, lambda salt: "salted" if salt else "empty")


@check(
    "denial.nsec3-opt-out",
    properties=(SEC,),
    asked=_ASKS,
    codes={
        "off": "{zone} proves the absence of every name at {servers}.",
        "on-registry": "{zone} uses opt-out at {servers}, as zones with many delegations may.",
        "on": "{zone} uses opt-out at {servers}: delegations in it can be added and hidden unnoticed.",
        **_CODES,
    },
)
def nsec3_opt_out(view: ZoneView) -> Iterator[Outcome]:
    """Opt-out is left to zones with very many delegations.

    Why: with opt-out nothing proves that an unsigned delegation is not there.
    Rule: notice if an NSEC3 record has the flag, unless the zone is the root or a top-level domain.
    Source: RFC 9276 section 3.1; RFC 5155 sections 6 and 12.
    Do: sign the zone again without opt-out.
    """
    on = "on-registry" if view.zone_class in ("R", "T") else "on"
    yield from _by_value(view, _served(view), lambda p: p.flags & OPT_OUT, lambda flag: on if flag else "off")


@check(
    "denial.nsec3-wellformed",
    version=2,
    properties=(IOP,),
    asked=_ASKS,
    codes={
        "good": "The NSEC3 records of {zone} have no flag but opt-out at {servers}.",
        "bad-owner": "{servers} {servers:gives|give} NSEC3 records of {zone} whose owner is no hash: {owners}.",
        "bad-hash": "{servers} {servers:gives|give} NSEC3 records of {zone} whose next hash has another length than 20 "
        "octets.",
        "unassigned-flag": "NSEC3 records of {zone} have flags {value} at {servers}; only opt-out (1) is assigned.",
        **_CODES,
    },
)
def nsec3_wellformed(view: ZoneView) -> Iterator[Outcome]:
    """NSEC3 records are well formed: hashes as owners and next owners, assigned flags only.

    Why: validators ignore records that are not, so that nothing is denied.
    Rule: error for any flag but opt-out in an NSEC3 record, for an owner that is not the base32hex form of a hash
        directly below the apex, and for a next hash of another length than that of SHA-1, 20 octets.
    Source: RFC 5155 sections 3, 3.1.2 and 8.2.
    Do: sign the zone again with a maintained signer.
    """
    odd: dict[str, dict[Address, tuple[str, Exchange]]] = {}
    rrsets = [one.examined.rrset for one in held(view) if one.examined.rrset.rtype == NSEC3]
    any_odd = any(code for rrset in rrsets for code in _malformations(view.zone, rrset))
    for address in signed_servers(view) if any_odd else ():
        for signed in answers_at(view.chain().inventory, address):
            for one in (one for one in signed.rrsets if one.rrset.rtype == NSEC3):
                for code in _malformations(view.zone, one.rrset):
                    odd.setdefault(code, {})[address] = str(one.rrset.owner), signed.answer.exchange
    for code, at in sorted(odd.items()):
        owners = tuple(dict.fromkeys(owner for owner, _ in at.values()))
        yield outcome(code, [x for _, x in at.values()], servers=labels(view, list(at)), owners=owners)
    flag_code = {True: "unassigned-flag", False: "good"}
    yield from _by_value(view, _served(view), lambda p: p.flags & ~OPT_OUT, lambda flags: flag_code[bool(flags)])


def _malformations(zone: Name, rrset: RRset) -> Iterator[str]:
    owner_hash = None if rrset.owner.is_root else hash_of_label(rrset.owner.labels[0])
    if owner_hash is None or len(owner_hash) != _SHA1_OCTETS or rrset.owner.parent() != zone:
        yield "bad-owner"
    if any(len(nsec3.next_hash) != _SHA1_OCTETS for nsec3 in read_all(rdata.nsec3, rrset.rdatas)):
        yield "bad-hash"


@check(
    "denial.nsec3-consistent",
    properties=(STA,),
    asked=_ASKS,
    codes={
        "same": "All servers of {zone} use the same NSEC3 parameters.",
        "hash-differs": "The servers of {zone} use different NSEC3 hash algorithms: {values}.",
        "iterations-differ": "The servers of {zone} use different NSEC3 iterations: {values}.",
        "salt-differs": "The servers of {zone} use different NSEC3 salts: {values}.",
        "flags-differ": "The servers of {zone} use different NSEC3 flags: {values}.",
        **_CODES,
    },
)
def nsec3_consistent(view: ZoneView) -> Iterator[Outcome]:
    """All servers use the same NSEC3 parameters.

    Why: answers of different chains cannot be combined into a proof.
    Rule: error for each parameter (hash algorithm, iterations, salt, opt-out flag of the apex) that differs between
        servers. While a zone is re-signed this can be seen for the time that a transfer takes.
    Source: RFC 5155 section 3; RFC 5155 section 10.
    Do: bring the odd servers to the same version of the zone.
    """
    seen, same = _parameters(view), True
    shown = [signed.answer.exchange for signed, _ in _bearing(view)]
    for code, read in _PARTS:
        source = _served(view) if code == "flags-differ" else seen
        values = {address: read(of[0][0]) for address, of in source.items()}
        if len(set(values.values())) > 1:
            same = False
            texts = tuple(f"{view.server_label(address)} {value}" for address, value in values.items())
            yield outcome(code, shown, values=texts)
    if seen and same:
        yield outcome("same", shown)
    if not seen:
        yield from _by_value(view, seen, lambda p: p.algorithm, lambda _: "same")
    else:
        yield from unheard(view, hear(view, *_ASKS, at=signed_servers(view), edns=True), *_ASKS)


_PARTS: tuple[tuple[str, Callable[[Parameters], str]], ...] = (
    ("hash-differs", lambda p: str(p.algorithm)),
    ("iterations-differ", lambda p: str(p.iterations)),
    ("salt-differs", lambda p: p.salt.hex() or "none"),
    ("flags-differ", lambda p: str(p.flags)),
)
