"""How denials are made: how long they live, whether they are compact, what they give away, how large they are."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Name
from gnomon.base.codes import NOERROR, NSEC, NSEC3, RRSIG, SOA
from gnomon.base.once import once
from gnomon.checks.inventory import SignedAnswer
from gnomon.checks.outcome import Outcome, outcome, unknown
from gnomon.checks.proofs import NXNAME
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, SEC, STA, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.spans import is_made, is_made_hashed, successor
from gnomon.checks.validation import ExaminedRRset
from gnomon.checks.view import ZoneView
from gnomon.wire import rdata

_LARGEST_UNFRAGMENTED_OCTETS = 1232
_LARGEST_ETHERNET_OCTETS = 1452

_CODES = {
    "none-seen": "No server of {zone} gave a denial with NSEC or NSEC3 records.",
    **UNSIGNED,
    **UNHEARD_EDNS,
}


@check(
    "denial.negative-ttl",
    properties=(STA,),
    asked=("Q5", "Q6", "Q2"),
    codes={
        "fits": "The denial records of {zone} live no longer than a negative answer.",
        "too-long": "The denial records of {zone} have a TTL of {ttl_s} s at {servers}; a denial lives {most_s} s.",
        **_CODES,
    },
)
def negative_ttl(view: ZoneView) -> Iterator[Outcome]:
    """Denial records live no longer than the negative answers of the zone.

    Why: resolvers that use cached denial records for other names (RFC 8198) go on denying what is there by now.
    Rule: warning if the TTL of an NSEC or NSEC3 record is over the smaller of SOA TTL and SOA MINIMUM.
    Source: RFC 9077 section 3.
    Do: update the signer, or sign the zone again with the right TTL.
    """
    keyed = signed_servers(view)
    if not keyed:
        yield from without_keys(view)
        return
    heard, long, seen = hear(view, "Q5", "Q6", at=keyed, edns=True), list[tuple[SignedAnswer, int, int]](), False
    denials = [(address, s) for (ask, address), s in view.chain().inventory.items() if ask in ("Q5", "Q6")]
    for address, signed in denials:
        soa, rrset = view.soa(address), view.apex_rrset(SOA).get(address)
        ttls = [one.rrset.ttl_s for one in signed.negative if one.rrset.rtype in (NSEC, NSEC3)]
        if soa is None or rrset is None or not ttls:
            continue
        seen, most_s = True, min(rrset.ttl_s, soa.minimum_s)
        if max(ttls) > most_s:
            long.append((signed, max(ttls), most_s))
    if long:
        servers = labels(view, list(dict.fromkeys(signed.answer.address for signed, _, _ in long)))
        shown = [signed.answer.exchange for signed, _, _ in long]
        yield outcome("too-long", shown, servers=servers, ttl_s=long[0][1], most_s=long[0][2])
    elif seen:
        yield outcome("fits", heard.shown)
    elif heard.answers:
        yield unknown("none-seen", heard.shown)
    yield from unheard(view, heard, "Q5", "Q6")


@check(
    "denial.compact",
    version=2,
    properties=(IOP,),
    asked=("Q5",),
    codes={
        "not-used": "{zone} does not deny names compactly.",
        "used": "{servers} {servers:denies|deny} names of {zone} compactly: one NSEC record made for each question.",
        "unmarked": "{servers} {servers:answers|answer} for {qname}, which nobody has, with an NSEC record of it, made "
        "as if it were there: the NXNAME type, which would say that it is not, is missing.",
        "mixed-types": "{servers} {servers:lists|list} NXNAME beside other types ({types}) in a compact denial of "
        "{qname}.",
        "wrong-owner": "{servers} {servers:denies|deny} {qname} with an NXNAME record of another name.",
        "far-next": "{servers} {servers:denies|deny} {qname} compactly with a record that reaches to {next}, beyond "
        "the next name.",
        **_CODES,
    },
)
def compact(view: ZoneView) -> Iterator[Outcome]:
    """Compact denial is made as it is specified.

    Why: the answer looks like that of an existing name without data; only the record tells that the name is absent.
    Rule: error if the NXNAME type stands beside other types than RRSIG and NSEC, or the record is not of the name
        asked for; notice if its next name is not the name's immediate successor; otherwise only a fact. So is a record
        of the name without NXNAME, as servers made it that signed their answers before the type was there.
    Source: RFC 9824 sections 2, 3.1 and 10.
    Do: update the server's software.
    """
    keyed = signed_servers(view)
    if not keyed:
        yield from without_keys(view)
        return
    found: dict[str, list[tuple[SignedAnswer, dict[str, str]]]] = {}
    heard = hear(view, "Q5", at=keyed, edns=True)
    for address in keyed:
        signed = view.chain().inventory.get(("Q5", address))
        if signed is not None and signed.denial_types:
            code, facts = _compactness(view, signed)
            found.setdefault(code, []).append((signed, facts))
    for code, of in sorted(found.items()):
        if code != "not-used" or len(found) == 1:
            servers = labels(view, [signed.answer.address for signed, _ in of])
            shown = [signed.answer.exchange for signed, _ in of]
            yield outcome(code, shown, servers=servers, qname=str(of[0][0].about), **of[0][1])
    if heard.answers and not found:
        yield unknown("none-seen", heard.shown)
    yield from unheard(view, heard, "Q5")


def _compactness(view: ZoneView, signed: SignedAnswer) -> tuple[str, dict[str, str]]:
    """The code for one denial of a name that does not exist, with its facts."""
    return _compactness_of(view, signed.negative, signed.about, signed.answer.message.rcode)


@once
def _compactness_of(
    view: ZoneView, negative: tuple[ExaminedRRset, ...], qname: Name | None, rcode: int
) -> tuple[str, dict[str, str]]:
    sets = [one.rrset for one in negative if one.rrset.rtype == NSEC]
    nsecs = [(rrset.owner, nsec) for rrset in sets for nsec in read_all(rdata.nsec, rrset.rdatas)]
    marked = [(owner, nsec) for owner, nsec in nsecs if NXNAME in nsec.types]
    if not marked:
        own = rcode == NOERROR and any(is_made(owner, nsec) for owner, nsec in nsecs if owner == qname)
        return ("unmarked" if own else "not-used"), {}
    owner, nsec = marked[0]
    extra = sorted(nsec.types - {NXNAME, RRSIG, NSEC})
    if extra:
        return "mixed-types", {"types": " ".join(str(rtype) for rtype in extra)}
    if owner != qname:
        return "wrong-owner", {}
    return ("used", {}) if nsec.next_name == successor(owner) else ("far-next", {"next": str(nsec.next_name)})


@check(
    "denial.enumerable",
    version=2,
    properties=(SEC,),
    asked=("Q5",),
    codes={
        "walkable": "{zone} denies with NSEC: its names can be read one after the other.",
        "hashed": "{zone} denies with NSEC3: its names can be collected as hashes and guessed offline.",
        "online": "{zone} denies with records made for each question: its names cannot be collected.",
        **_CODES,
    },
)
def enumerable(view: ZoneView) -> Iterator[Outcome]:
    """What denials give away of the zone's names is what its owner accepts.

    Why: whoever walks the chain of NSEC records has a list of the zone; of NSEC3 records, one to guess from.
    Rule: a fact, told from the records that deny one name: they lead to other existing names, to the next hash, or,
        made for the question, to nowhere. A profile of one's own can raise it where the zone's contents are
        confidential.
    Source: RFC 5155 section 1.1; RFC 7129 section 3.4 and appendix B; RFC 4470 section 3; RFC 9824 section 1.
    Do: nothing if the names are public anyway; otherwise deny compactly, which takes keys at the servers.
    """
    keyed = signed_servers(view)
    if not keyed:
        yield from without_keys(view)
        return
    heard = hear(view, "Q5", at=keyed, edns=True)
    inventory = view.chain().inventory
    denials = [signed for address in keyed if (signed := inventory.get(("Q5", address))) and signed.denial_types]
    walkable = [s for s in denials if not _is_made_for(view, s.negative, NSEC)]
    hashed = [s for s in denials if not _is_made_for(view, s.negative, NSEC3)]
    if denials:
        code = "walkable" if walkable else "hashed" if hashed else "online"
        yield outcome(code, [signed.answer.exchange for signed in walkable or hashed or denials])
    elif heard.answers:
        yield unknown("none-seen", heard.shown)
    yield from unheard(view, heard, "Q5")


@once
def _is_made_for(view: ZoneView, negative: tuple[ExaminedRRset, ...], rtype: int) -> bool:
    """Whether all denial records of that type were made for the question."""
    sets = [one.rrset for one in negative if one.rrset.rtype == rtype]
    if rtype == NSEC:
        return all(is_made(rrset.owner, nsec) for rrset in sets for nsec in read_all(rdata.nsec, rrset.rdatas))
    return all(is_made_hashed(rrset.owner, nsec3) for rrset in sets for nsec3 in read_all(rdata.nsec3, rrset.rdatas))


@check(
    "denial.response-size",
    properties=(IOP,),
    asked=("Q5",),
    codes={
        "fits": "The largest denial of a name of {zone} has {octets} octets.",
        "over-1232": "The denial of a name by {server} has {octets} octets: more than 1232, so it needs TCP.",
        "over-1452": "The denial of a name by {server} has {octets} octets: more than fits into one packet.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def response_size(view: ZoneView) -> Iterator[Outcome]:
    """The denial of a name fits into one unfragmented packet.

    Why: under an attack with random names every answer is a denial; those that need TCP take the servers down first.
    Rule: measured octets of the whole NXDOMAIN answer with DO, over TCP where UDP was truncated: notice over 1232,
        warning over 1452. One outcome for the zone, from the largest.
    Source: RFC 9715 section 3; RFC 8198.
    Do: use NSEC or algorithm 13, which make small proofs.
    """
    keyed = signed_servers(view)
    if not keyed:
        yield from without_keys(view)
        return
    heard = hear(view, "Q5", at=keyed, edns=True)
    largest = max(heard.answers, key=lambda answer: len(answer.message.wire), default=None)
    if largest is not None:
        octets, code = len(largest.message.wire), "fits"
        if octets > _LARGEST_UNFRAGMENTED_OCTETS:
            code = "over-1452" if octets > _LARGEST_ETHERNET_OCTETS else "over-1232"
        yield outcome(code, largest.exchange, octets=octets, server=view.server_label(largest.address))
    yield from unheard(view, heard, "Q5")
